"""Tables: a header and rows; and how a CSV file is read as one, row by row.

Nothing is guessed about a cell: `0123` stays as it is.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from reconciler.authoring.imports.export import Column, ExportFaults, normal
from reconciler.codes import Code
from reconciler.errors import ExportError, UsageError
from reconciler.wording import did_you_mean, few

_DELIMITERS: Final = (",", ";", "\t")
_LARGEST_CELL: Final = 16 << 20
_HEADER_LENGTH: Final = 1 << 16
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class TableHeader:
    """The titles of a table's columns; the place of a column that is missing is -1.

    Every row gets one more cell, which is empty and which -1 finds.
    """

    def __init__(self, titles: Sequence[str], file: str) -> None:
        self.titles = [title.strip() for title in titles]
        self._file = file
        self._places: dict[str, int] = {}
        for place, title in enumerate(self.titles):
            if title:
                self._places.setdefault(normal(title), place)

    @property
    def names(self) -> frozenset[str]:
        """The normalised titles."""
        return frozenset(self._places)

    def at(self, *names: str) -> int:
        """The place of the first of these normalised titles that is there."""
        return next((self._places[name] for name in names if name in self._places), -1)

    def column(self, place: int) -> Column:
        """The column at a place."""
        return Column(self.titles[place], place + 1)

    def named(self, title: str) -> int:
        """The place of a column that a person named; UsageError if there is none."""
        if title in self.titles:
            return self.titles.index(title)
        place = self.at(normal(title))
        if place < 0:
            meant = did_you_mean(title, self.titles, 0.4)
            raise UsageError(
                f"{self._file} has no column {title!r}.",
                hint=f"{meant}Its columns: {few(list(filter(None, self.titles)), 30)}.",
            )
        return place


@dataclass(slots=True)
class Table:
    """A header, and the rows below it, each with its number and an empty cell at its end."""

    header: TableHeader
    rows: Iterator[tuple[int, list[str]]]
    delimiter: str | None = None


def open_table(path: Path, name: str, faults: ExportFaults) -> Table:
    """The table in a text file; ExportError if it has no header."""
    rows, delimiter = _text_rows(path, name, faults)
    return table_of(rows, name, faults, delimiter)


def table_of(
    rows: Iterator[tuple[int, list[str]]], name: str, faults: ExportFaults, delimiter: str | None
) -> Table:
    """The table in rows, each with its number; the first that is not empty is its header."""
    first, titles = next(((n, row) for n, row in rows if any(map(str.strip, row))), (1, []))
    header = TableHeader(titles, name)
    if not header.names:
        raise ExportError.at(name, "The file is empty: it has no row with the titles of columns.")
    for place, title in enumerate(header.titles):
        if "\ufeff" in title:
            message = "There is a byte-order mark within the file: were two files joined?"
            faults.error(message, name, first, place + 1)
    return Table(header, _whole(rows, header, name, first, faults), delimiter)


def _whole(
    rows: Iterator[tuple[int, list[str]]],
    header: TableHeader,
    name: str,
    first: int,
    faults: ExportFaults,
) -> Iterator[tuple[int, list[str]]]:
    """The rows that have the header's cells; the others are reported."""
    width = len(header.titles)
    # A first column without a title is an index that some programs write.
    unnamed = [place for place, title in enumerate(header.titles) if place and not title]
    named = max(place for place, title in enumerate(header.titles) if title) + 1
    for number, cells in rows:
        if not any(map(str.strip, cells)):
            continue
        length = len(cells)
        if length < named or any(map(str.strip, cells[width:])):
            _report_length(length, width, name, number, faults)
            continue
        if length != width:
            cells = [*cells[:width], *[""] * (width - length)]
        for place in unnamed:
            if cells[place].strip():
                message = (
                    f"The column has values (in row {number}) and no title: were header cells "
                    "merged? Give each column its own title."
                )
                faults.error(message, name, first, place + 1)
                unnamed = [other for other in unnamed if other != place]
        # The cell that the place -1 of a missing column finds.
        cells.append("")
        yield number, cells


def _report_length(length: int, width: int, name: str, row: int, faults: ExportFaults) -> None:
    message = (
        f"The row has {length} cells, and the header {width}: a cell that holds the delimiter or a "
        "quote is not quoted, or the file was cut off."
    )
    faults.error(message, name, row, min(length, width) + 1, code=Code.DAMAGED_ROW)


def _text_rows(
    path: Path, name: str, faults: ExportFaults
) -> tuple[Iterator[tuple[int, list[str]]], str]:
    """The rows of a text file, and what separates their cells."""
    # A byte that is not UTF-8 becomes a lone surrogate, to be reported if the cell is used.
    stream = path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    head = stream.read(_HEADER_LENGTH)
    stream.seek(0)
    skipped = 0
    delimiter = ""
    if head[:4].lower() == "sep=" and head[4:5]:
        # A line that only spreadsheets read, and that names the delimiter.
        delimiter, skipped = head[4], 1
        stream.readline()
    delimiter = delimiter or delimiter_of(head)
    return _records(stream, delimiter, skipped, name, faults), delimiter


def delimiter_of(head: str) -> str:
    """The most frequent of the known delimiters in the first line that is not empty.

    What is within quotes does not count, and only the header does: descriptions hold commas.
    """
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for character in head.lstrip("\r\n"):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "\r\n":
            break
        elif not quoted and character in counts:
            counts[character] += 1
    return max(counts, key=lambda delimiter: counts[delimiter])


def _records(
    stream: TextIO, delimiter: str, skipped: int, name: str, faults: ExportFaults
) -> Iterator[tuple[int, list[str]]]:
    # The library's own limit, 128 KiB, is less than a description with pictures in it.
    csv.field_size_limit(_LARGEST_CELL)
    with stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        row = skipped
        while True:
            # A row has the number that a spreadsheet shows: a cell may hold line breaks, so the
            # reader's count of lines is another.
            row += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                faults.error(_csv_problem(error), name, row, code=Code.DAMAGED_ROW)
                continue
            yield row, cells


def _csv_problem(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "A quote is opened in this row and never closed. Was the file cut off?"
    return (
        f"The row cannot be read: {text}. A text with a quote in it must be quoted, and the quote "
        "doubled."
    )


def check_encoding(head: bytes, name: str) -> None:
    """Raise ExportError for UTF-16, which spreadsheets call Unicode text."""
    if head.startswith(_UTF_16):
        raise ExportError.at(
            name, "The file is UTF-16, not UTF-8. Save it as `CSV UTF-8`.", Code.BAD_ENCODING
        )
