"""What deletes removed, kept with the ledger as JSON lines: the same products are the same bytes.

    {"format":"reconciler.removed/1","store":"default"}
    {"at":"2026-03-01T09:00:00.000Z","id":"5f2c","record":{…},"store_id":"1","written":{"type":"top"}}
    {"end":true}

The oldest stand first. It is read by `restore` and `show`, and written only by runs that delete.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.clock import Clock, stamp
from reconciler.errors import LedgerError
from reconciler.model import KEYS, WRITE_ONLY, Removed, Value, finite_number, whole_number

FORMAT: Final = "reconciler.removed/1"
MOST: Final = 1_000
"""How many products are kept."""
DAYS: Final = 90
"""For how many days they are kept."""

_END: Final = '{"end":true}'
_FIELDS: Final = frozenset(KEYS[position] for position in WRITE_ONLY)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_REMEDY: Final = (
    "Take it back from a backup or from its history in git, or remove it: then only what later "
    "applies delete can be restored from it, and journals keep what they have."
)
_dumps: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=dict
).encode


class Archive:
    """The archive of a store as a run found it: `data` is None if there was none."""

    def __init__(self, data: bytes | None, *, store: str, source: str, clock: Clock) -> None:
        self.data = data
        self._store = store
        self._source = source
        self._clock = clock

    def read(self) -> tuple[Removed, ...]:
        """All products of the archive, the oldest first; LedgerError if it cannot be read."""
        return decode(self.data, store=self._store, source=self._source)

    def after(self, removed: Sequence[Removed]) -> bytes:
        """The archive once the run has removed `removed`; LedgerError if it cannot be read."""
        return encode(archived(self.read(), removed, now=self._clock.utc()), store=self._store)


def archived(
    before: Sequence[Removed], removed: Sequence[Removed], *, now: datetime
) -> tuple[Removed, ...]:
    """`removed` and the newest of `before`: MOST in all, and none of them older than DAYS.

    What one run removes stays whole, however much that is, until a later one removes something:
    a mass delete that was a mistake can be taken back. A remote id is removed once, so the later
    of two entries for it is the true one.
    """
    own = {product.id: product for product in removed}
    oldest = stamp(now - timedelta(days=DAYS))
    others = sorted((p for p in before if p.id not in own and p.at >= oldest), key=_order)
    kept = others[max(0, len(others) + len(own) - MOST) :]
    return tuple(sorted([*kept, *own.values()], key=_order))


def _order(product: Removed) -> tuple[str, str]:
    return product.at, product.id


def encode(removed: Sequence[Removed], *, store: str) -> bytes:
    """The file that these products are, as UTF-8."""
    lines = map(_dumps, ({"format": FORMAT, "store": store}, *(p._asdict() for p in removed)))
    text = "\n".join((*lines, _END, ""))
    # Text of the API may hold half a surrogate pair, which JSON can write and UTF-8 cannot.
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def decode(data: bytes | None, *, store: str, source: str) -> tuple[Removed, ...]:
    """The products that `data` holds; `source` names the file in errors.

    Raises LedgerError, with the line and the remedy, if the file is damaged, cut off, of another
    store or of a newer format.
    """
    if data is None:
        return ()
    return tuple(_products(data, store, source))


def _products(data: bytes, store: str, source: str) -> Iterator[Removed]:
    lines = data.splitlines()
    if len(lines) < 2 or lines[-1].decode(errors="replace") != _END:
        raise _damaged(source, len(lines), f"cut off here, for the last line must be {_END}")
    for number, line in enumerate(lines[:-1], 1):
        try:
            found = json.loads(line, parse_int=whole_number, parse_float=finite_number)
        except (ValueError, RecursionError):
            raise _damaged(source, number, "not a line of JSON") from None
        if number > 1:
            try:
                yield _product(found)
            except (AttributeError, TypeError, ValueError):
                raise _damaged(source, number, "not a product that was removed") from None
        elif found != {"format": FORMAT, "store": store}:
            raise _damaged(
                source, number, f"not what was removed from the store {store!r} as {FORMAT}"
            )


def _product(line: Any) -> Removed:
    """The product of one line; an error of Python's if it is none."""
    found = Removed(**line)
    if not all(isinstance(text, str) for text in (found.id, found.store_id, found.at)):
        raise ValueError
    if not isinstance(found.record, dict) or found.written.keys() - _FIELDS:
        raise ValueError
    return found._replace(written=_values(found.written))


def _values(written: Mapping[str, Any]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for key, value in written.items():
        parts = [value] if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise ValueError
        values[key] = value if isinstance(value, str) else tuple(value)
    return values


def _damaged(source: str, line: int, reason: str) -> LedgerError:
    return LedgerError(f"{source}, line {line}: {reason}.", hint=_REMEDY)
