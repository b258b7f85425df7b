"""What the readers of exports have in common: sightings, the faults of a file, the options.

A reader yields what each row says of a garment, and knows nothing of catalogues. The rows of one
garment may be far apart; `fold` makes one product of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.codes import Code
from reconciler.errors import ExportError
from reconciler.model import INDEX, KEYS, Finding, Location

HANDLE_AT: Final = len(KEYS)
"""The position of the handle in the texts of a sighting: it names the file of a new product."""
COLUMNS: Final = (*KEYS, "handle")
"""What a sighting has a text for, by position: the fields, and the handle."""
ID_AT: Final = INDEX["store_id"]
TYPE_AT: Final = INDEX["type"]
IMAGE_AT: Final = INDEX["image_url"]
NO_TEXTS: Final = ("",) * len(COLUMNS)

_MOST_FINDINGS: Final = 1_000
_URLS: Final = re.compile(r"\s*[,;|]\s*(?=(?:https?:)?//)")
_SPACES: Final = re.compile(r"[\s_-]+")
_ASIDE: Final = re.compile(r"\([^)]*\)|[*?#]")


class Sighting(NamedTuple):
    """What one row or element of an export says of one garment.

    `garment` is what its rows share, such as the handle. `texts` has a text for each of COLUMNS,
    "" if the row does not say. `tested` holds the texts of the columns that `only` tests. `whole`
    says that the row describes a garment, and does not only add to one. `variants` names garments
    that are variants of this one.
    """

    garment: str
    texts: tuple[str, ...]
    row: int
    tested: tuple[str, ...] = ()
    whole: bool = True
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportChoice:
    """What to read from an export, as the flags say, or else the settings.

    `columns` names the export's column for a field, `only` the glob that a column must match, in
    order; `types` the type for each glob of the shop's kinds; `fields` what is imported. `ids`
    holds the store_ids by handle, if another file gives them.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = tuple(key for key in KEYS if key != "store_id")
    image_base: str | None = None
    ids: Mapping[str, str] | None = None


class Column(NamedTuple):
    """A column of an export by its own title, and its number, from 1; 0 if it has none."""

    title: str
    number: int


@dataclass(slots=True)
class Export:
    """One opened file: its sightings, read as they are asked for, and its columns by field.

    `delimiter` is what separates the cells of a text file.
    """

    sightings: Iterable[Sighting]
    columns: Mapping[str, Column]
    delimiter: str | None = None


class ExportFile(NamedTuple):
    """A file before its format is known.

    `names` are those at its head, normalised: a table's header, the keys of the first object, or
    the root element.
    """

    path: Path
    name: str
    kind: Literal["text", "workbook", "json", "xml"]
    names: frozenset[str]


class ExportFaults:
    """Collects what is wrong in exports, with row and column, so that all of it is told at once."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.more = 0

    def error(
        self,
        message: str,
        file: str,
        row: int = 1,
        column: int = 0,
        *,
        code: Code = Code.SPREADSHEET_DAMAGE,
    ) -> None:
        """Report an error at a row and a column, both from 1."""
        # What is wrong in one row is mostly wrong in all, and an export may have 100,000.
        if len(self.findings) < _MOST_FINDINGS:
            place = Location(file, row, max(column, 1))
            self.findings.append(Finding("error", code, message, place))
        else:
            self.more += 1

    def check(self) -> None:
        """Raise ExportError if anything was reported."""
        if self.findings:
            raise ExportError(self.findings, self.more)


Open: TypeAlias = Callable[[ExportFile, ImportChoice, ExportFaults], Export]
Split: TypeAlias = Callable[[str], Sequence[str]]


def split_tags(text: str) -> list[str]:
    """Tags with commas between them."""
    return [tag for part in text.split(",") if (tag := part.strip())]


def one_kind(text: str) -> list[str]:
    """A product type or category that is one text."""
    return [text]


def paths_between(separator: str) -> Split:
    """A function that splits a text at `separator` and at line breaks; a backslash escapes it."""
    parted = re.compile(rf"(?<!\\){re.escape(separator)}|\n")

    def split(text: str) -> list[str]:
        parts = (part.replace(f"\\{separator}", separator) for part in parted.split(text))
        return [path for part in parts if (path := part.strip())]

    return split


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One format of exports: how it is recognised, opened, and how its texts are split.

    `repeats` says that several whole rows may describe one garment. `advice` is a warning for every
    import that uses the format's own id. `own_id` is set if the format has no usable id, and says
    how to give one.
    """

    name: str
    recognises: Callable[[ExportFile], bool]
    open: Open
    tags: Split = split_tags
    kinds: Split = one_kind
    repeats: bool = False
    advice: str | None = None
    own_id: str | None = None


def normal(title: str) -> str:
    """A column's title in lower case, without asides, and with one blank between its words."""
    plain = _ASIDE.sub(" ", title) if "(" in title or title[-1:] in "*?#" else title
    return _SPACES.sub(" ", plain).strip().casefold()


def first_url(text: str) -> str:
    """The first of several URLs, whatever separates them.

    If there are several lines, the first one with a whole address counts.
    """
    # A comma separates only if an address follows it, since a URL may hold commas itself.
    lines = text.split("\n")
    line = next((line for line in lines if "//" in line), lines[0])
    return _URLS.split(line, maxsplit=1)[0].strip()
