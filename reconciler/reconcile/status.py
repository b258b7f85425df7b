"""The story of `status`: the remote in numbers, compared with the catalogue if there is one."""

from reconciler.planning.diff import diff
from reconciler.planning.overview import Overview, overview
from reconciler.planning.plan import Plan
from reconciler.reconcile.run import APPLIED, Options, look
from reconciler.reconcile.store import Store


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
    made = diff(catalog, listing, ledger, store=store.name, prune="all")
    return overview(store.name, listing, made)


def status_with_plan(store: Store) -> tuple[Overview, Plan]:
    """The remote in numbers, and the plan whose changes have their origins; one list for both.

    A change is drift if the commit that was applied last would be planned so too, else an edit.
    """
    made, catalog, ledger, listing = look(store, Options(base=APPLIED), store.ledger.load)
    whole = diff(catalog, listing, ledger, store=store.name, prune="all")
    return overview(store.name, listing, whole), made
