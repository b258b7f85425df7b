"""The archive of removed products, kept with the ledger as JSON lines.

    {"format":"reconciler.removed/1","store":"default"}
    {"at":"2026-03-01T09:00:00.000Z","id":"5f2c","record":{…},"store_id":"1","written":{"type":"top"}}
    {"end":true}

The oldest come first. `restore` and `show` read it; only a run that deletes writes it. The same
products are always the same bytes, so that an unchanged archive does not change in git.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from reconciler.clock import Clock, stamp
from reconciler.errors import LedgerError
from reconciler.model import KEYS, WRITE_ONLY, Removed, Value, read_dirty

ARCHIVE_FORMAT: Final = "reconciler.removed/1"
MOST: Final = 1_000
"""The largest number of products kept."""
DAYS: Final = 90
"""The number of days for which a product is kept."""

_END: Final = '{"end":true}'
_FIELDS: Final = frozenset(KEYS[position] for position in WRITE_ONLY)
# Half of a UTF-16 pair, as an API's JSON may escape it.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_REMEDY: Final = (
    "Restore the file from a backup or from its history in git, or remove it: then only products "
    "that later applies delete can be restored from it. Journals are not affected."
)
_dumps: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=dict
).encode


class Archive:
    """The archive of a store as it was read; `data` is None if it did not exist."""

    def __init__(self, data: bytes | None, *, store: str, source: str, clock: Clock) -> None:
        self.data = data
        self._store = store
        self._source = source
        self._clock = clock

    def read(self) -> tuple[Removed, ...]:
        """All products in the archive, the oldest first; LedgerError if it cannot be read."""
        return decode_archive(self.data, store=self._store, source=self._source)

    def after(self, removed: Sequence[Removed]) -> bytes:
        """The new content of the archive with `removed` added; LedgerError if it cannot be read."""
        kept = archived(self.read(), removed, now=self._clock.utc())
        return encode_archive(kept, store=self._store)


def archived(
    before: Sequence[Removed], removed: Sequence[Removed], *, now: datetime
) -> tuple[Removed, ...]:
    """All of `removed`, and the newest of `before` up to MOST in all and DAYS of age.

    `removed` is kept whole, even beyond MOST, so that a mistaken mass delete can be undone.
    """
    # A remote id is removed only once, so the later of two entries is the right one.
    own = {product.id: product for product in removed}
    oldest = stamp(now - timedelta(days=DAYS))
    others = sorted((p for p in before if p.id not in own and p.at >= oldest), key=_order)
    kept = others[max(0, len(others) + len(own) - MOST) :]
    return tuple(sorted([*kept, *own.values()], key=_order))


def _order(product: Removed) -> tuple[str, str]:
    return product.at, product.id


def encode_archive(removed: Sequence[Removed], *, store: str) -> bytes:
    """The archive of these products as UTF-8."""
    header = {"format": ARCHIVE_FORMAT, "store": store}
    lines = map(_dumps, (header, *(product._asdict() for product in removed)))
    text = "\n".join((*lines, _END, ""))
    # Text from the API may hold a lone surrogate, which JSON can escape but UTF-8 cannot encode.
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def decode_archive(data: bytes | None, *, store: str, source: str) -> tuple[Removed, ...]:
    """The products in `data`; `source` names the file in errors.

    Raises LedgerError, with the line and the remedy, if the file is damaged or truncated, or of
    another store or a newer format.
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
            # A record is the server's: it may hold numbers that Python could not write again.
            found = read_dirty(line)
        except (ValueError, RecursionError):
            raise _damaged(source, number, "not a line of JSON") from None
        if number > 1:
            try:
                yield _product(found)
            except (AttributeError, TypeError, ValueError):
                raise _damaged(source, number, "not a removed product") from None
        elif found != {"format": ARCHIVE_FORMAT, "store": store}:
            raise _damaged(
                source, number, f"not the {ARCHIVE_FORMAT} header of the store {store!r}"
            )


def _product(line: Any) -> Removed:
    """The product in one line; AttributeError, TypeError or ValueError if it has another form."""
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
