"""The Ledger value: what this tool knows of a remote that the list does not tell.

One record per remote id (`Known`), one per create that is not listed yet (`Sent`), and which plans
were applied last. It stands on the lowest floor, and not in `ledger/` beside the stores that keep
it, because the pure planning floor reads it. It is immutable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.model.fields import INDEX, WRITE_ONLY, Value

_SLOT = {position: slot for slot, position in enumerate(WRITE_ONLY)}

LedgerKind: TypeAlias = Literal["file", "git"]
"""What keeps a ledger."""

# The ledger is read on every run, so this list must not grow with the history.
MOST_APPLIED: Final = 50
"""How many applied plans a ledger names."""


class State(StrEnum):
    """How a write-only value is known."""

    CONFIRMED = "confirmed"
    """Sent, and the call succeeded."""
    ASSUMED = "assumed"
    """Declared when the product was adopted; there was no reason to send it."""
    DOUBT = "doubt"
    """Sent, answer never seen: the remote holds either this or what was there before."""


class Entry(NamedTuple):
    """What is known of one write-only value."""

    value: Value
    state: State


Entries: TypeAlias = tuple[Entry | None, ...]
"""One slot per write-only field, in the order of WRITE_ONLY; None: nothing is known."""

NOTHING: Final[Entries] = (None,) * len(WRITE_ONLY)


class Kept(NamedTuple):
    """A value that the server took and does not show: it was sent `sent` and lists `kept`.

    For a write-only field `kept` is None: its call showed no effect. `since` is when that was last
    seen (ISO 8601, UTC), None in a ledger of an older version.
    """

    sent: Value
    kept: Value | None
    since: str | None = None


class Known(NamedTuple):
    """What is known of one remote id.

    `store_id` is the one that it was last sent as, and `came_from` the `renamed_from` that brought
    it there; both are recorded before the call. While the catalogue declares just this pair, the
    product stands for `store_id` however it is listed, so `renamed_from` left in the YAML never
    renames twice. That there is a Known at all says that this ledger created, adopted or applied
    the product (`prune: managed`). `missing` is when an apply first found that lists lack it
    (ISO 8601, UTC); a list that shows it clears that.
    """

    store_id: str
    entries: Entries = NOTHING
    # A default is shared by all records, so it must be read-only.
    kept: Mapping[str, Kept] = MappingProxyType({})
    came_from: str | None = None
    missing: str | None = None


class Sent(NamedTuple):
    """A create that was sent and is not listed yet.

    `at` is when it was sent, or answered if `id` is what the answer named (ISO 8601, UTC); None in
    a ledger of an older version.
    """

    entries: Entries = NOTHING
    at: str | None = None
    id: str | None = None
    came_from: str | None = None

    def may_be(self, id: str | None) -> bool:
        """Whether this create may have made the product `id`: it was answered with no other id."""
        return self.id is None or self.id == id


class Applied(NamedTuple):
    """A plan that was applied whole: from which commit, with which digest, and when."""

    commit: str | None
    digest: str
    at: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known of one store: products by remote id, creates by store_id."""

    products: Mapping[str, Known] = field(default_factory=dict)
    creates: Mapping[str, Sent] = field(default_factory=dict)
    applied: tuple[Applied, ...] = ()
    """The plans that were applied last, the newest at the end; at most MOST_APPLIED."""

    def __repr__(self) -> str:
        # A whole ledger in a log or a failed test would be megabytes.
        return f"<Ledger of {len(self.products)} products and {len(self.creates)} open creates>"

    def known(self, id: str, key: str) -> Entry | None:
        """What is known of the write-only field `key` of the product `id`."""
        known = self.products.get(id)
        return None if known is None else known.entries[_SLOT[INDEX[key]]]


def slot(key: str) -> int:
    """The index of the write-only field `key` within `Entries`."""
    return _SLOT[INDEX[key]]


class LedgerCommit(NamedTuple):
    """One commit in a ledger's history; `time` is ISO 8601 with its offset."""

    commit: str
    time: str
    author: str
    subject: str
    body: str
