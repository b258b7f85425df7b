"""Compares the products of an export with those that are declared.

Unlike a pull, an import also brings fields that a product does not declare yet; `fields` says
which. The remote and the ledger play no part.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from reconciler.authoring.imports.export import ID_AT, ExportFaults
from reconciler.authoring.imports.values import Imported
from reconciler.authoring.pull import CatalogEdits, New, new_product, with_values
from reconciler.codes import Code
from reconciler.model import INDEX, Catalog, Product, Values
from reconciler.planning.hints import warning
from reconciler.wording import few

_NAME: Final = INDEX["name"]
_IMAGE: Final = INDEX["image_url"]
_KIND: Final = "exported"
_REMEDY: Final = "Fix it in the shop, then import again."

_Item = TypeVar("_Item")


def compare_export(
    catalog: Catalog,
    products: Mapping[str, Imported],
    fields: Collection[str],
    *,
    renames: bool,
) -> CatalogEdits:
    """What an import of `products` would change; `gone` are declared products that they lack.

    A product that seems to have another store_id now is renamed if `renames` is set, and reported
    if not. It is not `gone`: a delete and a create would lose what was entered by hand.
    """
    found = CatalogEdits()
    managed = [INDEX[key] for key in fields]
    before = {p.renamed_from: p for p in catalog.products.values() if p.renamed_from is not None}
    undeclared: dict[str, Imported] = {}
    met: set[str] = set()
    for store_id, imported in products.items():
        # Until its rename is applied, a product is exported under its old store_id.
        product = catalog.products.get(store_id) or before.get(store_id)
        if product is None:
            undeclared[store_id] = imported
        elif product.store_id != store_id and product.store_id in products:
            message = (
                f"{store_id} is left out: {product.store_id}, which the export has too, is "
                "declared as renamed from it. If it is another product, remove that renamed_from."
            )
            found.warnings.append(
                warning(Code.RENAME_STILL_DECLARED, message, product.location_of("renamed_from"))
            )
        else:
            met.add(product.store_id)
            _change(product, imported, managed, found)
    gone = [p for store_id, p in catalog.products.items() if store_id not in met]
    like_others: set[str] = set()
    for product, store_id, what in list(_alike(gone, undeclared)):
        like_others.add(product.store_id)
        if renames and product.renamed_from is None:
            _rename(product, undeclared.pop(store_id), managed, found)
        else:
            _propose(product, undeclared[store_id], what, found)
    found.gone = [product for product in gone if product.store_id not in like_others]
    _add(undeclared, found)
    return found


def _change(
    product: Product, imported: Imported, managed: Sequence[int], found: CatalogEdits
) -> None:
    said = [position for position in managed if imported.values[position] is not None]
    values = with_values(product, imported.values, said, found.warnings, kind=_KIND)
    if values != product.values:
        found.values[product.store_id] = values


def _rename(
    product: Product, imported: Imported, managed: Sequence[int], found: CatalogEdits
) -> None:
    _change(product, imported, [ID_AT, *managed], found)
    found.renamed.add(product.store_id)


def _propose(product: Product, imported: Imported, what: str, found: CatalogEdits) -> None:
    """Tell of a product that seems to have another store_id now."""
    old, new = product.store_id, str(imported.values[ID_AT])
    message = (
        f"{old} (declared, not in the export) and {new} (at {imported.location}, not declared) "
        f"have the same {what}. "
    )
    if product.renamed_from is None:
        message += (
            f"If they are one product, --renames writes `renamed_from: {json.dumps(old)}`: its "
            "size chart, fabric and fit data then survive."
        )
    else:
        message += (
            "If they are one product, apply its renamed_from first and remove it, then import with "
            "--renames."
        )
    message += f" If they are two, remove {old} by hand: --prune leaves it."
    found.warnings.append(warning(Code.LOOKS_LIKE_RENAME, message, product.location))


def _add(undeclared: Mapping[str, Imported], found: CatalogEdits) -> None:
    """Add new products; those without a name are left out, and reported in one warning."""
    nameless: list[str] = []
    for store_id, imported in undeclared.items():
        if imported.values[_NAME] is None:
            nameless.append(store_id)
            continue
        new = _new(store_id, imported.values, found)
        if new is not None:
            found.new.append(new)
    if nameless:
        message = f"The export has no name for {few(nameless)}: left out. {_REMEDY}"
        found.warnings.append(warning(Code.NOT_WRITABLE, message))


def _new(store_id: str, values: Values, found: CatalogEdits) -> New | None:
    said = [position for position, value in enumerate(values) if value is not None]
    return new_product(store_id, values, found.warnings, positions=said, kind=_KIND, remedy=_REMEDY)


def _alike(
    gone: Sequence[Product], undeclared: Mapping[str, Imported]
) -> Iterator[tuple[Product, str, str]]:
    """Pairs of a product that is gone and the store_id of a new one like it, and what they share.

    Only if no third product shares it too: many garments have the same name.
    """
    told: set[str] = set()
    # The picture first: it is more often a garment's own than the name is.
    for what, key in (("picture", _picture), ("name", _folded_name)):
        old = _unique((key(p.values), p) for p in gone if p.store_id not in told)
        new = _unique((key(undeclared[id].values), id) for id in undeclared if id not in told)
        pairs = [(product, new[like]) for like, product in old.items() if like in new]
        for product, store_id in pairs:
            told |= {product.store_id, store_id}
            yield product, store_id, what


def _unique(pairs: Iterable[tuple[str, _Item]]) -> dict[str, _Item]:
    """The items by their key, without those that share a key, and without the key ""."""
    found: dict[str, _Item] = {}
    twice: set[str] = set()
    for key, item in pairs:
        if key in found:
            twice.add(key)
        elif key:
            found[key] = item
    return {key: item for key, item in found.items() if key not in twice}


def _picture(values: Values) -> str:
    # A query names a version or a size of the same picture.
    return str(values[_IMAGE] or "").partition("?")[0].partition("#")[0]


def _folded_name(values: Values) -> str:
    return str(values[_NAME] or "").casefold().strip()


def report_lost_zeros(
    catalog: Catalog, products: Mapping[str, Imported], faults: ExportFaults
) -> None:
    """Report ids that equal a declared id but for zeros at its beginning."""
    # A spreadsheet drops the zeros; imported, `482` would be a second product beside `00482`.
    padded = {
        store_id.lstrip("0"): product
        for store_id, product in catalog.products.items()
        if store_id[:1] == "0" and store_id.isdecimal() and store_id not in products
    }
    for store_id in products.keys() & padded.keys():
        if store_id not in catalog.products:
            product = padded[store_id]
            file, row, column = products[store_id].location
            message = (
                f"The id {store_id} lost its zeros: {product.store_id} is declared at "
                f"{product.location}. Import the shop's own file, which no spreadsheet has saved."
            )
            faults.error(message, file, row, column)
