"""The story of `status`: the remote in numbers, compared with the catalogue if there is one."""

from typing import Final

from reconciler.model import Catalog, Ledger, Listing
from reconciler.planning.diff import diff
from reconciler.planning.overview import Overview, overview
from reconciler.planning.plan import Plan
from reconciler.policy.at_remote import breaking
from reconciler.reconcile.making import APPLIED, Options, make_plan
from reconciler.reconcile.store import Store

_EDITED: Final = 2
_DRIFTED: Final = 6


def status(store: Store) -> Overview:
    """The remote in numbers; writes nothing.

    If the catalogue's folder does not exist, only the remote is read; errors in a catalogue
    that is there raise CatalogError.
    """
    if not store.catalog.exists():
        return overview(store.name, store.client.list(), None)
    with store.loading(store.settings.ruleset()) as loaded, store.listing() as listed:
        ledger = store.ledger.load()
        catalog = loaded()
        listing = listed()
    return _overview(store, catalog, listing, ledger)


def status_with_plan(store: Store) -> tuple[Overview, Plan]:
    """The remote in numbers, and the plan whose changes have their origins; one list for both.

    A change is drift if the commit that was applied last would be planned so too, else an edit.
    """
    made, catalog, ledger, listing = make_plan(store, Options(base=APPLIED), store.ledger.load)
    return _overview(store, catalog, listing, ledger), made


def drift_code(made: Plan) -> int:
    """The exit code that tells of such a plan: 2 if there are edits, 6 if there is drift alone."""
    origins = {change.origin for change in made.changes}
    return 0 if not origins else _DRIFTED if origins == {"drift"} else _EDITED


def _overview(store: Store, catalog: Catalog, listing: Listing, ledger: Ledger) -> Overview:
    """The remote compared with the whole catalogue and with the rules of the settings."""
    settings = store.settings
    ignore = settings.left_alone()
    # `all`, whatever the settings prune: an overview tells everything that is not declared.
    whole = diff(catalog, listing, ledger, store=store.name, prune="all", ignore=ignore)
    broken = breaking(listing, ledger, catalog, settings.ruleset(), ignore)
    return overview(store.name, listing, whole, broken)
