"""The stories of `plan` and `apply`.

Values flow one way: catalogue + remote + ledger -> plan -> operations -> outcomes -> report.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from reconciler.catalog.revision import load_revision
from reconciler.codes import Code
from reconciler.errors import GuardRefused, Locked, PlanFileError, StalePlan, UsageError
from reconciler.interpreter import paused
from reconciler.ledger.holder import Holder
from reconciler.ledger.stores import LedgerStore
from reconciler.model import Catalog, Finding, Ledger, Listing
from reconciler.planning.diff import diff
from reconciler.planning.guard import Allowances, with_fresh_figures, with_refusals
from reconciler.planning.hints import warning
from reconciler.planning.origin import only_of, with_origins
from reconciler.planning.plan import Origin, Plan, Prune
from reconciler.policy.guard_rule import check_allowed, guarded
from reconciler.policy.plan_rule import linted
from reconciler.reconcile.saved import (
    already_applied,
    applied_commit,
    check_age,
    of_this_shop,
)
from reconciler.reconcile.store import DATA, Store, beside
from reconciler.version import VERSION

if TYPE_CHECKING:
    from reconciler.planning.outcome import Report
    from reconciler.report.history import JournalRecord
    from reconciler.report.plan_json import SavedPlan

Listed: TypeAlias = frozenset[str | None]
"""The ids that were listed before an apply."""

APPLIED: Final = "applied"
"""The value of `base` for the commit that was applied last."""

# Modules that only an apply or a saved plan needs are imported in functions: most runs are plans.


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one run, beyond the settings; None leaves a setting as it is."""

    select: tuple[str, ...] = ()
    prune: Prune | None = None
    allow_deletes: int | None = None
    allow_updates: int | None = None
    allow_empty: bool = False
    resend: tuple[str, ...] = ()
    base: str | None = None
    allow_creates: int | None = None
    allow_recreate: tuple[str, ...] = ()
    only: tuple[Origin, ...] = ()
    allow_older: bool = False
    allow: tuple[str, ...] = ()


def plan(store: Store, options: Options | None = None) -> Plan:
    """What apply would do now; writes nothing to the remote, the ledger or the catalogue."""
    _check_only(options or Options())
    with paused():
        made, _, _, _ = look(store, options or Options(), store.ledger.load)
    return made


def look(
    store: Store, options: Options, load: Callable[[], Ledger]
) -> tuple[Plan, Catalog, Ledger, Listing]:
    """The plan, and the catalogue, the ledger and the list that it was made from."""
    ruleset, base = store.settings.ruleset(), options.base
    with (
        store.loading(ruleset) as loaded,
        store.listing() as listed,
        beside(store.revision) as revision,
    ):
        ledger = load()
        catalog = loaded()
        at = revision()
        catalog = at.of(catalog)
        before = None if base is None else _base(store, base, ledger, catalog)
        listing = listed()
    made = _diff(store, options, catalog, listing, ledger)
    if at.advice:
        unknown = warning(Code.NO_COMMIT, f"The catalogue's commit is not known. {at.advice}")
        made = replace(made, warnings=(unknown, *made.warnings))
    if before is not None:
        now = store.client.clock.utc()
        made = with_origins(
            made,
            before,
            listing,
            ledger,
            resend=options.resend,
            now=now,
            ignore=store.settings.left_alone(),
        )
        # After the origins are known, and before the guards, which judge what will be sent.
        made = only_of(made, options.only)
        if base == APPLIED and before.commit is None:
            made = replace(made, warnings=(_nothing_applied(), *made.warnings))
    made = linted(made, catalog, listing, ruleset)
    return _judged(made, listing, ledger, store, options), catalog, ledger, listing


def _base(store: Store, base: str, ledger: Ledger, catalog: Catalog) -> Catalog:
    """The catalogue of the base revision; empty if nothing was applied yet."""
    revision, remote = base, None
    if base == APPLIED:
        known = applied_commit(ledger)
        if known is None:
            return Catalog.of()
        # A shallow clone lacks it, and with a ledger in git it can be had from the ledger's remote.
        remote = store.settings.ledger_remote if store.settings.ledger == "git" else None
        # Nothing was edited since, so the base need not be read from git again.
        if known == catalog.commit and catalog.dirty is False:
            return catalog
        revision = known

    def read() -> Catalog:
        return load_revision(store.catalog, revision, working_folder=store.folder, remote=remote)

    return read() if store.kept is None else store.kept(revision, read)


