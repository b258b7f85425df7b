"""The Ledger value: what this tool last wrote to fields the API never returns.

It stands on the lowest floor, and not in `ledger/` beside the places where it is kept, because the
pure planning floor reads it. It never changes in place: each method that records something
returns a new Ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from reconciler.model.fields import INDEX, WRITE_ONLY, Value

_SLOT = {position: slot for slot, position in enumerate(WRITE_ONLY)}


class State(StrEnum):
    """How a remembered value is known."""

    CONFIRMED = "confirmed"
    """Sent, and the call succeeded."""
    ASSUMED = "assumed"
    """Declared when the product was adopted; there was no reason to send it."""
    DOUBT = "doubt"
    """Sent, answer never seen: the remote holds either this or what was there before."""


class Entry(NamedTuple):
    """One remembered write-only value."""

    value: Value
    state: State


class Kept(NamedTuple):
    """A value that the server normalises: it accepted `sent` and keeps `kept`."""

    sent: Value
    kept: Value | None


class Remembered(NamedTuple):
    """What is remembered of one remote id.

    `entries` has one slot per write-only field, in the order of WRITE_ONLY; `kept` is keyed by
    field. That there is a Remembered at all says that this ledger created, adopted or applied the
    product (`prune: managed`).
    """

    store_id: str
    entries: tuple[Entry | None, ...]
    kept: Mapping[str, Kept] = MappingProxyType({})


class Link(NamedTuple):
    """One rename: the product `id` goes from store_id `before` to `after`.

    Without an id it is the product that a create made there, since the remote had no `before`.
    """

    id: str
    before: str
    after: str


class Ring(NamedTuple):
    """A ring of renames (a swap is a ring of two) that was begun, and perhaps finished.

    Once begun, each product belongs to its target store_id for as long as the catalogue declares
    the same ring: `renamed_from` left in the YAML never swaps back, and a crash between two links
    never leaves a product unclaimed. A rename that is part of no ring stands alone, as one link:
    what it brought to a store_id is never what another `renamed_from` takes from there.
    """

    links: tuple[Link, ...]


NOTHING: tuple[Entry | None, ...] = (None,) * len(WRITE_ONLY)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The memory of one store: by remote id, and creates in doubt by store_id."""

    products: Mapping[str, Remembered] = field(default_factory=dict)
    creates: Mapping[str, tuple[Entry | None, ...]] = field(default_factory=dict)
    """Creates whose answer was not seen when the ledger was last written, by store_id."""
    rings: tuple[Ring, ...] = ()
    """The renames that were begun, until the catalogue declares them no more."""

    def known(self, id: str, key: str) -> Entry | None:
        """What is remembered of the write-only field `key` of the product `id`."""
        remembered = self.products.get(id)
        return None if remembered is None else remembered.entries[_SLOT[INDEX[key]]]


def slot(key: str) -> int:
    """The place of the write-only field `key` within `Remembered.entries`."""
    return _SLOT[INDEX[key]]
