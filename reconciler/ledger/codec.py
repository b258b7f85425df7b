"""Ledger <-> JSON lines: the same ledger is always the same bytes, one line a product.

    {"format":"reconciler.ledger/2","store":"default"}
    {"id":"5f2c","store_id":"10391","fields":{"type":{"value":"top","state":"confirmed"}}}
    {"id":"77ab","store_id":"10400","fields":{},"came_from":"10399"}
    {"create":"10482","fields":{"type":{"value":"dress","state":"doubt"}},"at":"…Z"}
    {"applied":"b6d1…","commit":"a1b2…","at":"…Z"}
    {"end":true}

Products are sorted by id and creates by store_id. The last line proves that the file is whole.

A ledger of format 1 is read too. Its `ring` lines tell which renames were begun; here each product
carries its own (`Known.came_from`).
"""

import json
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import from_json

from reconciler.errors import LedgerError
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

LEDGER_FORMAT: Final = "reconciler.ledger/2"
_READABLE: Final = ("reconciler.ledger/1", LEDGER_FORMAT)

_SLOTS: Final = {KEYS[position]: number for number, position in enumerate(WRITE_ONLY)}
_STATES: Final = {str(state): state for state in State}
_NO_KEPT: Final[Mapping[str, Kept]] = MappingProxyType({})
# The same in every ledger: a checksum or a count would make every merge a conflict.
_END: Final = '{"end":true}'
# A checkout on Windows may have turned the line ends into CR LF.
_ENDING: Final = re.compile(rb'\n\{"end":true\}\r*\n\Z')
# A regular expression over a whole ledger, only to look at its end, would be slow.
_LONGEST_ENDING: Final = 1_000
# How many keys the line of most products has.
_PLAIN: Final = 3
# What format 1 called a product that stood aside for a ring of renames.
_PARKED: Final = "~moving-"
# A longer value (an address) is rarely that of another product too.
_SHARED: Final = 32
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONFLICT: Final = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_REMEDY: Final = (
    "Restore the ledger from a backup or from its history in git, or remove it: the next apply "
    "then starts with nothing known and sends nothing for that reason."
)
_dumps: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_ledger(ledger: Ledger, *, store: str) -> bytes:
    """The content of the ledger file of the store named `store`, as UTF-8."""
    text = "\n".join((*_lines(ledger, store), ""))
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Text of the API may hold half a surrogate pair, which JSON can write and UTF-8 cannot.
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def decode_ledger(data: bytes, *, store: str, source: str) -> Ledger:
    """The Ledger that `data` holds; `source` names the file in errors.

    Raises LedgerError, with the line and the remedy, if the file is damaged, cut off, of
    another store or of a newer format.
    """
    reader = _Reader()
    # One line after the other: a large ledger never stands in memory a second time, as lines.
    lines = islice(BytesIO(data), _lines_before_end(data, source))
    for number, line in enumerate(lines, 1):
        try:
            record = _record(line)
            if number > 1:
                reader.take(record)
            else:
                _check_header(record, store, source)
        except (ValueError, RecursionError) as error:
            raise _damaged(source, number, _reason(line.decode(), error)) from error
    return reader.ledger()


def _record(line: bytes) -> Any:
    """What one line holds; only the second parser accepts half surrogate pairs."""
    try:
        # Checked by hand below and not by a model: 100,000 products are read in about half a
        # second.
        return from_json(line, cache_strings="keys")
    except ValueError:
        return json.loads(line)


class _Fault(ValueError):
    """What is wrong with one line."""


def _damaged(source: str, line: int, reason: str) -> LedgerError:
    return LedgerError(f"{source}, line {line}: {reason}.", hint=_REMEDY)


def _lines(ledger: Ledger, store: str) -> Iterator[str]:
    """The lines of a ledger, without line ends."""
    yield _dumps({"format": LEDGER_FORMAT, "store": store})
    # Sorted, so that a small change is a small delta in git.
    for id, known in sorted(ledger.products.items()):
        yield _dumps(_product(id, known))
    for store_id, sent in sorted(ledger.creates.items()):
        told = {"at": sent.at, "id": sent.id, "came_from": sent.came_from}
        yield _dumps({"create": store_id, "fields": _fields(sent.entries), **_given(told)})
    for applied in ledger.applied:
        yield _dumps({"applied": applied.digest, "commit": applied.commit, "at": applied.at})
    yield _END


def _product(id: str, known: Known) -> dict[str, Any]:
    record = {"id": id, "store_id": known.store_id, "fields": _fields(known.entries)}
    if known.kept:
        record["kept"] = {
            key: {"sent": kept.sent, "kept": kept.kept, **_given({"since": kept.since})}
            for key in KEYS
            if (kept := known.kept.get(key)) is not None
        }
    return record | _given({"came_from": known.came_from, "missing": known.missing})


