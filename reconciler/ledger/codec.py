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
from typing import Any, Final

from pydantic_core import from_json

from reconciler.errors import LedgerError
from reconciler.ledger.lines import SLOTS, LineFault, LineReader
from reconciler.model import KEYS, Entries, Known, Ledger, Value

LEDGER_FORMAT: Final = "reconciler.ledger/2"
_READABLE: Final = ("reconciler.ledger/1", LEDGER_FORMAT)

# The same in every ledger: a checksum or a count would make every merge a conflict.
_END: Final = '{"end":true}'
# A checkout on Windows may have turned the line ends into CR LF.
_ENDING: Final = re.compile(rb'\n\{"end":true\}\r*\n\Z')
# A regular expression over a whole ledger, only to look at its end, would be slow.
_LONGEST_ENDING: Final = 1_000
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
    reader = LineReader()
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
        for key, entry in zip(SLOTS, entries, strict=True)
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
        raise LineFault(f'not a ledger: the first line must say "format": "{LEDGER_FORMAT}"')
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
    if isinstance(error, LineFault):
        return str(error)
    if line.startswith(_CONFLICT):
        return "an unresolved merge conflict"
    return "not a line of JSON"
