"""Ledger <-> JSON lines: the same ledger is always the same bytes, one line a product.

    {"format":"reconciler.ledger/1","store":"default"}
    {"id":"5f2c","store_id":"10391","fields":{"type":{"value":"top","state":"confirmed"}}}
    {"create":"10482","fields":{"type":{"value":"dress","state":"doubt"}}}
    {"ring":[{"id":"a1","before":"1","after":"2"},{"id":"a2","before":"2","after":"1"}]}
    {"end":true}

Products stand sorted by id and creates by store_id, so that a small change is a small delta in
git. The last line is the same in every ledger: it proves that the file is whole, where a checksum
or a count would make every merge a conflict. pydantic's parser reads a line, but what it holds is
checked by hand: a ledger of 100,000 products is read in about half a second.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import from_json

from reconciler.errors import LedgerError
from reconciler.model import (
    KEYS,
    NOTHING,
    WRITE_ONLY,
    Entry,
    Kept,
    Ledger,
    Link,
    Remembered,
    Ring,
    State,
    Value,
)

FORMAT: Final = "reconciler.ledger/1"

_SLOTS: Final = {KEYS[position]: number for number, position in enumerate(WRITE_ONLY)}
_STATES: Final = {str(state): state for state in State}
_NO_KEPT: Final[Mapping[str, Kept]] = MappingProxyType({})
_END: Final = '{"end":true}'
_ENDING: Final = re.compile(rb'\n\{"end":true\}\r*\n\Z')
_LONGEST_ENDING: Final = 1_000
_SHARED: Final = 32
"""A longer value (an address) is rarely that of another product too."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONFLICT: Final = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_REMEDY: Final = (
    "Restore the ledger from a backup or from its history in git, or remove it: the next apply "
    "then starts with nothing known and sends nothing for that reason."
)
_dumps: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(ledger: Ledger, *, store: str) -> bytes:
    """The one file that `ledger` of the store named `store` is, as UTF-8."""
    text = "\n".join((*_lines(ledger, store), ""))
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Text of the API may hold half a surrogate pair, which JSON can write and UTF-8 cannot.
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def decode(data: bytes, *, store: str, source: str) -> Ledger:
    """The Ledger that `data` holds; `source` names the file in errors.

    Raises LedgerError, with the line and the remedy, where the file is damaged, cut off, of
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
    """What one line holds; the second reader knows half surrogate pairs, the first does not."""
    try:
        return from_json(line, cache_strings="keys")
    except ValueError:
        return json.loads(line)


class _Fault(ValueError):
    """What is wrong with one line."""


def _damaged(source: str, line: int, reason: str) -> LedgerError:
    return LedgerError(f"{source}, line {line}: {reason}.", hint=_REMEDY)


def _lines(ledger: Ledger, store: str) -> Iterator[str]:
    """The lines of a ledger, without line ends."""
    yield _dumps({"format": FORMAT, "store": store})
    products = ledger.products
    for id in sorted(products):
        remembered = products[id]
        record = {
            "id": id,
            "store_id": remembered.store_id,
            "fields": _fields(remembered.entries),
        }
        if remembered.kept:
            record["kept"] = {
                key: remembered.kept[key]._asdict() for key in KEYS if key in remembered.kept
            }
        yield _dumps(record)
    for store_id in sorted(ledger.creates):
        yield _dumps({"create": store_id, "fields": _fields(ledger.creates[store_id])})
    for ring in ledger.rings:
        yield _dumps({"ring": [link._asdict() for link in ring.links]})
    yield _END


def _fields(entries: tuple[Entry | None, ...]) -> dict[str, dict[str, Value]]:
    """The known entries by field, in the order of the field table."""
    return {
        key: {"value": entry[0], "state": entry[1]}
        for key, entry in zip(_SLOTS, entries, strict=True)
        if entry is not None
    }


def _lines_before_end(data: bytes, source: str) -> int:
    """The number of lines of a file that is all there, without the last one, which says so."""
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
    """Raise where the first record is not that of a ledger of `store` in this format."""
    found = header.get("format") if isinstance(header, dict) else None
    family, _, version = FORMAT.rpartition("/")
    if not isinstance(found, str) or not found.startswith(family + "/"):
        raise _Fault(f'not a ledger: the first line must say "format": "{FORMAT}"')
    if found != FORMAT:
        raise LedgerError(
            f"{source}, line 1: the ledger has the format {found}; this tool reads /{version}.",
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
        self._products: dict[str, Remembered] = {}
        self._creates: dict[str, tuple[Entry | None, ...]] = {}
        self._rings: list[Ring] = []
        self._entries: dict[tuple[Value, str], Entry] = {}

    def ledger(self) -> Ledger:
        """All that was taken."""
        return Ledger(self._products, self._creates, tuple(self._rings))

    def take(self, record: Any) -> None:
        """Remember one line, or raise _Fault."""
        if not isinstance(record, dict):
            raise _Fault("not an object")
        if "id" in record:
            self._take_product(record)
        elif "create" in record:
            self._take_create(record)
        elif "ring" in record:
            _expect_size(record, 1)
            self._rings.append(Ring(tuple(_link(link) for link in _list(record["ring"]))))
        else:
            raise _Fault("neither a product, a create nor a ring")

    def _take_product(self, record: dict[str, Any]) -> None:
        id = _text(record["id"], "id")
        if id in self._products:
            raise _Fault(f"the product {id!r} stands here a second time")
        kept = _NO_KEPT
        if "kept" in record:
            _expect_size(record, 4)
            kept = _kept(record["kept"])
        else:
            _expect_size(record, 3)
        store_id = _text(record.get("store_id"), "store_id")
        self._products[id] = Remembered(store_id, self._slots(record.get("fields")), kept)

    def _take_create(self, record: dict[str, Any]) -> None:
        _expect_size(record, 2)
        store_id = _text(record["create"], "create")
        if store_id in self._creates:
            raise _Fault(f"the create of {store_id!r} stands here a second time")
        self._creates[store_id] = self._slots(record.get("fields"))

    def _slots(self, fields: Any) -> tuple[Entry | None, ...]:
        """The entries of one product, one slot per write-only field."""
        if not isinstance(fields, dict):
            raise _Fault('"fields" must be an object')
        if not fields:
            return NOTHING
        slots: list[Entry | None] = [None] * len(_SLOTS)
        for key, item in fields.items():
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
        known = self._entries.get((value, state))
        if known is None:
            known = self._entries[value, state] = Entry(value, state)
        return known


def _fault_of(item: Any) -> _Fault:
    """What is wrong with a field's entry."""
    if not isinstance(item, dict) or item.keys() != {"value", "state"}:
        return _Fault('a field must have "value" and "state", no more')
    return _Fault(f'"state" must be one of {", ".join(_STATES)}')


def _expect_size(record: dict[str, Any], size: int) -> None:
    """Raise where a record has keys that this version would lose on the next write."""
    if len(record) != size:
        raise _Fault("missing or unknown keys: " + ", ".join(map(repr, record)))


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        raise _Fault(f'"{key}" must be text')
    return value


def _list(value: Any) -> Iterable[Any]:
    if not isinstance(value, list):
        raise _Fault("a ring must be a list of links")
    return value


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
        if not isinstance(item, dict) or item.keys() != {"sent", "kept"}:
            raise _Fault('a kept value must have "sent" and "kept", no more')
        kept = item["kept"]
        found[key] = Kept(_value(item["sent"]), None if kept is None else _value(kept))
    return MappingProxyType(found)


def _link(link: Any) -> Link:
    if not isinstance(link, dict) or link.keys() != {"id", "before", "after"}:
        raise _Fault('a link must have "id", "before" and "after", no more')
    return Link(*(_text(link[key], key) for key in ("id", "before", "after")))
