"""The desired state: Product, with the Location of each of its values, and Catalog."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.model.fields import INDEX, Value, Values
from reconciler.model.names import Names

Severity: TypeAlias = Literal["error", "warning"]

COLUMN_BITS: Final = 32
"""The number of bits for the column in a packed location."""
_COLUMN_MASK: Final = (1 << COLUMN_BITS) - 1


NOTE_PREFIX: Final = "x-"
"""How the keys of a product begin that are the shop's own."""

Notes: TypeAlias = tuple[tuple[str, Value], ...]
"""The shop's own keys of a product (`x-owner`) with their values, by key. They are never sent."""


class Location(NamedTuple):
    """A position in a catalogue file; line and column are 1-based and count characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def pack_location(line: int, column: int) -> int:
    """A 1-based line and column packed into one integer, to save memory."""
    return line << COLUMN_BITS | column


def first_line(at: int) -> int:
    """The number to add to an offset from the line of `at`, to make it absolute."""
    return at & ~_COLUMN_MASK


def unpack_location(file: str, at: int) -> Location:
    """The Location of an integer from `pack_location`."""
    return Location(file, at >> COLUMN_BITS, at & _COLUMN_MASK)


class Finding(NamedTuple):
    """One error or warning, with the location of what to fix, if there is one.

    `code` is a Code, or the name of one of the shop's own rules.
    """

    severity: Severity
    code: str
    message: str
    location: Location | None = None


class Product(NamedTuple):
    """One desired product, as declared in YAML.

    `values` has one entry per row of FIELDS, None if the field is unmanaged. `at` is the packed
    location of the product's first key. `offsets` holds the packed location of each value, in the
    order of the values, and last that of `renamed_from`; 0 if it is inherited or absent. Their
    lines count from the product's first line, so that products of one layout share one tuple: a
    million products need only a few. `notes` are the shop's own keys.
    """

    values: Values
    file: str
    at: int
    offsets: tuple[int, ...]
    renamed_from: str | None = None
    notes: Notes = ()

    @property
    def store_id(self) -> str:
        """The shop's id, which every declared product has."""
        return self.values[0]  # type: ignore[return-value]  # the reader guarantees text

    @property
    def name(self) -> str:
        """The declared name, which every declared product has."""
        return self.values[1]  # type: ignore[return-value]  # the reader guarantees text

    def value(self, key: str) -> Value | None:
        """The declared value of `key`, a field or a note; None if it is not declared."""
        if key.startswith(NOTE_PREFIX):
            return dict(self.notes).get(key)
        return self.values[INDEX[key]]

    @property
    def location(self) -> Location:
        """The location of the product's first key."""
        return unpack_location(self.file, self.at)

    def location_of(self, key: str) -> Location:
        """The location of `key` (a field or "renamed_from"); of the product if it is inherited."""
        # The offset of `renamed_from` comes last, since the field table has no row for it.
        position = -1 if key == "renamed_from" else INDEX[key]
        return unpack_location(self.file, self.packed_at(position))

    def packed_at(self, position: int) -> int:
        """The packed location of the value at `position` (-1: renamed_from), or the product's."""
        # A product that a caller made without a file has no offsets at all.
        offset = self.offsets[position] if self.offsets else 0
        return offset + first_line(self.at) if offset else self.at


@dataclass(frozen=True, slots=True)
class Catalog:
    """All desired products, unique by store_id, in the order of their files.

    `digest` changes when any file's name or bytes change. `warnings` are findings that do not
    stop a plan. `unused_defaults` holds each field of a `_defaults.yaml` that no product inherits,
    with its location. `names` gives the names of its files in messages.
    """

    products: Mapping[str, Product]
    files: tuple[str, ...] = ()
    digest: str = ""
    warnings: tuple[Finding, ...] = ()
    commit: str | None = None
    dirty: bool | None = None
    unused_defaults: tuple[tuple[str, Location], ...] = ()
    # Not compared: the same catalogue read from another folder is still the same.
    names: Names = field(default=Names("catalog"), compare=False)

    def __repr__(self) -> str:
        # A failed test or a session would else print every product.
        return f"<Catalog {self.names.root!r} of {len(self.products)} products>"

    @classmethod
    def of(cls, *products: Product) -> "Catalog":
        """A catalogue of these products, for callers without files."""
        return cls(MappingProxyType({product.store_id: product for product in products}))
