"""Pages of the list: `limit`, `offset`, and the links to the pages before and after. Pure.

Source: product-sync-api.txt, "List products": `next` is absolute and holds the API key.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

DEFAULT_LIMIT: Final = 50
PAGE_MAX: Final = 200
"""The largest page unless the sandbox is told otherwise."""

# SQLite counts in 64 bits, and any larger offset is past the end too.
_LARGEST: Final = 2**62


class Window(NamedTuple):
    """`limit` products from the one at `offset` (0-based) on."""

    limit: int
    offset: int


def window(query: Mapping[str, str], page_max: int) -> Window:
    """The window that a query asks for; values that are not numbers are ignored."""
    limit = _number(query.get("limit", "")) or min(DEFAULT_LIMIT, page_max)
    return Window(min(limit, page_max), _number(query.get("offset", "")) or 0)


def next_link(url: str, query: Mapping[str, str], seen: Window, count: int) -> str | None:
    """The URL of the next window; None if this is the last."""
    after = seen.offset + seen.limit
    return None if after >= count else _link(url, query, seen.limit, after)


def previous_link(url: str, query: Mapping[str, str], seen: Window) -> str | None:
    """The URL of the previous window; None if this is the first."""
    if seen.offset <= 0:
        return None
    before = seen.offset - seen.limit
    return _link(url, query, seen.limit, before if before > 0 else None)


def _link(url: str, query: Mapping[str, str], limit: int, offset: int | None) -> str:
    # The key stays in the link, as the documentation shows it: a client must mask it.
    kept = {key: value for key, value in query.items() if key not in {"limit", "offset"}}
    kept["limit"] = str(limit)
    if offset is not None:
        kept["offset"] = str(offset)
    return f"{url}?{urlencode(kept)}"


def _number(text: str) -> int | None:
    """A whole number of 0 or more, or None."""
    # Alone, isdigit() also accepts superscripts, which int() refuses.
    if not (text.isascii() and text.isdigit()):
        return None
    # Python refuses to convert texts of several thousand digits.
    return min(int(text), _LARGEST) if len(text) < 100 else _LARGEST
