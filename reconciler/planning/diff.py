"""diff: a total function of values. Catalogue, remote and ledger in, a Plan out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

from reconciler.model import INDEX, KEYS, Catalog, Finding, Ledger, Listing, Product, RemoteProduct
from reconciler.planning import hints
from reconciler.planning.compare import Comparison, declared, deleted_fields
from reconciler.planning.ignore import NOTHING_IGNORED, Ignore
from reconciler.planning.matching import Matching, match
from reconciler.planning.plan import (
    Blocked,
    CatalogFacts,
    Change,
    Create,
    Delete,
    FieldChange,
    Plan,
    Prune,
    Update,
    change_order,
)
from reconciler.planning.select import Keep, Resend, Selection

_TYPE: Final = INDEX["type"]
_T = TypeVar("_T", str, tuple[str, Any])
_Differing: TypeAlias = tuple[Product, RemoteProduct, dict[str, FieldChange]]


def diff(
    catalog: Catalog,
    remote: Listing,
    ledger: Ledger,
    *,
    store: str = "default",
    prune: Prune = "all",
    protected: Sequence[str] = (),
    select: Sequence[str] = (),
    resend: Sequence[str] = (),
    recreate: Collection[str] = (),
    now: datetime | None = None,
    ignore: Ignore = NOTHING_IGNORED,
) -> Plan:
    """What must change at the remote for it to equal the catalogue.

    `prune` says which undeclared products are deleted: all, those this ledger created or adopted,
    or none. `now` is the time that the age of what the ledger holds is judged by; without it
    nothing is too old. `recreate` names creates that were answered and are not waited for.
    `ignore` is what is left alone. Same values in, same plan out. Raises UnmatchedPattern if an
    expression of `select` or `resend` matches nothing.
    """
    # Counted before `ignore` takes products out: the empty-catalogue guard judges what is declared.
    facts = CatalogFacts(len(catalog.products), catalog.digest, catalog.commit, catalog.dirty)
    left_alone = list(hints.ignored(catalog, ignore))
    catalog, remote = ignore.of_catalog(catalog), ignore.of_listing(remote, catalog)
    selection, resending = Selection(select), Resend(resend)
    matching = match(catalog, remote, ledger, now=now, recreate=recreate)
    comparison = Comparison(
        ledger, resending if resending else None, matching.stand.made, now, matching.contested
    )
    creates, differing, unchanged = _compare_declared(
        catalog, matching, comparison, selection, resending, ignore
    )
    deletes, staying, protection = _undeclared(
        matching, ledger, remote, prune, protected, selection
    )
    changes: list[Change] = [*creates, *_updates(differing, remote, matching), *deletes]
    blocked = _blocked(matching, catalog, selection)
    # Only now has every product been seen, declared and undeclared.
    selection.check()
    resending.check()
    # P8: neither the order of the files nor that of the list may change the digest.
    changes.sort(key=change_order)
    warnings = [
        *catalog.warnings,
        *hints.about_changes(changes, staying),
        *_near_misses(creates, catalog, remote),
        *hints.unconfirmed(_by_field(comparison.unconfirmed)),
        *hints.server_keeps(_by_field(comparison.kept)),
        *hints.rings(sorted(set(matching.ring_members))),
        *protection,
        *left_alone,
    ]
    return Plan(
        store=store,
        catalog=facts,
        remote_products=len(remote.products),
        changes=tuple(changes),
        blocked=blocked,
        adoptions=tuple(sorted(comparison.adoptions)),
        warnings=tuple(warnings),
        unchanged=unchanged,
        unconfirmed=comparison.unconfirmed_products,
        kept=comparison.kept_products,
        undeclared=len(staying),
        partial=bool(selection),
    )


def _by_field(found: Mapping[str, list[_T]]) -> dict[str, list[_T]]:
    """What was found, in the order of the field table and of the store_ids."""
    return {key: sorted(found[key]) for key in KEYS if key in found}


def _compare_declared(
    catalog: Catalog,
    matching: Matching,
    comparison: Comparison,
    selection: Selection,
    resending: Resend,
    ignore: Ignore,
) -> tuple[list[Create], list[_Differing], int]:
    """The Creates, the products that differ, and how many declared ones are equal."""
    creates: list[Create] = []
    differing: list[_Differing] = []
    unchanged = 0
    pairs, held = matching.pairs, matching.held
    selected = _selected(catalog, matching, selection) if selection else None
    noting = bool(resending)
    for store_id, product in catalog.products.items():
        if selected is not None and store_id not in selected:
            continue
        if noting:
            resending.note(product)
        # Noted before this: a `--resend` that means only blocked products is not a typing error.
        if store_id in held:
            continue
        remote = pairs.get(store_id)
        product = ignore.wanted(product, remote)
        if remote is None:
            fields, source = declared(product), product.location
            came_from = product.renamed_from
            creates.append(
                Create(
                    store_id, product.name, fields, source, came_from=came_from, notes=product.notes
                )
            )
        elif fields := comparison.differences(product, remote):
            differing.append((product, remote, fields))
        else:
            unchanged += 1
    # What the server keeps in another form is neither a change nor as declared.
    return creates, differing, unchanged - comparison.kept_products


def _updates(
    differing: Sequence[_Differing], remote: Listing, matching: Matching
) -> Iterator[Update]:
    """The Updates of what differs, each with the picture that a reviewer is shown."""
    # Records are deflated, so only those that will be shown are unpacked.
    records = remote.records([str(seen.id) for _, seen, _ in differing])
    for product, seen, fields in differing:
        id = str(seen.id)
        picture = records.get(id, {}).get("image_md")
        yield Update(
            product.store_id,
            id,
            product.name,
            fields,
            seen,
            product.location,
            image_md=picture if isinstance(picture, str) else None,
            came_from=None if product.store_id in matching.contested else product.renamed_from,
            sent_as=_sent_as(product, seen, matching) if "store_id" in fields else None,
            type=product.values[_TYPE],  # type: ignore[arg-type]  # a text field
            notes=product.notes,
        )


def _sent_as(product: Product, seen: RemoteProduct, matching: Matching) -> str | None:
    """The store_id that a rename gives up, if the server keeps another for it."""
    sent = matching.stand.here.get(str(seen.id))
    return None if sent == product.store_id else sent


def _selected(catalog: Catalog, matching: Matching, selection: Selection) -> set[str]:
    """The declared store_ids that are selected, and those whose renames make room for them.

    A store_id that another product still has cannot be taken; so what vacates it comes along. If
    that is excluded, what would take its place is left out as well.
    """
    occupants = {
        matching.stand.at(remote): store_id
        for store_id, remote in matching.pairs.items()
        if remote.store_id != store_id
    }
    chosen = [
        store_id for store_id, product in catalog.products.items() if selection.declared(product)
    ]
    selected: set[str] = set()
    for store_id in chosen:
        line: dict[str, None] = {}
        link: str | None = store_id
        while link is not None and link not in selected and link not in line:
            if selection.excludes(catalog.products[link]):
                break
            line[link] = None
            link = occupants.get(link)
        else:
            selected.update(line)
    return selected


def _undeclared(
    matching: Matching,
    ledger: Ledger,
    remote: Listing,
    prune: Prune,
    protected: Sequence[str],
    selection: Selection,
) -> tuple[list[Change], list[RemoteProduct], list[Finding]]:
    """The Deletes, what stays although it is undeclared, and the warnings of protection."""
    keep = Keep(protected)
    candidates: list[RemoteProduct] = []
    staying: list[RemoteProduct] = []
    spared: list[str] = []
    for product in matching.undeclared:
        store_id = str(product.store_id)
        if not selection.undeclared(store_id, product.value("tags") or ()):
            continue
        # `managed` spares what others made in the same shop, and what this ledger never knew.
        if prune == "none" or (prune == "managed" and not _is_managed(product, ledger)):
            staying.append(product)
        elif keep and keep(product):
            staying.append(product)
            spared.append(store_id)
        else:
            candidates.append(product)
    records = remote.records([str(product.id) for product in candidates]) if candidates else {}
    deletes: list[Change] = [
        Delete(
            str(product.store_id),
            str(product.id),
            product.name,
            deleted_fields(product),
            records[str(product.id)],
        )
        for product in candidates
    ]
    # A pattern that protects only declared products is in use, so it must not be warned of.
    for product in remote.products if keep.unmatched else ():
        keep(product)
    return deletes, staying, list(hints.protected(sorted(spared), keep.unmatched))


def _is_managed(product: RemoteProduct, ledger: Ledger) -> bool:
    """Whether this ledger created or adopted a product; a create with a lost answer counts too."""
    return product.id in ledger.products or product.store_id in ledger.creates


def _near_misses(creates: Sequence[Create], catalog: Catalog, remote: Listing) -> Sequence[Finding]:
    if not creates:
        return ()
    remote_ids = (product.store_id for product in remote.products if product.store_id)
    return list(hints.differing_in_case(creates, remote_ids, catalog.products.__contains__))


def _blocked(matching: Matching, catalog: Catalog, selection: Selection) -> tuple[Blocked, ...]:
    def shown(block: Blocked) -> bool:
        product = catalog.products.get(block.store_id or "")
        if product is not None:
            return selection.declared(product)
        return selection.undeclared(block.store_id or "")

    blocked = [block for block in matching.blocked if not selection or shown(block)]
    return tuple(sorted(blocked, key=lambda b: (b.store_id or "", b.ids, b.reason)))
