"""From documents to products: the shapes of a file, its defaults, and what a product may say.

A document is one product (a mapping of fields) or many (`products:`, and optionally `defaults:`
for the products of that document). Defaults may hold every field but `store_id` and
`renamed_from`, which belong to one product; a shared `name` is allowed, since shops do sell
variants under one name. Nothing is merged: the nearest value of a field wins whole.
"""

from typing import Any, Final, NamedTuple

from ruamel.yaml.events import ScalarEvent

from reconciler.catalog.values import POSITIONS, ROWS, Checks, Interned, Written, is_note
from reconciler.codes import Code
from reconciler.model import (
    COLUMN_BITS,
    FIELDS,
    KEYS,
    Notes,
    Product,
    Value,
    first_line,
    unpack_location,
)
from reconciler.wording import nearest_word
from reconciler.yamltext.events import Composer
from reconciler.yamltext.findings import Faults
from reconciler.yamltext.nodes import (
    Map,
    Mark,
    Node,
    Repeat,
    Seq,
    fields_of,
    is_nothing,
    is_null,
    start_of,
)
from reconciler.yamltext.source import Source


class Defaults(NamedTuple):
    """One value per row of FIELDS, None if there is no default, and the location of each.

    `notes` are the shop's own keys.
    """

    values: tuple[Value | None, ...]
    written: tuple[Written | None, ...]
    notes: Notes = ()


NO_DEFAULTS: Final = Defaults((None,) * len(FIELDS), (None,) * len(FIELDS))

_SHAPE: Final = ("products", "defaults")
_OF_PRODUCT: Final = tuple(row.key for row in ROWS)
_OF_ONE_PRODUCT: Final = frozenset({"store_id", "renamed_from"})
# Most products have one of a few shapes; a catalogue that never repeats one must not fill memory.
_MOST_SHAPES: Final = 10_000
_NO_VALUES: Final[list[Value | None]] = [None] * len(ROWS)
_NO_OFFSETS: Final = [0] * len(ROWS)
_REQUIRED: Final = tuple(position for position, field in enumerate(FIELDS) if field.required)


def nearest(near: Defaults, far: Defaults) -> Defaults:
    """For each field the near value if there is one, else the far one."""
    return Defaults(
        tuple([f if n is None else n for n, f in zip(near.values, far.values, strict=True)]),
        tuple([n or f for n, f in zip(near.written, far.written, strict=True)]),
        _joined(near.notes, far.notes),
    )


def _joined(near: Notes, far: Notes) -> Notes:
    """The notes of both; of one key the near one."""
    return tuple(sorted({**dict(far), **dict(near)}.items())) if near and far else near or far


