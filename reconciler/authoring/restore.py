"""What deletes removed, as the catalogue would declare it again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.authoring.pull import New, new_product
from reconciler.errors import UnmatchedPattern
from reconciler.model import INDEX, Catalog, Finding, Product, Removed
from reconciler.remote.wire import products_of
from reconciler.wording import did_you_mean


@dataclass(slots=True)
class Returning:
    """The products that come back, as they were and as they will be declared.

    `declared` are those that do not, each with the product that stands for it in the catalogue.
    """

    products: list[Removed] = field(default_factory=list)
    new: list[New] = field(default_factory=list)
    declared: list[tuple[Removed, Product]] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)


def chosen(removed: Sequence[Removed], wanted: Sequence[str]) -> list[Removed]:
    """The newest delete of each store_id, or only what is `wanted`: store_ids, or remote ids.

    `removed` is sorted, the oldest first. Raises UnmatchedPattern for what is not in it.
    """
    newest = {product.store_id: product for product in removed}
    if not wanted:
        return [newest[store_id] for store_id in sorted(newest)]
    # A store_id wins over a remote id that reads the same.
    found = {product.id: product for product in removed} | newest
    unknown = [word for word in wanted if word not in found]
    if unknown:
        meant = did_you_mean(unknown[0], newest)
        raise UnmatchedPattern(
            f"No delete of {', '.join(map(repr, unknown))} is known.",
            hint=f"{meant}`reconciler show` lists what is known; --from JOURNAL reads a journal.",
        )
    return list({found[word].store_id: found[word] for word in wanted}.values())


def returning(products: Sequence[Removed], catalog: Catalog) -> Returning:
    """What becomes of each product that shall come back."""
    renamed = {p.renamed_from: p for p in catalog.products.values() if p.renamed_from}
    found = Returning()
    for product in products:
        # A product that declares its old store_id in `renamed_from` stands for that one too.
        other = catalog.products.get(product.store_id) or renamed.get(product.store_id)
        if other is not None:
            found.declared.append((product, other))
            continue
        new = _declared_again(product, found.warnings)
        if new is not None:
            found.products.append(product)
            found.new.append(new)
    return found


def _declared_again(product: Removed, warnings: list[Finding]) -> New | None:
    """The product as it was listed, with what the ledger knew of its write-only fields."""
    # Read as a list is read, so that dirty values mean the same in `restore` and in `pull`.
    (listed,) = products_of([{**product.record, "id": product.id, "store_id": product.store_id}])
    new = new_product(
        str(listed.id), listed.values, warnings, kind="removed", remedy="Declare it by hand."
    )
    if new is None:
        return None
    values = list(new.values)
    for key, value in product.written.items():
        # What was empty needs no line: a product is created without it.
        values[INDEX[key]] = value or None
    return New(new.id, tuple(values))
