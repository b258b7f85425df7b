"""What the catalogue declares: Product, with the Location of everything, and the Catalog."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.codes import Code
from reconciler.model.fields import INDEX, Value, Values
from reconciler.model.names import Names

Severity: TypeAlias = Literal["error", "warning"]

COLUMN_BITS: Final = 32
"""How many bits of a packed place its column takes."""
_COLUMN_MASK: Final = (1 << COLUMN_BITS) - 1


class Location(NamedTuple):
    """A place in a catalogue file: line and column are 1-based and count characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def pack_place(line: int, column: int) -> int:
    """A 1-based line and column in one number, so that a product's many places stay small."""
    return line << COLUMN_BITS | column


def first_line(place: int) -> int:
    """What to add to a packed place whose lines count from that of `place`, to count from 1."""
    return place & ~_COLUMN_MASK


def unpack_place(file: str, place: int) -> Location:
    """The Location that `pack_place` folded into `place`."""
    return Location(file, place >> COLUMN_BITS, place & _COLUMN_MASK)


class Finding(NamedTuple):
    """One fault or warning, with the place where it can be fixed, if it has one."""

    severity: Severity
    code: Code
    message: str
    location: Location | None = None


class Product(NamedTuple):
    """One desired product, as declared in YAML.

    `values` has one entry per row of FIELDS, None if the field is unmanaged. `place` is that of
    the product's first key. `places` holds, in the order of the values, where each value written in
    the product itself stands (0: inherited from defaults, or absent), and last `renamed_from`; as
    packed places whose lines count from the product's first, so that products written alike
    share one tuple, and a catalogue of a million products holds a handful of them.
    """

    values: Values
    file: str
    place: int
    places: tuple[int, ...]
    renamed_from: str | None = None

    @property
    def store_id(self) -> str:
        """The shop's id, which every declared product has."""
        return self.values[0]  # type: ignore[return-value]  # the reader guarantees text

    @property
    def name(self) -> str:
        """The declared name, which every declared product has."""
        return self.values[1]  # type: ignore[return-value]  # the reader guarantees text

    def value(self, key: str) -> Value | None:
        """The declared value of `key`, or None if the field is unmanaged."""
        return self.values[INDEX[key]]

    @property
    def location(self) -> Location:
        """Where the product is declared: its first key."""
        return unpack_place(self.file, self.place)

    def location_of(self, key: str) -> Location:
        """Where `key` (a field or "renamed_from") is written; the product where inherited."""
        position = -1 if key == "renamed_from" else INDEX[key]
        return unpack_place(self.file, self.place_of(position))

    def place_of(self, position: int) -> int:
        """The packed place of the value at `position` (-1: renamed_from); the product's if none."""
        relative = self.places[position] if self.places else 0
        return relative + first_line(self.place) if relative else self.place


@dataclass(frozen=True, slots=True)
class Catalog:
    """All desired products, unique by store_id, in the order of their files.

    `digest` changes when any file's name or bytes change. `warnings` are findings that do not
    stop a plan. `unused_defaults` are declared defaults, each field with its place, that no product
    takes. `names` tells what its files are called, and where its folder is.
    """

    products: Mapping[str, Product]
    files: tuple[str, ...] = ()
    digest: str = ""
    warnings: tuple[Finding, ...] = ()
    commit: str | None = None
    dirty: bool | None = None
    unused_defaults: tuple[tuple[str, Location], ...] = ()
    names: Names = field(default=Names("catalog"), compare=False)

    @classmethod
    def of(cls, *products: Product) -> "Catalog":
        """A catalogue of these products, for callers that have no files."""
        return cls(MappingProxyType({product.store_id: product for product in products}))
