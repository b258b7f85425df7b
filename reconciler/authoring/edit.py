"""Edits a catalogue file: changes, removes and adds products, and touches no other text.

A pull is reviewed as a diff, so what did not drift must not show in it. The parser says which
characters hold a value, and those characters alone are replaced. The result, as the catalogue reads
it, must say exactly what was asked for, or nothing is written.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.authoring.edit_products import (
    appended,
    holds_products,
    moved_anchors,
    removal_edits,
)
from reconciler.authoring.edit_values import changed_fields, value_edits
from reconciler.codes import Code
from reconciler.errors import CatalogError
from reconciler.interpreter import paused
from reconciler.model import Finding, Location, Notes, Product, Values
from reconciler.yamltext.edits import Edit, FileText
from reconciler.yamltext.layout import Layout, NotLaidOutError

Reader = Callable[[bytes], Sequence[Product]]
"""Reads a file's bytes as the catalogue would, defaults included; CatalogError for faults."""

# Overriding a value that others share changes theirs, which is fixed in the next round.
_ROUNDS: Final = 4


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The edits of one file.

    `values` holds by store_id the new values of declared products, `gone` the store_ids of products
    to remove, `added` new products. Those in `renamed` get another store_id, and the one that they
    had as `renamed_from`.
    """

    file: str
    values: Mapping[str, Values]
    gone: Collection[str] = ()
    added: Sequence[Values] = ()
    renamed: Collection[str] = ()


def rewritten(rewrite: Rewrite, data: bytes, read: Reader) -> bytes | None:
    """The file's new bytes; None if no product is left in it.

    Raises CatalogError, with a finding that names the product, if the file cannot be edited
    without changing something else.
    """
    # Many small values and few cycles: the collector would walk them again and again.
    with paused():
        return _rewritten(rewrite, data, read)


def _rewritten(rewrite: Rewrite, data: bytes, read: Reader) -> bytes | None:
    before = read(data)
    wanted = {p.store_id: rewrite.values.get(p.store_id, p.values) for p in before}
    for store_id in rewrite.gone:
        del wanted[store_id]
    new = _changed(data, before, _Wanted(wanted, rewrite.renamed), read)
    # Comments alone are no reason to keep a file that declares nothing.
    if rewrite.gone and not wanted and not holds_products(Layout(FileText(new).text)):
        new = b""
    if rewrite.added:
        new = _with_added(new, rewrite.added) if new else _only_added(data, rewrite.added)
        _check_added(rewrite, read(new), _by_store_id([*wanted.values(), *rewrite.added]))
    return new or None


class _Wanted:
    """The wanted values of the products of one file, by store_id, and their renamed_from.

    A product that gets another store_id is found by both, since it is read again by the new one.
    """

    def __init__(self, values: Mapping[str, Values], renamed: Collection[str]) -> None:
        self.count = len(values)
        self.values = {**_by_store_id(values.values()), **values}
        self._new_ids = {store_id: str(v[0]) for store_id, v in values.items() if v[0] != store_id}
        self.renamed = frozenset(renamed)

    def renames(self, before: Sequence[Product]) -> dict[str, str | None]:
        """The renamed_from that each product shall have, by its old and by its new store_id."""
        renames = {
            product.store_id: product.store_id
            if product.store_id in self.renamed
            else product.renamed_from
            for product in before
        }
        return renames | {new: renames[old] for old, new in self._new_ids.items()}

    def notes(self, before: Sequence[Product]) -> dict[str, Notes]:
        """The notes that each product keeps, by its old and by its new store_id."""
        notes = {product.store_id: product.notes for product in before}
        return notes | {new: notes[old] for old, new in self._new_ids.items()}


def _with_added(data: bytes, added: Sequence[Values]) -> bytes:
    file = FileText(data)
    return file.edited([appended(file.text, added)])


def _only_added(before: bytes, added: Sequence[Values]) -> bytes:
    """A file of new products alone, with the line breaks of the file that it replaces."""
    return FileText(before).replaced(appended("", added).text)


def _by_store_id(added: Iterable[Values]) -> dict[str, Values]:
    return {str(values[0]): values for values in added}


def _changed(data: bytes, before: Sequence[Product], wanted: _Wanted, read: Reader) -> bytes:
    """`data` edited until its products say what is wanted; the others are taken out."""
    new, unmet = _attempts(data, before, wanted, read)
    if unmet is not None:
        culprit = _culprit(data, before, wanted, read) or unmet
        raise _refusal(culprit.store_id, culprit.location)
    return new


def _attempts(
    data: bytes, before: Sequence[Product], wanted: _Wanted, read: Reader
) -> tuple[bytes, Product | None]:
    # A move of an anchor may itself change what others say; the file may then be edited without.
    new, unmet = _attempt(data, before, wanted, read, move_anchors=True)
    if unmet is not None:
        new, unmet = _attempt(data, before, wanted, read, move_anchors=False)
    return new, unmet


def _culprit(
    data: bytes, before: Sequence[Product], wanted: _Wanted, read: Reader
) -> Product | None:
    """The product whose new values no edit can bring about; None if the fault lies elsewhere.

    The file that it breaks says nothing of the others, so an attempt alone cannot tell which it is.
    """
    said = {product.store_id: product.values for product in before}

    def fails(products: Sequence[Product]) -> bool:
        part = {product.store_id: wanted.values[product.store_id] for product in products}
        only = _Wanted(said | part, wanted.renamed & part.keys())
        return _attempts(data, before, only, read)[1] is not None

    changed = [p for p in before if wanted.values.get(p.store_id, p.values) != p.values]
    if not fails(changed):
        return None
    # Halved each time: a file may have many thousands, and each attempt reads all of it.
    while len(changed) > 1:
        half, rest = changed[: len(changed) // 2], changed[len(changed) // 2 :]
        changed = half if fails(half) else rest
    return changed[0]


def _attempt(
    data: bytes,
    products: Sequence[Product],
    wanted: _Wanted,
    read: Reader,
    *,
    move_anchors: bool,
) -> tuple[bytes, Product | None]:
    """The edited bytes, and None; or with a product that could not be made to say its values."""
    renames, notes = wanted.renames(products), wanted.notes(products)
    unmet: Product | None = None
    for _ in range(_ROUNDS):
        pending = (
            product
            for product in products
            if wanted.values.get(product.store_id) != product.values
            or product.renamed_from != renames.get(product.store_id)
            or product.notes != notes.get(product.store_id)
        )
        still = next(pending, None)
        # A product that vanished differs from nothing, so only its absence from the count tells.
        if still is None and len(products) == wanted.count:
            return data, None
        unmet = still or unmet
        try:
            file = FileText(data)
            layout = Layout(file.text)
            # Not by ruamel.yaml's round trip: it re-indents all lists, rewraps lines, respells
            # numbers and moves comments, and a reviewer would have to look for the drift in that.
            edits = _edits(layout, products, wanted.values, renames, move_anchors=move_anchors)
            data = file.edited(edits)
            # The catalogue's own reader judges the result, so no bug of an edit can reach a file.
            products = read(data)
        except (CatalogError, NotLaidOutError, ValueError):
            # The edit broke the file, or two edits met: the product that began it is the one to
            # name.
            break
    return data, unmet


def _edits(
    layout: Layout,
    products: Sequence[Product],
    wanted: Mapping[str, Values],
    renames: Mapping[str, str | None],
    *,
    move_anchors: bool,
) -> list[Edit]:
    """The edits of one round."""
    nodes = [node for document in layout.documents for node in document.products]
    aliased = _aliased(layout) if move_anchors else set()
    gone = []
    edits: list[Edit] = []
    for node, product in zip(nodes, products, strict=True):
        values = wanted.get(product.store_id)
        if values is None:
            gone.append(node)
        elif values != product.values:
            changes = changed_fields(product.values, values)
            before = renames.get(product.store_id)
            if before is not None and before != product.renamed_from:
                changes["renamed_from"] = before
            edits += value_edits(layout, node, changes, aliased)
    edits += removal_edits(layout, gone)
    return edits + moved_anchors(layout, edits) if move_anchors else edits


def _aliased(layout: Layout) -> set[str]:
    """The names of all anchors that an alias repeats."""
    # Few files have an alias, and a walk over all nodes takes much longer than this look.
    if "*" not in layout.text:
        return set()
    roots = [document.root for document in layout.documents if document.root]
    aliases = [node for root in roots for node in root.walk() if node.kind == "alias"]
    return {node.name for node in aliases if node.name}


def _check_added(rewrite: Rewrite, after: Sequence[Product], wanted: Mapping[str, Values]) -> None:
    """Raise CatalogError unless the file says what is wanted; defaults may add to new products."""
    said = {product.store_id: product for product in after}
    # Both ways: none may be missing, and none may have come along.
    for store_id in (*wanted, *said):
        product, values = said.get(store_id), wanted.get(store_id)
        if product is None or values is None or not _says(product, values):
            location = product.location if product else Location(rewrite.file, 1, 1)
            raise _refusal(store_id, location)


def _says(product: Product, values: Values) -> bool:
    """Whether the product says these values; if they are None it may inherit one."""
    pairs = zip(product.values, values, strict=True)
    return all(wanted is None or own == wanted for own, wanted in pairs)


def _refusal(store_id: str, location: Location) -> CatalogError:
    message = (
        f"{store_id} cannot be edited here without changing something else. Write its values out "
        "if anchors or merge keys are in the way, then pull again."
    )
    return CatalogError(
        [Finding("error", Code.CANNOT_EDIT, message, location)], hint="Nothing was written."
    )
