"""How a plan is made: what it is read from, its options, its origins, and what the guards say."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from reconciler.catalog.revision import load_revision
from reconciler.codes import Code
from reconciler.errors import UsageError
from reconciler.model import Catalog, Finding, Ledger, Listing
from reconciler.planning.diff import diff
from reconciler.planning.guard import Allowances, with_refusals
from reconciler.planning.hints import warning
from reconciler.planning.origin import only_of, with_origins
from reconciler.planning.plan import Origin, Plan, Prune
from reconciler.policy.guard_rule import check_allowed, guarded
from reconciler.policy.plan_rule import linted
from reconciler.reconcile.saved import applied_commit
from reconciler.reconcile.store import Store, beside

APPLIED: Final = "applied"
"""The value of `base` for the commit that was applied last."""


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


def make_plan(
    store: Store, options: Options, load: Callable[[], Ledger]
) -> tuple[Plan, Catalog, Ledger, Listing]:
    """The plan, and the catalogue, the ledger and the list that it was made from.

    `load` reads the ledger.
    """
    ruleset, base = store.settings.ruleset(), options.base
    with (
        store.loading(ruleset) as loaded,
        store.listing() as listed,
        beside(store.revision) as looked_up,
    ):
        ledger = load()
        catalog = loaded()
        revision = looked_up()
        catalog = revision.of(catalog)
        before = None if base is None else _base(store, base, ledger, catalog)
        listing = listed()
    made = difference(store, options, catalog, listing, ledger)
    if revision.advice:
        said = f"The catalogue's commit is not known. {revision.advice}"
        unknown = warning(Code.NO_COMMIT, said)
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
    return guard_plan(made, listing, ledger, store, options), catalog, ledger, listing


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

    return read() if store.earlier is None else store.earlier(revision, read)


def _nothing_applied() -> Finding:
    return warning(
        Code.NOTHING_APPLIED,
        "The ledger knows no applied commit, so the plan is compared with an empty catalogue.",
    )


def difference(
    store: Store, options: Options, catalog: Catalog, listing: Listing, ledger: Ledger
) -> Plan:
    """The plan before its origins, rules and guards."""
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


def guard_plan(
    made: Plan, listing: Listing, ledger: Ledger, store: Store, options: Options
) -> Plan:
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


def check_only(options: Options) -> None:
    """Raise UsageError if changes are selected by origin without a base."""
    if options.only and options.base is None:
        raise UsageError(
            "--only needs --base: without a revision to compare with, changes have no origin.",
            hint="For instance: --base applied --only edit --only both",
        )
