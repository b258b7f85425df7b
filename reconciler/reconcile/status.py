"""The story of `status`: the remote in numbers, compared with the catalogue if there is one."""

from reconciler.planning.diff import diff
from reconciler.planning.overview import Overview, overview
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
