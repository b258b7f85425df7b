"""The log of applies, as a table for people or as JSON."""

from collections.abc import Sequence
from typing import Final

from reconciler.report.escape import escape
from reconciler.report.history import LogEntry
from reconciler.report.json_text import json_text
from reconciler.report.style import Style
from reconciler.report.words import columns_text

_FORMAT: Final = "reconciler.log/1"
# How much of a digest or a commit a table shows.
_SHORT: Final = 12
_TITLES: Final = ("time", "by", "changes", "result", "plan", "catalogue")


def log_text(entries: Sequence[LogEntry], *, color: bool = False) -> str:
    """The entries as a table, newest first as given; each line ends with a line break."""
    if not entries:
        return "Nothing has been applied yet.\n"
    lines = columns_text([_TITLES, *(_row(entry) for entry in entries)])
    return "\n".join([Style(color).bold(lines[0]), *lines[1:]]) + "\n"


def _row(entry: LogEntry) -> tuple[str, ...]:
    cells = (
        entry.time,
        entry.by,
        entry.summary,
        entry.result,
        (entry.plan_digest or "")[:_SHORT],
        (entry.catalog_commit or "")[:_SHORT] + (", edited" if entry.catalog_dirty else ""),
    )
    return tuple(escape(cell) if cell else "-" for cell in cells)


def log_json(entries: Sequence[LogEntry], *, store: str) -> str:
    """The entries as one JSON document, an entry a line."""
    rows = [entry._asdict() for entry in entries]
    return json_text({"format": _FORMAT, "store": store, "entries": rows})