class FileReader:
    """Reads the products, or the defaults, of one file."""

    def __init__(
        self, faults: Faults, interned: Interned, defaults: Defaults = NO_DEFAULTS
    ) -> None:
        self._faults = faults
        self._file = faults.file
        self._defaults = defaults
        checks = Checks(faults, interned)
        self._checks, self._check_note = checks.checks, checks.note
        self._interned = interned
        self._shapes = interned.shapes

    def products(self, source: Source) -> list[Product]:
        """The products of every document, completed with their defaults."""
        products: list[Product] = []
        for root in Composer(source, self._faults, self._product).documents():
            products += self._document(root)
        return products

    def folder_defaults(self, source: Source) -> Defaults:
        """The values of a `_defaults.yaml`, which is one mapping of fields."""
        roots = list(Composer(source, self._faults).documents())
        # Defaults in a second document would else be ignored without a word.
        for extra in roots[1:]:
            message = "A second document of defaults. Put all defaults into the first."
            self._faults.error(Code.WRONG_KIND, message, start_of(extra))
        if not roots or is_nothing(roots[0]):
            return NO_DEFAULTS
        return self._defaults_in(roots[0])

    def _document(self, root: Node) -> list[Product]:
        """The products of one document, of whichever shape."""
        if is_nothing(root):
            return []
        if isinstance(root, Map):
            # `defaults` alone also says that many were meant, and the fault is told better there.
            if any(key.value in _SHAPE for key in root.items[::2]):
                return self._many(root)
            return [self._complete(self._product(root.items, root.start_mark), self._defaults)]
        message = "A document is a product: fields with values, such as `name: Linen shirt`."
        if isinstance(root, Seq):
            message = "A document is a list. Write `products:` above it."
        self._faults.error(Code.WRONG_KIND, message, start_of(root))
        return []

    def _many(self, root: Map) -> list[Product]:
        """The products of a document with `products:`."""
        fields = fields_of(root, self._faults)
        for text, (key, _) in fields.items():
            if text not in _SHAPE:
                self._report_unknown(key, _SHAPE)
        defaults = self._defaults
        if "defaults" in fields:
            defaults = nearest(self._defaults_in(fields["defaults"][1]), defaults)
        if "products" not in fields:
            message = "defaults without products. Add `products:` with a list of products."
            self._faults.error(Code.MISSING_FIELD, message, start_of(root.items[0]))
            return []
        found = fields["products"][1]
        if not isinstance(found, Seq):
            code = Code.EMPTY_VALUE if is_null(found) else Code.WRONG_KIND
            message = "products is not a list. Put `- ` before each; `products: []` declares none."
            self._faults.error(code, message, start_of(found))
            return []
        # Most products lack nothing that defaults could give, and are passed on untouched.
        complete, lacking = self._complete, bool(defaults.notes)
        return [
            complete(product, defaults) if lacking or None in product.values else product
            for product in self._entries(found)
        ]

    def _entries(self, found: Seq) -> list[Product]:
        """The entries of a list of products; most were read as the parser passed them."""
        products: list[Product] = []
        for item in found.items:
            if isinstance(item, Product):
                products.append(item)
            elif isinstance(item, Repeat):
                products.append(self._repeated(item))
            elif isinstance(item, Map):
                products.append(self._product(item.items, item.start_mark))
            else:
                code = Code.EMPTY_VALUE if is_null(item) else Code.WRONG_KIND
                message = "A product has no fields. Write them after the dash, or remove it."
                self._faults.error(code, message, start_of(item))
        return products

    def _repeated(self, node: Repeat) -> Product:
        """The product that an alias declares once more: its values stand at the alias."""
        product = self._product(node.items, node.start_mark)
        # A finding about the repeat must not name the anchor's line, which is right.
        own = start_of(node) - first_line(product.at)
        return product._replace(offsets=tuple([own if at else 0 for at in product.offsets]))

    def _product(self, items: list[Any], begins: Mark) -> Product:
        """The product that keys and values by turns declare, without defaults."""
        checks = self._checks
        values, offsets = _NO_VALUES[:], _NO_OFFSETS[:]
        start = items[0].start_mark if items else begins
        # Offsets are relative to the product, so that products of one shape share them.
        first = start.line
        pairs = iter(items)
        for key, value in zip(pairs, pairs, strict=False):  # a test of each length is felt here
            position = POSITIONS.get(key.value)
            # A key that is unknown, or there already: the careful way tells it, and reads from the
            # start.
            if position is None or offsets[position]:
                return self._careful_product(Map(items, begins))
            mark = value.start_mark
            # What pack_location does: a call for each value of a catalogue is felt as well.
            offsets[position] = (mark.line - first) << COLUMN_BITS | (mark.column + 1)
            values[position] = checks[position](value)
        return self._made((first + 1) << COLUMN_BITS | (start.column + 1), values, tuple(offsets))

    def _careful_product(self, node: Map) -> Product:
        """As `_product`, for a mapping with notes, merges, unknown or repeated keys."""
        values, offsets = _NO_VALUES[:], _NO_OFFSETS[:]
        notes: dict[str, Value] = {}
        at = start_of(node.items[0] if node.items else node)
        for text, (key, value) in fields_of(node, self._faults).items():
            position = POSITIONS.get(text)
            if is_note(text):
                self._note(text, value, notes)
            elif position is None:
                self._report_unknown(key, _OF_PRODUCT)
            else:
                offsets[position] = start_of(value) - first_line(at)
                values[position] = self._checks[position](value)
        product = self._made(at, values, tuple(offsets))
        return product._replace(notes=self._interned_notes(notes)) if notes else product

    def _note(self, key: str, value: Node, notes: dict[str, Value]) -> None:
        """Take in one of the shop's own keys, unless its value is at fault."""
        note = self._check_note(key, value)
        if note is not None:
            notes[key] = note

    def _interned_notes(self, notes: dict[str, Value]) -> Notes:
        by_key = tuple(sorted(notes.items()))
        return self._interned.notes.setdefault(by_key, by_key)

    def _made(self, at: int, values: list[Value | None], offsets: tuple[int, ...]) -> Product:
        # Its row stands last in ROWS, so what is left are the fields.
        renamed_from: str | None = values.pop()  # type: ignore[assignment]  # its row is text
        shapes = self._shapes
        if len(shapes) > _MOST_SHAPES:
            shapes.clear()
        shape = shapes.setdefault(offsets, offsets)
        return Product(tuple(values), self._file, at, shape, renamed_from)

    def _complete(self, product: Product, defaults: Defaults) -> Product:
        """`product` with its defaults; what it still lacks is reported."""
        values = tuple(
            [d if v is None else v for v, d in zip(product.values, defaults.values, strict=True)]
        )
        for position, default in enumerate(defaults.written):
            # A default that nobody takes is told, since it is mostly a slip.
            if default is not None and not default.used and product.values[position] is None:
                default.used = True
        for position in _REQUIRED:
            # An offset without a value is that of a value that was reported already.
            if values[position] is None and not product.offsets[position]:
                message = f"A product without {KEYS[position]}. Add `{KEYS[position]}:` to it."
                self._faults.error(Code.MISSING_FIELD, message, product.at)
        # Notes are never sent, but rules of the shop may choose products by them.
        notes = _joined(product.notes, defaults.notes)
        return product._replace(values=values, notes=self._interned.notes.setdefault(notes, notes))

    def _defaults_in(self, node: Node) -> Defaults:
        """The defaults that `node` declares."""
        if not isinstance(node, Map):
            code = Code.EMPTY_VALUE if is_null(node) else Code.WRONG_KIND
            message = "defaults is not a mapping of fields. Write it as `defaults: {type: top}`."
            self._faults.error(code, message, start_of(node))
            return NO_DEFAULTS
        values: list[Value | None] = [None] * len(FIELDS)
        written: list[Written | None] = [None] * len(FIELDS)
        notes: dict[str, Value] = {}
        allowed = tuple(key for key in KEYS if key not in _OF_ONE_PRODUCT)
        for text, (key, value) in fields_of(node, self._faults).items():
            if text in allowed:
                position = POSITIONS[text]
                values[position] = self._checks[position](value)
                at = unpack_location(self._file, start_of(value))
                written[position] = default = Written(text, at)
                self._interned.written.append(default)
            elif is_note(text):
                self._note(text, value, notes)
            elif text in _OF_ONE_PRODUCT:
                message = f"{text} cannot be a default. Move it to the product that it belongs to."
                self._faults.error(Code.UNKNOWN_FIELD, message, start_of(key))
            else:
                self._report_unknown(key, allowed)
        return Defaults(tuple(values), tuple(written), self._interned_notes(notes))

    def _report_unknown(self, key: ScalarEvent, allowed: tuple[str, ...]) -> None:
        """Report a key that has no meaning there, and the one that was probably meant."""
        # Lower case: `Name` is the likeliest slip of all.
        near = nearest_word(key.value.lower(), (*allowed, *_SHAPE))
        if key.value in POSITIONS:
            remedy = "It belongs into a product, below `products:`."
        elif key.value in _SHAPE:
            remedy = "It belongs at the top of a file of products."
        elif near:
            remedy = f"Did you mean {near}?"
        else:
            remedy = "Remove it."
        message = f"Unknown field {key.value!r}. {remedy} Known here: {', '.join(allowed)}."
        self._faults.error(Code.UNKNOWN_FIELD, message, start_of(key))