def _nothing_applied() -> Finding:
    return warning(
        Code.NOTHING_APPLIED,
        "The ledger knows no applied commit, so the plan is compared with an empty catalogue.",
    )


def _ids(listing: Listing) -> Listed:
    return frozenset(product.id for product in listing.products)


def _diff(
    store: Store, options: Options, catalog: Catalog, listing: Listing, ledger: Ledger
) -> Plan:
    return diff(
        catalog,
        listing,
        ledger,
        store=store.name,
        prune=options.prune or store.settings.prune,
        protected=store.settings.protected,
        select=options.select,
        resend=options.resend,
        recreate=options.allow_recreate,
        now=store.client.clock.utc(),
        ignore=store.settings.left_alone(),
    )


def _judged(made: Plan, listing: Listing, ledger: Ledger, store: Store, options: Options) -> Plan:
    """The plan with the refusals of all guards; UsageError if `--allow` names none of them."""
    # The rules of all stores count: a name that fits another store of a fleet is known too.
    check_allowed(options.allow, store.settings.rulesets() if options.allow else ())
    allowances = Allowances(
        deletes=options.allow_deletes,
        updates=options.allow_updates,
        creates=options.allow_creates,
        empty=options.allow_empty,
    )
    made = with_refusals(made, store.settings.limits.for_guard(), allowances)
    # A percentage is of what the limits take it of.
    listing = store.settings.left_alone().of_listing(listing)
    return guarded(made, listing, ledger, store.settings.ruleset(), options.allow)


def read_plan(path: Path) -> "SavedPlan":
    """Read a saved plan; PlanFileError if it is damaged, edited, or of a newer format."""
    from reconciler.report.plan_json import parse_plan

    return parse_plan(_read_saved(path))


def read_journal(path: Path) -> "JournalRecord | None":
    """Read a journal; None if the file is something else."""
    from reconciler.report.history import is_journal, parse_journal

    data = _read_saved(path)
    return parse_journal(data) if is_journal(data) else None


