"""Finds the exact location of a value, by reading its file once more.

A product knows the location of its own values, but not those of its single tags, its notes, or the
defaults that it inherits. They are looked for only if something is wrong with them, so that a sound
catalogue does not pay for it.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from reconciler.catalog.files import is_defaults
from reconciler.linting.values import at_product
from reconciler.model import INDEX, Location, Names, Product, unpack_location
from reconciler.yamltext.events import Composer
from reconciler.yamltext.findings import Faults, Findings
from reconciler.yamltext.nodes import Map, Node, Seq, fields_of, start_of
from reconciler.yamltext.source import decode

ReadFile = Callable[[str], bytes | None]
"""The bytes of a file by its path below the catalogue's folder; None if it cannot be read."""


class _Declared(NamedTuple):
    """A product's own mapping, and the mapping of the defaults in its document."""

    own: Map
    defaults: Map | None


class Locator:
    """Locates values of the catalogue whose files `read` gives.

    `below` holds the paths of the files below the catalogue's folder. The last file is kept as it
    was read, since findings come file by file.
    """

    def __init__(self, names: Names, below: tuple[str, ...], read: ReadFile) -> None:
        self._names = names
        self._read = read
        self._folder_defaults = {
            path.rpartition("/")[0]: path for path in below if is_defaults(path)
        }
        self._defaults: dict[str, Map | None] = {}
        self._file: tuple[str, dict[int, _Declared]] = "", {}

    def __call__(self, product: Product, key: str, text: str | None) -> Location:
        """The location of a product's value; of its entry `text`, if it is a list."""
        known = at_product(product, key, text)
        own = key in INDEX and bool(product.offsets) and bool(product.offsets[INDEX[key]])
        if product.value(key) is None or (own and not isinstance(product.value(key), tuple)):
            return known
        for file, mapping in self._mappings(product):
            pair = fields_of(mapping, Faults(file, Findings())).get(key)
            if pair is not None:
                return unpack_location(file, _entry_at(pair[1], text))
        return known

    def _mappings(self, product: Product) -> Iterator[tuple[str, Map]]:
        """The mappings that may say a product's value, the nearest first, with their files."""
        below = self._names.below(product.file)
        if below is None:
            return
        # Only the last file is kept: all of them at once would be the catalogue as nodes.
        if self._file[0] != below:
            self._file = below, dict(self._products(below))
        declared = self._file[1].get(product.at)
        if declared is None:
            return
        yield product.file, declared.own
        if declared.defaults is not None:
            yield product.file, declared.defaults
        folder = below
        while folder:
            folder = folder.rpartition("/")[0]
            path = self._folder_defaults.get(folder)
            if path is not None and (mapping := self._defaults_in(path)) is not None:
                yield self._names.of(path), mapping

    def _products(self, below: str) -> Iterator[tuple[int, _Declared]]:
        """The products of a file by the packed location of their first key."""
        for root in self._roots(below):
            if not isinstance(root, Map):
                continue
            keys = {key.value: value for key, value in _pairs(root)}
            listed, defaults = keys.get("products"), keys.get("defaults")
            items = listed.items if isinstance(listed, Seq) else [root]
            shared = defaults if isinstance(defaults, Map) else None
            for item in items:
                if isinstance(item, Map) and item.items:
                    yield start_of(item.items[0]), _Declared(item, shared)

    def _defaults_in(self, below: str) -> Map | None:
        if below not in self._defaults:
            root = next(self._roots(below), None)
            self._defaults[below] = root if isinstance(root, Map) else None
        return self._defaults[below]

    def _roots(self, below: str) -> Iterator[Node]:
        """The documents of a file; its faults were told when it was read first."""
        # Thrown away: these faults were told when the file was first read.
        faults = Faults(self._names.of(below), Findings())
        data = self._read(below)
        source = None if data is None else decode(data, faults)
        if source is not None:
            yield from Composer(source, faults).documents()


def _pairs(node: Map) -> Iterator[tuple[Node, Node]]:
    return zip(node.items[::2], node.items[1::2], strict=True)


def _entry_at(value: Node, text: str | None) -> int:
    """The packed location of an entry in a list, or of the value if it has no such entry."""
    for item in value.items if isinstance(value, Seq) else ():
        if item.value == text:
            return start_of(item)
    return start_of(value)