def _given(record: Mapping[str, Value | None]) -> dict[str, Value]:
    """The keys that have a value."""
    return {key: value for key, value in record.items() if value is not None}


def _fields(entries: Entries) -> dict[str, dict[str, Value]]:
    """The known entries by field, in the order of the field table."""
    return {
        key: {"value": entry[0], "state": entry[1]}
        for key, entry in zip(_SLOTS, entries, strict=True)
        if entry is not None
    }


def _lines_before_end(data: bytes, source: str) -> int:
    """The number of lines before the last one; LedgerError if the file is not whole."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _damaged(source, line, "not UTF-8") from error
    ends = data.count(b"\n")
    if ends < 2 or not _ENDING.search(data, max(0, len(data) - _LONGEST_ENDING)):
        count = ends + (not data.endswith(b"\n"))
        raise _damaged(source, count, f"cut off here, for the last line must be {_END}")
    return ends - 1


def _check_header(header: Any, store: str, source: str) -> None:
    """Raise if the first record is not that of a ledger of `store` in this format."""
    found = header.get("format") if isinstance(header, dict) else None
    family, _, version = LEDGER_FORMAT.rpartition("/")
    if not isinstance(found, str) or not found.startswith(family + "/"):
        raise _Fault(f'not a ledger: the first line must say "format": "{LEDGER_FORMAT}"')
    # A newer format may hold what this version would lose on the next write.
    if found not in _READABLE:
        raise LedgerError(
            f"{source}, line 1: the ledger has the format {found}; this tool reads "
            f"/{version} and older.",
            hint="It was written by a newer version of this tool: upgrade to that version.",
        )
    if header.get("store") != store:
        raise LedgerError(
            f"{source}, line 1: this is the ledger of the store {header.get('store')!r}, "
            f"not of {store!r}.",
            hint="Give each store its own ledger: correct the store's name, or move the file away.",
        )


def _reason(line: str, error: Exception) -> str:
    """Why a line cannot be read, in words for people."""
    if isinstance(error, _Fault):
        return str(error)
    if line.startswith(_CONFLICT):
        return "an unresolved merge conflict"
    return "not a line of JSON"


class _Reader:
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
        """Take in one line, or raise _Fault."""
        if not isinstance(record, dict):
            raise _Fault("not an object")
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
            raise _Fault("neither a product, a create nor an applied plan")

    def _take_product(self, record: dict[str, Any]) -> None:
        id = _text(record["id"], "id")
        if id in self._products:
            raise _Fault(f"the product {id!r} stands here a second time")
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
            raise _Fault(f"the create of {store_id!r} stands here a second time")
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
            raise _Fault('"fields" must be an object')
        if not fields:
            return NOTHING
        slots: list[Entry | None] = [None] * len(_SLOTS)
        for key, item in fields.items():
            # Passing it over would lose the value on the next write.
            if key not in _SLOTS:
                raise _Fault(f"this version of the tool has no write-only field {key!r}")
            slots[_SLOTS[key]] = self._entry(item)
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


def _fault_of(item: Any) -> _Fault:
    """What is wrong with a field's entry."""
    if not isinstance(item, dict) or item.keys() != {"value", "state"}:
        return _Fault('a field must have "value" and "state", no more')
    return _Fault(f'"state" must be one of {", ".join(_STATES)}')


def _expect(record: Mapping[str, Any], size: int, *optional: str) -> None:
    """Raise if a record has keys that this version would lose on the next write."""
    if len(record) != size + sum(key in record for key in optional):
        raise _Fault("missing or unknown keys: " + ", ".join(map(repr, record)))


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise _Fault(f'"{key}" must be text')
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
    raise _Fault("a value must be text or a list of texts")


def _kept(fields: Any) -> Mapping[str, Kept]:
    """What the server keeps, by field."""
    if not isinstance(fields, dict):
        raise _Fault('"kept" must be an object')
    found: dict[str, Kept] = {}
    for key, item in fields.items():
        if key not in KEYS:
            raise _Fault(f"this version of the tool has no field {key!r}")
        if not isinstance(item, dict) or item.keys() - {"since"} != {"sent", "kept"}:
            raise _Fault('a kept value must have "sent" and "kept", and at the most "since"')
        kept = None if item["kept"] is None else _value(item["kept"])
        found[key] = Kept(_value(item["sent"]), kept, _optional(item, "since"))
    return MappingProxyType(found)


def _links(ring: Any) -> Iterator[tuple[str, str, str]]:
    """The renames of one line of format 1: (id, before, after)."""
    if not isinstance(ring, list):
        raise _Fault("a ring must be a list of links")
    for link in ring:
        if not isinstance(link, dict) or link.keys() != {"id", "before", "after"}:
            raise _Fault('a link must have "id", "before" and "after", no more')
        id, before, after = (_text(link[key], key) for key in ("id", "before", "after"))
        yield id, before, after
