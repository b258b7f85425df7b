"""The remote at a glance: tables for a terminal, tab-separated lines for a pipe, JSON."""

from collections.abc import Sequence
from io import StringIO
from typing import Any, Final, NamedTuple

from reconciler.planning.live import Live
from reconciler.planning.overview import Overview, Problem, Row
from reconciler.report.escape import escape
from reconciler.report.json_text import json_text
from reconciler.report.live_text import live_document
from reconciler.report.words import plural
from reconciler.wording import wrapped

_FORMAT: Final = "reconciler.status/1"
_COLUMNS: Final = ("store_id", "name", "status", "id", "image_md")


class _Look(NamedTuple):
    """How a table is drawn; `width` is None if it is not."""

    width: int | None
    color: bool
    ascii: bool


def overview_text(
    seen: Overview,
    listed: Problem | None = None,
    *,
    width: int | None = None,
    color: bool = False,
    ascii: bool = False,
) -> str:
    """The numbers, or with `listed` the products with that problem.

    `width` is that of the terminal, None for a pipe, whose lines are tab-separated; with `ascii`
    the tables are drawn without line-drawing characters.
    """
    look = _Look(width, color, ascii)
    if listed is not None:
        rows = [_cells(row) for row in seen.problems.get(listed, ())]
        return _table(None, _COLUMNS, rows, look)
    tables = [
        _table("Status", ("status", "products"), _counts(seen.statuses), look),
        _table("Problems", ("problem", "products"), _counts(_numbers(seen)), look),
    ]
    return "\n".join([*wrapped(_heading(seen), width), "", *tables])


def overview_json(seen: Overview, listed: Problem | None = None, live: Live | None = None) -> str:
    """The numbers as JSON; with `listed` also `products`, those with that problem.

    With `live` also what the lookup of product pages says.
    """
    document: dict[str, Any] = {
        "format": _FORMAT,
        "store": seen.store,
        "remote": {"products": seen.products},
        "catalog": None
        if seen.declared is None
        else {"products": seen.declared, "missing": seen.missing},
        "statuses": dict(seen.statuses),
        "problems": {p.replace("-", "_"): count for p, count in _numbers(seen).items()},
    }
    if listed is not None:
        document["listed"] = listed.replace("-", "_")
        document["products"] = [row._asdict() for row in seen.problems.get(listed, ())]
    if live is not None:
        document["live"] = live_document(live)
    return json_text(document)


def overview_counts(seen: Overview) -> dict[str, int]:
    """The numbers by name: products, declared and missing if there is a catalogue, problems."""
    counts = {"products": seen.products, "declared": seen.declared, "missing": seen.missing}
    found = {problem.replace("-", "_"): count for problem, count in _numbers(seen).items()}
    return {key: count for key, count in counts.items() if count is not None} | found


def _numbers(seen: Overview) -> dict[str, int]:
    return {problem.value: len(rows) for problem, rows in seen.problems.items()}


def _heading(seen: Overview) -> str:
    """The remote and the catalogue in one sentence."""
    text = f"Store {escape(seen.store)}: {plural(seen.products, 'product')} at the remote"
    if seen.declared is None:
        return f"{text}; there is no catalogue to compare it with."
    missing = f", {seen.missing} of them not at the remote" if seen.missing else ""
    return f"{text}, {seen.declared} declared{missing}."


def _counts(numbers: Any) -> list[tuple[str, ...]]:
    return [(escape(name), str(count)) for name, count in numbers.items()]


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(escape(getattr(row, column) or "") for column in _COLUMNS)


def _table(
    title: str | None, columns: Sequence[str], rows: Sequence[Sequence[str]], look: _Look
) -> str:
    """Rows that are escaped already, as a drawn table or as lines."""
    # Tabs for `cut` and `awk`; no cell holds one, since it would be escaped.
    if look.width is None:
        lines = ["\t".join(columns), *("\t".join(row) for row in rows)]
        return "\n".join([*lines, ""])
    # rich takes long to load, and a pipe needs none of it.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=title, title_justify="left", box=box.ASCII if look.ascii else box.HEAVY_HEAD
    )
    for column in columns:
        table.add_column(column, justify="right" if column == "products" else "left")
    for row in rows:
        # As Text: square brackets in a name are not markup.
        table.add_row(*(Text(cell) for cell in row))
    drawn = StringIO()
    console = Console(
        file=drawn,
        width=look.width,
        force_terminal=look.color,
        no_color=not look.color,
        # rich would colour numbers in names as if they meant something.
        highlight=False,
    )
    console.print(table)
    return drawn.getvalue()
