"""The stories of `plan` and `apply`.

Values flow one way: catalogue + remote + ledger -> plan -> operations -> outcomes -> report.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from reconciler.codes import Code
from reconciler.errors import GuardRefused, Locked, StalePlan
from reconciler.interpreter import paused
from reconciler.ledger.holder import Holder
from reconciler.ledger.stores import LedgerStore
from reconciler.model import Catalog, Ledger, Listing
from reconciler.planning.guard import with_fresh_figures
from reconciler.planning.hints import warning
from reconciler.planning.plan import Plan
from reconciler.reconcile.making import Options, check_only, difference, guard_plan, make_plan
from reconciler.reconcile.saved import already_applied, check_age, of_this_shop
from reconciler.reconcile.store import DATA, Store
from reconciler.version import VERSION

if TYPE_CHECKING:
    from reconciler.planning.outcome import Report
    from reconciler.report.plan_json import SavedPlan

Listed: TypeAlias = frozenset[str | None]
"""The ids that were listed before an apply."""

# Modules that only an apply or a saved plan needs are imported in functions: most runs are plans.


def plan(store: Store, options: Options | None = None) -> Plan:
    """What apply would do now; writes nothing to the remote, the ledger or the catalogue."""
    check_only(options or Options())
    with paused():
        made, _, _, _ = make_plan(store, options or Options(), store.ledger.load)
    return made


def _ids(listing: Listing) -> Listed:
    return frozenset(product.id for product in listing.products)


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
    check_only(options)
    reviewed = None if saved is None else of_this_shop(saved, store)
    with store.ledger.hold(timeout=lock_timeout, holder=Holder.here()) as held:
        catalog: Catalog | None = None
        listed: Listed = frozenset()
        if reviewed is None:
            made, catalog, ledger, listing = make_plan(store, options, held.load)
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

        with _journal(store, made) as journal:
            batch = store.settings.requests.batch
            means = Means(store.client, held, journal, batch, on_write, listed)
            report = carry_out(made, ledger, means, _remaining(store, options, catalog))
        # What was left out of the plan may differ still (P6).
        if report.converged and any(w.code is Code.LEFT_OUT for w in made.warnings):
            report = replace(report, converged=False)
        return _with_takeover(report, held.broke)


def _remaining(
    store: Store, options: Options, catalog: Catalog | None
) -> Callable[[Listing, Ledger], Plan] | None:
    """A function that makes the plan that is left after an apply.

    None if only a part of the catalogue was planned: it cannot show that the remote equals all.
    """
    if catalog is None or options.select or options.only:
        return None
    # Of the whole catalogue and without --resend: only then does an empty plan mean equal (P1).
    again = Options(prune=options.prune)
    return lambda closing, final: difference(store, again, catalog, closing, final)


def dry_run(store: Store, options: Options, saved: "SavedPlan | None" = None) -> Plan:
    """The plan, or a saved one, as `apply` would carry it out now, with its refusals.

    Writes nothing. Raises OtherShop and StalePlan as `apply` does.
    """
    if saved is None:
        return plan(store, options)
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
    made = guard_plan(made, listing, ledger, store, options)
    details = changed_since(made, listing, ledger, store.settings.protected, ignore)
    # A refusal tells more than that the plan is old.
    if details and not made.refusals:
        raise StalePlan(
            "Nothing was changed: things are not as they were when the plan was made.",
            details=details,
            hint="Make a new plan, review it, and apply that.",
        )
    return made


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
        "dirty": made.catalog.dirty,
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
