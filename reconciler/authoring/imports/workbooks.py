"""Workbooks as tables, read by python-calamine, which keeps numbers apart from text.

It reads a cell with an error, such as #N/A, as empty. An image or a name that is gone would look
like one that never was, so those cells are looked for in the file itself.
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

_LARGEST_WHOLE: Final = 1 << 53
"""From here on a spreadsheet's numbers skip some whole ones."""
_SHEETS: Final = ("products", "product")
_CHUNK: Final = 1 << 20
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION: Final = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_ERROR_CELL: Final = re.compile(
    rb'<(?:\w+:)?c r="([A-Z]+)(\d+)"[^>]*\bt="e"[^>]*>(?:(?!</?(?:\w+:)?c[ >]).)*?'
    rb"<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)

Cells = Mapping[tuple[int, int], str]
"""Texts by row and column, both from 0."""


def open_workbook(path: Path, name: str, faults: ExportFaults) -> Table:
    """The table in a workbook: its sheet called Products, else the first; MissingExtra."""
    sheet = _sheet(path, name)
    _report_merged(sheet, name, faults)
    return table_of(_rows(sheet, _error_cells(path, sheet.name)), name, faults, None)


def _sheet(path: Path, name: str) -> "CalamineSheet":
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
            return workbook.get_sheet_by_name(next(products, sheets[0]))
        problem = "it has no sheet"
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
    """A cell of another type as its text; what lost digits shows it, and is told where it is used.

    An id that was stored as a number is a float: 10482.0 is 10482.
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        whole = abs(value) < _LARGEST_WHOLE and value == int(value)
        return str(int(value)) if whole else repr(float(value)).upper()
    if isinstance(value, date):
        # As a spreadsheet shows it, so that an id that became a date is recognised.
        return value.strftime("%d-%b-%Y")
    return "" if value is None else str(value)


def _error_cells(path: Path, sheet: str) -> Cells:
    """The errors in the cells of a sheet; none for a kind of workbook other than XLSX."""
    found: dict[tuple[int, int], str] = {}
    try:
        with ZipFile(path) as archive, archive.open(_part(archive, sheet)) as stream:
            rest = b""
            while chunk := stream.read(_CHUNK):
                text = rest + chunk
                # A search for the two bytes is all that most files need.
                if b't="e"' in text:
                    for column, row, value in _ERROR_CELL.findall(text):
                        found[int(row) - 1, _number(column)] = unescape(value.decode())
                # A cell may be parted between two chunks.
                rest = text[max(text.rfind(b"<c "), text.rfind(b":c "), 0) :][-_CHUNK:]
    except (BadZipFile, KeyError, ValueError):
        return {}
    return found


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
