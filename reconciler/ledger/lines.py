"""The lines of a ledger, read one after the other and checked strictly.

A key or a field that is not known is an error: passed over, it would be lost on the next write.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from reconciler.model import (
    KEYS,
    MOST_APPLIED,
    NOTHING,
    WRITE_ONLY,
    Applied,
    Entries,
    Entry,
    Kept,
    Known,
    Ledger,
    Sent,
    State,
    Value,
)

SLOTS: Final = {KEYS[position]: number for number, position in enumerate(WRITE_ONLY)}
_STATES: Final = {str(state): state for state in State}
_NO_KEPT: Final[Mapping[str, Kept]] = MappingProxyType({})
# How many keys the line of most products has.
_PLAIN: Final = 3
# What format 1 called a product that stood aside for a ring of renames.
_PARKED: Final = "~moving-"
# A longer value (an address) is rarely that of another product too.
_SHARED: Final = 32


class LineFault(ValueError):
    """What is wrong with one line."""


class LineReader:
    """Takes one record after the other; equal short entries become one object."""

    def __init__(self) -> None:
        self._products: dict[str, Known] = {}
        self._creates: dict[str, Sent] = {}
        self._applied: list[Applied] = []
        self._links: list[tuple[str, str, str]] = []
        self._entries: dict[tuple[Value, str], Entry] = {}

    def ledger(self) -> Ledger:
        """All that was taken."""
        ids = {known.store_id: id for id, known in self._products.items()} if self._links else {}
        for id, before, after in self._links:
            self._take_link(id or ids.get(after, ""), before, after)
        return Ledger(self._products, self._creates, tuple(self._applied[-MOST_APPLIED:]))

    def take(self, record: Any) -> None:
        """Take in one line, or raise LineFault."""
        if not isinstance(record, dict):
            raise LineFault("not an object")
        # A create has an id too, once it was answered.
        if "create" in record:
            self._take_create(record)
        elif "id" in record:
            self._take_product(record)
        elif "applied" in record:
            self._take_applied(record)
        elif "ring" in record:
            _expect(record, 1)
            self._links += _links(record["ring"])
        else:
            raise LineFault("neither a product, a create nor an applied plan")

    def _take_product(self, record: dict[str, Any]) -> None:
        id = _text(record["id"], "id")
        if id in self._products:
            raise LineFault(f"the product {id!r} stands here a second time")
        # Most lines are plain, and this way they cost one comparison.
        if len(record) != _PLAIN:
            _expect(record, _PLAIN, "kept", "came_from", "missing")
        entries = self._slots(record.get("fields"))
        store_id = _text(record.get("store_id"), "store_id")
        if len(record) == _PLAIN:
            self._products[id] = Known(store_id, entries)
            return
        kept = _kept(record["kept"]) if "kept" in record else _NO_KEPT
        told = (_optional(record, key) for key in ("came_from", "missing"))
        self._products[id] = Known(store_id, entries, kept, *told)

    def _take_create(self, record: dict[str, Any]) -> None:
        _expect(record, 2, "at", "id", "came_from")
        store_id = _text(record["create"], "create")
        if store_id in self._creates:
            raise LineFault(f"the create of {store_id!r} stands here a second time")
        told = (_optional(record, key) for key in ("at", "id", "came_from"))
        self._creates[store_id] = Sent(self._slots(record.get("fields")), *told)

    def _take_applied(self, record: dict[str, Any]) -> None:
        _expect(record, 2, "commit")
        digest, at = _text(record["applied"], "applied"), _text(record.get("at"), "at")
        self._applied.append(Applied(_optional(record, "commit"), digest, at))

    def _take_link(self, id: str, before: str, after: str) -> None:
        """Take in one rename of a ledger of format 1; without an id it is an open create's."""
        if _PARKED in before:
            return  # A step within a ring: the link beside it tells what the product came from.
        if id:
            known = self._products.get(id, Known(after))
            self._products[id] = known._replace(store_id=after, came_from=before)
        elif after in self._creates:
            self._creates[after] = self._creates[after]._replace(came_from=before)

    def _slots(self, fields: Any) -> Entries:
        """The entries of one product, one slot per write-only field."""
        if not isinstance(fields, dict):
            raise LineFault('"fields" must be an object')
        if not fields:
            return NOTHING
        slots: list[Entry | None] = [None] * len(SLOTS)
        for key, item in fields.items():
            # Passing it over would lose the value on the next write.
            if key not in SLOTS:
                raise LineFault(f"this version of the tool has no write-only field {key!r}")
            slots[SLOTS[key]] = self._entry(item)
        return tuple(slots)

    def _entry(self, item: Any) -> Entry:
        try:
            value, state = item["value"], _STATES[item["state"]]
        except (KeyError, TypeError, IndexError):
            raise _fault_of(item) from None
        if len(item) != 2:
            raise _fault_of(item)
        if type(value) is not str:
            value = _value(value)
        if len(value) > _SHARED:
            return Entry(value, state)
        # Many products share a type, so one object for all of them saves memory.
        known = self._entries.get((value, state))
        if known is None:
            known = self._entries[value, state] = Entry(value, state)
        return known


def _fault_of(item: Any) -> LineFault:
    """What is wrong with a field's entry."""
    if not isinstance(item, dict) or item.keys() != {"value", "state"}:
        return LineFault('a field must have "value" and "state", no more')
    return LineFault(f'"state" must be one of {", ".join(_STATES)}')


def _expect(record: Mapping[str, Any], size: int, *optional: str) -> None:
    """Raise if a record has keys that this version would lose on the next write."""
    if len(record) != size + sum(key in record for key in optional):
        raise LineFault("missing or unknown keys: " + ", ".join(map(repr, record)))


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise LineFault(f'"{key}" must be text')
    return value


def _optional(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    return None if value is None else _text(value, key)


def _value(value: Any) -> Value:
    """Text, or a tuple of tags."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        return tuple(value)
    raise LineFault("a value must be text or a list of texts")


def _kept(fields: Any) -> Mapping[str, Kept]:
    """What the server keeps, by field."""
    if not isinstance(fields, dict):
        raise LineFault('"kept" must be an object')
    found: dict[str, Kept] = {}
    for key, item in fields.items():
        if key not in KEYS:
            raise LineFault(f"this version of the tool has no field {key!r}")
        if not isinstance(item, dict) or item.keys() - {"since"} != {"sent", "kept"}:
            raise LineFault('a kept value must have "sent" and "kept", and at the most "since"')
        kept = None if item["kept"] is None else _value(item["kept"])
        found[key] = Kept(_value(item["sent"]), kept, _optional(item, "since"))
    return MappingProxyType(found)


def _links(ring: Any) -> Iterator[tuple[str, str, str]]:
    """The renames of one line of format 1: (id, before, after)."""
    if not isinstance(ring, list):
        raise LineFault("a ring must be a list of links")
    for link in ring:
        if not isinstance(link, dict) or link.keys() != {"id", "before", "after"}:
            raise LineFault('a link must have "id", "before" and "after", no more')
        id, before, after = (_text(link[key], key) for key in ("id", "before", "after"))
        yield id, before, after
