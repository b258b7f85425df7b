"""Workbooks as tables, read by python-calamine, which keeps numbers apart from text.

It reads a cell with an error, such as #N/A, as empty, so a lost name would look like a missing one.
Those cells are looked for in the file itself.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile, ZipFile

from reconciler.authoring.imports.export import ExportFaults
from reconciler.authoring.imports.tables import Table, table_of
from reconciler.errors import ExportError, MissingExtra
from reconciler.installed import installing

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

# From here on a spreadsheet's numbers skip some whole ones.
_LARGEST_WHOLE: Final = 1 << 53
_SHEETS: Final = ("products", "product")
_CHUNK: Final = 1 << 20
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION: Final = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
# Of bounded lengths: over an endless tag a search from each of its cells would be quadratic.
_ERROR_CELL: Final = re.compile(
    rb'<(?:\w+:)?c r="([A-Z]+)(\d+)"[^>]{0,200}\bt="e"[^>]{0,200}>'
    rb"(?:(?!</?(?:\w+:)?c[ >]).){0,2000}?<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)
_CELL: Final = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
# Cells from A1 to the last one: the library holds a place for each, empty or not.
_MOST_CELLS: Final = 30_000_000
# Bytes that a workbook may unpack to.
_MOST_BYTES: Final = 1 << 30

Cells = Mapping[tuple[int, int], str]
"""Texts by row and column, both from 0."""


def open_workbook(path: Path, name: str, faults: ExportFaults) -> Table:
    """The table in a workbook: its sheet called Products, or else the first.

    Raises MissingExtra without python-calamine.
    """
    sheet, errors = _sheet(path, name)
    _report_merged(sheet, name, faults)
    return table_of(_rows(sheet, errors), name, faults, None)


def _sheet(path: Path, name: str) -> "tuple[CalamineSheet, Cells]":
    """The sheet with the products, and the errors in its cells."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise MissingExtra(
            "Reading workbooks needs python-calamine.",
            hint=f"Install it: {installing('xlsx')}, or save the sheet as CSV UTF-8.",
        ) from None
    try:
        workbook = CalamineWorkbook.from_path(path)
        sheets = workbook.sheet_names
        if sheets:
            products = (sheet for sheet in sheets if sheet.strip().casefold() in _SHEETS)
            chosen = next(products, sheets[0])
            # Before the sheet is read: one cell in the far corner would take all memory.
            errors = _error_cells(path, name, chosen)
            return workbook.get_sheet_by_name(chosen), errors
        problem = "it has no sheet"
    except ExportError:
        raise
    except CalamineError as error:
        problem = str(error)
    except BaseException as error:
        # The library is in Rust, whose panics are no Exception.
        if type(error).__name__ != "PanicException":
            raise
        problem = f"it is damaged ({error})"
    raise ExportError.at(name, f"The workbook cannot be read: {problem}.")


def _report_merged(sheet: "CalamineSheet", name: str, faults: ExportFaults) -> None:
    """Report cells of the header that are merged."""
    first = (sheet.start or (0, 0))[0]
    for (top, left), (_, right) in sheet.merged_cell_ranges or ():
        if top == first:
            message = f"{right - left + 1} cells of the header are merged. Give each its own title."
            faults.error(message, name, top + 1, left + 1)


def _rows(sheet: "CalamineSheet", errors: Cells) -> Iterator[tuple[int, list[str]]]:
    """All rows with their numbers, and with the empty columns at their beginning."""
    # The library leaves those columns out, and not the empty rows above.
    left = (sheet.start or (0, 0))[1]
    broken = {row for row, _ in errors}
    for row, cells in enumerate(sheet.iter_rows()):
        texts = [cell if type(cell) is str else _cell_text(cell) for cell in cells]
        texts[:0] = [""] * left
        if row in broken:
            texts = [errors.get((row, column), text) for column, text in enumerate(texts)]
        yield row + 1, texts


def _cell_text(value: Any) -> str:
    """The text of a cell that is not text.

    A number that lost digits keeps a form that shows it, and is reported if it is used.
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        # An id that was stored as a number is a float: 10482.0 means 10482.
        whole = abs(value) < _LARGEST_WHOLE and value == int(value)
        return str(int(value)) if whole else repr(float(value)).upper()
    if isinstance(value, date):
        # As a spreadsheet shows it, so that an id that became a date is recognised.
        return value.strftime("%d-%b-%Y")
    return "" if value is None else str(value)


def _error_cells(path: Path, name: str, sheet: str) -> Cells:
    """The errors in the cells of a sheet; none for a kind of workbook other than XLSX.

    Raises ExportError for a workbook that is too large to be read.
    """
    found: dict[tuple[int, int], str] = {}
    last_row = last_column = 0
    try:
        with ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
                raise _too_large(name, "it unpacks to more than 1 GiB")
            with archive.open(_part(archive, sheet)) as stream:
                rest = b""
                while chunk := stream.read(_CHUNK):
                    text = rest + chunk
                    for column, row in _CELL.findall(text):
                        last_row = max(last_row, int(row))
                        last_column = max(last_column, _number(column) + 1)
                    # A search for the two bytes is all that most files need.
                    if b't="e"' in text:
                        for column, row, value in _ERROR_CELL.findall(text):
                            found[int(row) - 1, _number(column)] = unescape(value.decode())
                    # A cell may be parted between two chunks.
                    rest = text[max(text.rfind(b"<c "), text.rfind(b":c "), 0) :][-_CHUNK:]
    except (BadZipFile, KeyError, ValueError):
        return {}
    if last_row * last_column > _MOST_CELLS:
        raise _too_large(name, f"its cells reach to row {last_row} and column {last_column}")
    return found


def _too_large(name: str, what: str) -> ExportError:
    return ExportError.at(
        name,
        f"The workbook is too large: {what}.",
        hint="Delete the empty rows and columns around the table, or save the sheet as CSV UTF-8.",
    )


def _part(archive: ZipFile, sheet: str) -> str:
    """The name of the part with a sheet's cells; KeyError if the archive is no such workbook."""
    workbook = archive.read("xl/workbook.xml").decode()
    relation = _tag(workbook, _SHEET, "name", sheet)["id"]
    relations = archive.read("xl/_rels/workbook.xml.rels").decode()
    target = _tag(relations, _RELATION, "Id", relation)["Target"]
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _tag(text: str, tags: re.Pattern[str], key: str, value: str) -> dict[str, str]:
    """The attributes of the first tag in which one has a value; KeyError if none has."""
    for match in tags.finditer(text):
        attributes = _attributes(match[0])
        if attributes.get(key) == value:
            return attributes
    raise KeyError(value)


def _attributes(tag: str) -> dict[str, str]:
    """A tag's attributes, without their namespaces."""
    pairs = re.findall(r'(?:\w+:)?(\w+)="([^"]*)"', tag)
    return {key: unescape(value) for key, value in pairs}


def _number(letters: bytes) -> int:
    """The number of a column, from 0, by its letters."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number - 1