def _read_saved(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PlanFileError(
            f"The file {path} cannot be read: {error.strerror or error}.",
            hint="Make a plan with `reconciler plan --out FILE`.",
        ) from None


def apply(
    store: Store,
    options: Options | None = None,
    *,
    saved: "SavedPlan | Plan | None" = None,
    approve: Callable[[Plan], bool] = lambda _: False,
    lock_timeout: float = 0.0,
    on_write: Callable[[], None] = lambda: None,
) -> "Report":
    """Make the remote equal the catalogue, or carry out exactly a `saved` plan.

    The ledger is held from before the plan is made until its last save, so two applies never work
    from the same state. `approve` gets the plan; it raises NotConfirmed to stop, and returns
    whether somebody was asked. `on_write` is called before the first write. Raises OtherShop,
    GuardRefused, StalePlan, Locked and LedgerNotWritten before anything is sent.
    """
    from reconciler.applying.apply import carry_out
    from reconciler.applying.loop import Means

    options = options or Options()
    _check_only(options)
    reviewed = None if saved is None else of_this_shop(saved, store)
    with store.ledger.hold(timeout=lock_timeout, holder=Holder.here()) as held:
        catalog: Catalog | None = None
        listed: Listed = frozenset()
        if reviewed is None:
            made, catalog, ledger, listing = look(store, options, held.load)
            listed = _ids(listing)
            # It takes room that the calls may need.
            del listing
        else:
            made, ledger = reviewed, held.load()
        found = check_age(made, ledger, store, allow_older=options.allow_older)
        made = replace(made, warnings=(*found, *made.warnings))
        asked = approve(made)
        # Time has passed since the list was read, so the remote may have changed; a plan without
        # changes sends nothing, so for it that does not matter.
        if made.changes and (asked or reviewed is not None):
            listing = store.client.list()
            if reviewed is not None and (done := already_applied(made, ledger, listing, store)):
                return _with_takeover(done, held.broke)
            made, listed = _looked_at_again(made, ledger, listing, store, options), _ids(listing)
        # After the second look, since the figures that guards judge may have changed (P4).
        if made.refusals:
            raise _refused(made)

        def remains(closing: Listing, final: Ledger) -> Plan:
            # Of the whole catalogue and without --resend: only then does an empty plan mean equal
            # (P1).
            again = Options(select=(), prune=options.prune)
            return _diff(store, again, catalog or Catalog.of(), closing, final)

        with _journal(store, made) as journal:
            batch = store.settings.requests.batch
            means = Means(store.client, held, journal, batch, on_write, listed)
            # A part of the catalogue cannot show that the remote equals all of it.
            whole = catalog is not None and not (options.select or options.only)
            report = carry_out(made, ledger, means, remains if whole else None)
            # What was left out of the plan may differ still (P6).
            if report.converged and any(w.code is Code.LEFT_OUT for w in made.warnings):
                report = replace(report, converged=False)
            return _with_takeover(report, held.broke)


def dry_run(store: Store, saved: "SavedPlan", options: Options) -> Plan:
    """A saved plan as `apply` would carry it out now, with its refusals; nothing is written.

    Raises OtherShop and StalePlan as `apply` does.
    """
    made = of_this_shop(saved, store)
    ledger = store.ledger.load()
    check_age(made, ledger, store, allow_older=options.allow_older)
    if not made.changes:
        return made
    listing = store.client.list()
    if already_applied(made, ledger, listing, store):
        return replace(made, changes=(), refusals=())
    return _looked_at_again(made, ledger, listing, store, options)


def _looked_at_again(
    made: Plan, ledger: Ledger, listing: Listing, store: Store, options: Options
) -> Plan:
    """An earlier plan, checked against a list that was just read.

    Returns the plan with the refusals of the guards; StalePlan if it no longer fits.
    """
    from reconciler.applying.stale import changed_since

    ignore = store.settings.left_alone()
    made = with_fresh_figures(made, len(ignore.of_listing(listing).products))
    made = _judged(made, listing, ledger, store, options)
    details = changed_since(made, listing, ledger, store.settings.protected, ignore)
    # A refusal tells more than that the plan is old.
    if details and not made.refusals:
        raise StalePlan(
            "Nothing was changed: things are not as they were when the plan was made.",
            details=details,
            hint="Make a new plan, review it, and apply that.",
        )
    return made


def _check_only(options: Options) -> None:
    """Raise UsageError if changes are selected by origin without a base."""
    if options.only and options.base is None:
        raise UsageError(
            "--only needs --base: without a revision to compare with, changes have no origin.",
            hint="For instance: --base applied --only edit --only both",
        )


def _with_takeover(report: "Report", left: Holder | None) -> "Report":
    """The report, with a warning if the lock of a dead or silent run was taken over."""
    if left is None:
        return report
    silent = left.alive or not left.same_machine
    run = "A run that did not renew its lock" if silent else "A run that died"
    finding = warning(
        Code.BROKE_A_LOCK,
        f"{run} held the store: {left}. What it left in doubt was taken care of.",
    )
    return replace(report, warnings=(finding, *report.warnings))


def _refused(made: Plan) -> GuardRefused:
    reasons = " ".join(refusal.message for refusal in made.refusals)
    flags = " ".join(refusal.allow for refusal in made.refusals)
    return GuardRefused(
        f"Nothing was changed: {reasons}", hint=f"If this is meant, apply again with {flags}."
    )


@contextmanager
def _journal(store: Store, made: Plan) -> Iterator[Any]:
    """The journal of an apply; nothing is written for a plan without changes."""
    import platform

    from reconciler.applying.journal import FileJournal, NoJournal

    if not made.changes:
        yield NoJournal()
        return
    header = {
        "tool": VERSION,
        "host": platform.node(),
        "plan_digest": made.digest,
        "commit": made.catalog.commit,
        "summary": made.summary._asdict(),
    }
    folder = store.journals or store.folder / DATA / "journal"
    with FileJournal(
        folder, store.name, store.client.clock, header, store.settings.journal
    ) as journal:
        yield journal


def unlock(store: LedgerStore) -> Holder | None:
    """Free the lock of a dead run and return its holder; None if there was no lock."""
    try:
        return store.break_lock()
    except Locked as error:
        # Its own hint names the command that was just run.
        hint = "That run is alive on this machine, and keeps its lock: wait, or end its process."
        raise Locked(error.message, hint=hint) from None
