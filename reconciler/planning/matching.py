"""Which remote product is meant by which declared one: by store_id, by rename, by remembered ring.

What cannot be decided is blocked, never guessed: a store_id that the remote holds twice, a product
without one, a rename whose source and target both exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.codes import Code
from reconciler.model import Catalog, Ledger, Listing, RemoteProduct
from reconciler.planning.plan import Blocked

PARKED: Final = "~moving"
"""A ring of renames parks one product under its target's store_id and this suffix."""


@dataclass(slots=True)
class Matching:
    """The declared and the remote side by side.

    `pairs` holds the remote product of each declared store_id that has one; `held` the declared
    store_ids that are blocked; `undeclared` the remote products that nothing declares; `rings`
    counts pending renames that form rings.
    """

    pairs: dict[str, RemoteProduct] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    blocked: list[Blocked] = field(default_factory=list)
    undeclared: list[RemoteProduct] = field(default_factory=list)
    ring_members: list[str] = field(default_factory=list)


def match(catalog: Catalog, remote: Listing, ledger: Ledger) -> Matching:
    """Pair every declared product with its remote product, where it has one."""
    matching = Matching()
    bound = _bound_by_rings(catalog, ledger)
    present = _by_store_id(catalog, remote, {**_kept_ids(catalog, ledger), **bound}, matching)
    moving = _pending_renames(catalog, present, set(bound.values()), matching)
    leaving = set(moving.values())
    pairs, held = matching.pairs, matching.held
    for store_id in catalog.products:
        if store_id in held:
            continue
        source = moving.get(store_id)
        if source is not None:
            pairs[store_id] = present[source]
        elif store_id not in leaving and (found := present.get(store_id)) is not None:
            pairs[store_id] = found
    _keep_apart(catalog, present, leaving, matching)
    return matching


def _bound_by_rings(catalog: Catalog, ledger: Ledger) -> dict[str, str]:
    """The declared store_id of each remote id in a ring that was begun and is still declared."""
    bound: dict[str, str] = {}
    for ring in ledger.rings:
        declared = [catalog.products.get(link.after) for link in ring.links]
        if all(
            product is not None and product.renamed_from == link.before
            for product, link in zip(declared, ring.links, strict=True)
        ):
            bound.update((link.id, link.after) for link in ring.links)
    return bound


def _kept_ids(catalog: Catalog, ledger: Ledger) -> dict[str, str]:
    """The declared store_id of each remote id whose store_id the server normalises."""
    kept = {}
    for id, remembered in ledger.products.items():
        if remembered.kept and (entry := remembered.kept.get("store_id")) is not None:
            sent = str(entry.sent)
            if sent in catalog.products:
                kept[id] = sent
    return kept


def _by_store_id(
    catalog: Catalog, remote: Listing, known: Mapping[str, str], matching: Matching
) -> dict[str, RemoteProduct]:
    """Remote products by the store_id that they stand for; what is ambiguous is blocked."""
    present: dict[str, RemoteProduct] = {}
    twice: dict[str, list[RemoteProduct]] = {}
    for product in remote.products:
        id, store_id = product.id, product.store_id
        if not store_id or id is None:
            _block_nameless(product, matching)
            continue
        if known:
            store_id = known.get(id, store_id)
        if store_id in present:
            twice.setdefault(store_id, [present[store_id]]).append(product)
        else:
            present[store_id] = product
    for store_id, products in twice.items():
        del present[store_id]
        ids = tuple(sorted(str(product.id) for product in products))
        matching.blocked.append(Blocked(store_id, ids, Code.DUPLICATE_REMOTE))
        matching.held.add(store_id)
    return present


def _block_nameless(product: RemoteProduct, matching: Matching) -> None:
    """A product without a usable id or store_id cannot be addressed safely."""
    if product.id is None:
        matching.blocked.append(Blocked(product.store_id, (), Code.MISSING_ID))
        if product.store_id:
            matching.held.add(product.store_id)
    else:
        matching.blocked.append(Blocked(None, (product.id,), Code.MISSING_STORE_ID))


def _pending_renames(
    catalog: Catalog,
    present: Mapping[str, RemoteProduct],
    settled: set[str],
    matching: Matching,
) -> dict[str, str]:
    """The source store_id of every declared product whose rename is still to be made.

    A rename is pending while its source is at the remote and its target is not, or is itself
    about to be renamed. Each link depends on the next one only, so a chain is walked once.
    """
    takers = {
        product.renamed_from: product
        for product in catalog.products.values()
        if product.renamed_from is not None and product.store_id not in settled
    }
    pending: dict[str, bool] = {}
    for source, product in takers.items():
        target = product.store_id
        if source in matching.held and target not in matching.held:
            ids = next(b.ids for b in matching.blocked if b.store_id == source)
            matching.blocked.append(Blocked(target, ids, Code.DUPLICATE_REMOTE))
            matching.held.add(target)
    for source in takers:
        path: list[str] = []
        link: str | None = source
        verdict = False
        while link is not None and link in present and link not in pending:
            if link in path:
                verdict = True
                ring = path[path.index(link) :]
                matching.ring_members += [takers[member].store_id for member in ring]
                break
            path.append(link)
            target = takers[link].store_id
            if target in matching.held:
                break
            if target not in present:
                verdict = True
                break
            link = target if target in takers else None
        else:
            verdict = link is not None and pending.get(link, False)
        pending.update(dict.fromkeys(path, verdict))
    return {takers[link].store_id: link for link, waits in pending.items() if waits}


def _keep_apart(
    catalog: Catalog,
    present: Mapping[str, RemoteProduct],
    leaving: set[str],
    matching: Matching,
) -> None:
    """What is left is undeclared; but the source of a rename that cannot be made is not deleted."""
    sources = {
        product.renamed_from: product.store_id
        for product in catalog.products.values()
        if product.renamed_from is not None
    }
    for store_id, product in present.items():
        if store_id in catalog.products or store_id in leaving:
            continue
        if store_id in sources:
            ids = (str(product.id),)
            matching.blocked.append(Blocked(store_id, ids, Code.RENAME_CONFLICT))
        else:
            matching.undeclared.append(product)
