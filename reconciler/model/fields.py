"""The field table: for each field its key, whether the list returns it, and how it compares.

Source: product-sync-api.txt, "List products" (what is returned) and "Create product", "Update
product" (what is accepted). Adding a field is one row here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

Value: TypeAlias = str | tuple[str, ...]
"""One field's value: text, or tags in canonical order."""

Values: TypeAlias = tuple[Value | None, ...]
"""A product's values, one per row of FIELDS. None: unmanaged (desired) or null (remote)."""


Body: TypeAlias = Mapping[str, Value]
"""The fields that one call sends."""


class Kind(Enum):
    """What a field holds, which decides how it is checked and compared."""

    TEXT = "text"
    URL = "url"
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the field table."""

    key: str
    """The name in YAML and in the bodies of the API."""
    kind: Kind
    readable: bool
    """Whether the list returns the field; otherwise it is write-only, and the ledger has it."""
    required: bool = False
    may_be_empty: bool = False
    """Whether "" is a legal value (it clears the field)."""
    title: str = ""
    example: Value = ""

    @property
    def empty(self) -> Value:
        """The value that clears the field."""
        return () if self.kind is Kind.TAGS else ""


FIELDS: Final = (
    Field(
        "store_id",
        Kind.TEXT,
        readable=True,
        required=True,
        title="The product's id in the shop; the product page passes it to the size script.",
        example="10482",
    ),
    Field(
        "name",
        Kind.TEXT,
        readable=True,
        required=True,
        title="The product's name as people read it.",
        example="Linen shirt",
    ),
    Field(
        "tags",
        Kind.TAGS,
        readable=True,
        may_be_empty=True,
        title="A set of tags; order and repeats do not count. An empty list clears them.",
        example=("linen", "summer"),
    ),
    Field(
        "image_url",
        Kind.URL,
        readable=False,
        may_be_empty=True,
        title="The URL of the product's picture. Empty text clears it. Never returned by the API.",
        example="https://cdn.shop/10482.jpg",
    ),
    Field(
        "type",
        Kind.TEXT,
        readable=False,
        title="The kind of garment, which decides how sizes are measured. Never returned.",
        example="top",
    ),
)

KEYS: Final = tuple(field.key for field in FIELDS)
# Values are tuples by position, since a million dicts would take far more memory.
INDEX: Final = {key: position for position, key in enumerate(KEYS)}
READABLE: Final = tuple(position for position, field in enumerate(FIELDS) if field.readable)
WRITE_ONLY: Final = tuple(position for position, field in enumerate(FIELDS) if not field.readable)


def canonical_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags as a set: without repeats, sorted by code point."""
    # Servers re-order tags: without one order a plan would never be empty (P1).
    return tuple(sorted(set(tags)))
