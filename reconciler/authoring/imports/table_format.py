"""Formats that are tables: which column is which field, and which rows are one garment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

from reconciler.authoring.imports.export import (
    COLUMNS,
    ID_AT,
    IMAGE_AT,
    NO_TEXTS,
    Column,
    Export,
    ExportFaults,
    ExportFile,
    ExportFormat,
    ImportChoice,
    Sighting,
)
from reconciler.authoring.imports.tables import Table, TableHeader, open_table
from reconciler.authoring.imports.workbooks import open_workbook
from reconciler.codes import Code
from reconciler.errors import UsageError

VARIANT: Final = "variant"
"""A row of a variant, which says nothing about the garment."""
ADDED_IMAGE: Final = "image"
"""A row of a garment; only its image counts."""
WHOLE: Final = "whole"
"""A row that describes a garment."""

Folding: TypeAlias = Callable[[list[str]], tuple[str, str, Sequence[str]]]
"""Takes a row's cells; gives the garment's key, the kind of row, and the keys of its variants.

If the key is "", the row's store_id is the key.
"""


def one_row_each(header: TableHeader) -> Folding:
    """Each row is the garment of its store_id."""
    return lambda cells: ("", WHOLE, ())


def shared(*names: str) -> Callable[[TableHeader], Folding]:
    """Rows are one garment if they share the first of these columns that is there."""

    def folding(header: TableHeader) -> Folding:
        place = header.at(*names)
        return lambda cells: (cells[place].strip(), WHOLE, ())

    return folding


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How a table is read: the columns of each field, normalised, the best one first.

    A field of `joined` takes the texts of all its columns, one a line. `key_is_id` says that a
    garment's key is its store_id. Without one of the columns `needs` variants cannot be told from
    garments.
    """

    columns: Mapping[str, Sequence[str]]
    folding: Callable[[TableHeader], Folding] = one_row_each
    joined: frozenset[str] = frozenset()
    key_is_id: bool = False
    needs: Sequence[str] = ()


def table_format(
    name: str,
    marks: Sequence[Sequence[str]],
    layout: TableLayout,
    *,
    not_with: Sequence[str] = (),
    **more: Any,
) -> ExportFormat:
    """A format whose files have all names of one of `marks`, and none of `not_with`."""

    def recognises(file: ExportFile) -> bool:
        if file.kind not in ("text", "workbook") or file.names & {*not_with}:
            return False
        return any(file.names.issuperset(names) for names in marks)

    return ExportFormat(name, recognises, partial(open_rows, layout), **more)


@dataclass(slots=True)
class _Places:
    """The columns of a sighting's texts; `joined` holds all columns of a joined field."""

    fields: list[int]
    joined: dict[int, list[int]] = field(default_factory=dict)
    tested: list[int] = field(default_factory=list)


def open_rows(
    layout: TableLayout, file: ExportFile, choice: ImportChoice, faults: ExportFaults
) -> Export:
    """The sightings of a table in the given layout; UsageError if it lacks a column."""
    opening = open_workbook if file.kind == "workbook" else open_table
    table = opening(file.path, file.name, faults)
    header = table.header
    if layout.needs and header.at(*layout.needs) < 0:
        raise UsageError(
            f"{file.name} has no column {layout.needs[0]!r}, which tells variants from products.",
            hint=f"Export all columns. It has: {', '.join(filter(None, header.titles))}.",
        )
    places = _places(layout, header, choice)
    columns = {
        key: header.column(place)
        for key, place in zip(COLUMNS, places.fields, strict=True)
        if place >= 0
    }
    if "store_id" not in columns and choice.ids is None:
        raise UsageError(
            f"{file.name} has no column with the ids that product pages pass.",
            hint=f"Name it with --id COLUMN. Columns: {', '.join(filter(None, header.titles))}.",
        )
    _report_repeated(header, columns, choice, file.name, faults)
    return Export(_sightings(table, places, layout), columns, table.delimiter)


def _places(layout: TableLayout, header: TableHeader, choice: ImportChoice) -> _Places:
    """The columns of the fields: those that were chosen, else those of the format."""
    places = _Places([-1] * len(COLUMNS), tested=[header.named(title) for title in choice.only])
    for position, key in enumerate(COLUMNS):
        if key in choice.columns:
            places.fields[position] = header.named(choice.columns[key])
            continue
        names = layout.columns.get(key, ())
        places.fields[position] = header.at(*names)
        if key in layout.joined:
            places.joined[position] = [at for name in names if (at := header.at(name)) >= 0]
    return places


def _report_repeated(
    header: TableHeader,
    columns: Mapping[str, Column],
    choice: ImportChoice,
    name: str,
    faults: ExportFaults,
) -> None:
    """Report a title that is used and that several columns have: either could be meant.

    `ID` and `id` count as one title, unless a person named one of the two spellings.
    """
    named = set(choice.columns.values())
    for title, number in set(columns.values()):
        like = [each for each in header.titles if each.casefold() == title.casefold()]
        if len(like) > 1 and (title not in named or like.count(title) > 1):
            message = f"Several columns have the title {title!r}. Rename all but one."
            faults.error(message, name, 1, number, code=Code.DUPLICATE_KEY)


def _sightings(table: Table, places: _Places, layout: TableLayout) -> Iterator[Sighting]:
    fields, tested = places.fields, places.tested
    folding = layout.folding(table.header)
    untested = ("",) * len(tested)
    for row, cells in table.rows:
        garment, kind, variants = folding(cells)
        if kind == VARIANT:
            continue
        texts = [cells[place].strip() for place in fields]
        for position, columns in places.joined.items():
            texts[position] = "\n".join(filter(None, (cells[at].strip() for at in columns)))
        if layout.key_is_id:
            texts[ID_AT] = garment
        # A garment without an id cannot become a product; it is reported by its row later.
        garment = garment or texts[ID_AT] or f"\0{row}"
        if kind == ADDED_IMAGE:
            only = (*NO_TEXTS[:IMAGE_AT], texts[IMAGE_AT], *NO_TEXTS[IMAGE_AT + 1 :])
            yield Sighting(garment, only, row, untested, whole=False)
        else:
            tests = tuple([cells[place].strip() for place in tested])
            yield Sighting(garment, tuple(texts), row, tests, True, tuple(variants))
