"""Turns garments into products: ids, names, tags, whole addresses of images, and mapped types."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import urljoin

from reconciler.authoring.imports.export import (
    COLUMNS,
    HANDLE_AT,
    ID_AT,
    IMAGE_AT,
    TYPE_AT,
    Column,
    ExportFaults,
    ExportFormat,
    ImportChoice,
    first_url,
)
from reconciler.authoring.imports.fold import Garment
from reconciler.catalog.text import problem_of_url
from reconciler.codes import Code
from reconciler.model import (
    FIELDS,
    INDEX,
    Kind,
    Location,
    Matches,
    Value,
    Values,
    canonical_tags,
    glob,
)

_NAME: Final = INDEX["name"]
# `no_selection` is Magento's word for a product without an image.
_NO_IMAGE: Final = frozenset({"", "no_selection"})
_LEVELS: Final = (" > ", ">", "/")


class Imported(NamedTuple):
    """One product of an export: a value for each field, None if it has none, and its location."""

    values: Values
    location: Location
    handle: str


@dataclass(slots=True)
class ImportCounts:
    """What was counted while garments became products, for the messages about it.

    `unmapped` counts products by the shop's kind that no glob of `types` matches; `images` has
    those whose image is not a whole address, each with what is wrong; `left_out` counts products
    that `only` leaves out, and `tested` what it saw in them, by column.
    """

    unmapped: Counter[str] = field(default_factory=Counter)
    images: list[tuple[str, str, Location]] = field(default_factory=list)
    left_out: int = 0
    tested: dict[str, Counter[str]] = field(default_factory=dict)


class Reading:
    """Turns the garments of one import into products."""

    def __init__(
        self,
        format: ExportFormat,
        choice: ImportChoice,
        columns: Mapping[str, Column],
        faults: ExportFaults,
    ) -> None:
        self.counts = ImportCounts(tested={column: Counter() for column in choice.only})
        self._format = format
        self._choice = choice
        self._columns = columns
        self._faults = faults
        self._only: list[tuple[str, Matches]] = [(c, glob(p)) for c, p in choice.only.items()]
        self._types = [(glob(pattern), type) for pattern, type in choice.types.items()]
        self._known: dict[str, str | None] = {}

    def products(self, garments: Iterable[Garment]) -> dict[str, Imported]:
        """The products by store_id; an id that is missing or stands twice is reported."""
        found: dict[str, Imported] = {}
        for garment in garments:
            if not self._passes(garment):
                self.counts.left_out += 1
                continue
            store_id = self._store_id(garment)
            if store_id is None:
                continue
            if (other := found.get(store_id)) is not None:
                self._report_twice(store_id, garment, other)
                continue
            location = self._place(garment, COLUMNS[ID_AT])
            values = self._values(store_id, garment, location)
            found[store_id] = Imported(values, location, garment.texts[HANDLE_AT])
        return found

    def _passes(self, garment: Garment) -> bool:
        """Whether the texts that `only` tests match; what they are is counted."""
        passes = True
        # Each column is counted, also behind the first that fails: a hint lists its values.
        for (column, matches), text in zip(self._only, garment.tested, strict=True):
            self.counts.tested[column][text] += 1
            passes = passes and matches(text)
        return passes

    def _store_id(self, garment: Garment) -> str | None:
        if self._choice.ids is None:
            store_id = garment.texts[ID_AT]
            if store_id:
                return store_id
            title = self._columns["store_id"].title if "store_id" in self._columns else "id"
            message = f"{title} is empty: without it no product page finds the product."
            self._error(message, garment, "store_id", Code.MISSING_FIELD)
            return None
        store_id = self._choice.ids.get(garment.texts[HANDLE_AT], "")
        if store_id:
            return store_id
        message = (
            f"No product with the handle {garment.texts[HANDLE_AT]!r} is in the files of --ids."
        )
        self._error(message, garment, "handle", Code.MISSING_FIELD)
        return None

    def _report_twice(self, store_id: str, garment: Garment, other: Imported) -> None:
        message = (
            f"{store_id!r} is already at {other.location}. One id must be one product: remove "
            "a row, or name another column with --id."
        )
        self._error(message, garment, "store_id", Code.DUPLICATE_STORE_ID)

    def _error(self, message: str, garment: Garment, key: str, code: Code) -> None:
        number = self._columns.get(key, Column(key, 0)).number
        self._faults.error(message, garment.file, garment.row, number, code=code)

    def _place(self, garment: Garment, key: str) -> Location:
        number = self._columns.get(key, Column(key, 0)).number
        return Location(garment.file, garment.row, max(number, 1))

    def _values(self, store_id: str, garment: Garment, location: Location) -> Values:
        values: list[Value | None] = [None] * len(FIELDS)
        values[ID_AT] = store_id
        for key in self._choice.fields:
            if key not in self._columns:
                continue
            position = INDEX[key]
            text = garment.texts[position]
            if position == TYPE_AT:
                values[position] = self._type(text)
            elif position == IMAGE_AT:
                values[position] = self._image(store_id, text, location)
            elif FIELDS[position].kind is Kind.TAGS:
                values[position] = canonical_tags(self._format.tags(text))
            else:
                values[position] = text or None
        # A new product needs its name, also if names are not imported.
        values[_NAME] = values[_NAME] or garment.texts[_NAME] or None
        return tuple(values)

    def _type(self, text: str) -> str | None:
        """The type of the first glob that one of the shop's kinds matches."""
        if text not in self._known:
            self._known[text] = self._mapped(text)
        type = self._known[text]
        if type is None and text:
            self.counts.unmapped.update(dict.fromkeys(self._format.kinds(text), 1))
        return type

    def _mapped(self, text: str) -> str | None:
        # A product without any kind is left to a glob that matches everything.
        split = self._format.kinds(text) or [""]
        kinds = [each for kind in split for each in (kind, _last(kind))]
        return next(
            (type for matches, type in self._types if any(map(matches, kinds))),
            None,
        )

    def _image(self, store_id: str, text: str, location: Location) -> str | None:
        """The whole address of the first image; None if there is none that could be used."""
        first = first_url(text)
        if first in _NO_IMAGE:
            return None
        if first.startswith("//"):
            first = f"https:{first}"
        elif "://" not in first and self._choice.image_base:
            base = self._choice.image_base.rstrip("/")
            # Only whole addresses were separated so far, and several paths may stand here.
            first = urljoin(f"{base}/", first.partition(",")[0].strip().lstrip("/"))
        # File names have blanks, which an address may only hold encoded.
        url = "%20".join(first.split())
        problem = problem_of_url(url)
        if problem is not None:
            self.counts.images.append((store_id, problem, location))
            return None
        return url


def _last(path: str) -> str:
    """The last level of a path of categories."""
    for parted in _LEVELS:
        if parted in path:
            return path.rpartition(parted)[2].strip()
    return path
