"""Folds all sightings of a garment into one; of each text the first that is not empty counts.

Rows are folded while they are read, so memory holds one list of texts for each garment, and not
its rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from reconciler.authoring.imports.damage import damage_of, id_damage_of
from reconciler.authoring.imports.export import (
    COLUMNS,
    HANDLE_AT,
    ID_AT,
    Column,
    ExportFaults,
    Sighting,
)
from reconciler.codes import Code

_TESTED: Final = len(COLUMNS)
_ROW: Final = -1
_FILE: Final = -2


class Garment(NamedTuple):
    """One product of the shop: its texts by position in COLUMNS, and the row of its first sighting.

    `tested` holds the texts of the columns that `only` tests.
    """

    texts: Sequence[str]
    tested: Sequence[str]
    file: str
    row: int


class Fold:
    """Takes in the sightings of one file after another; one garment may go on in the next file.

    `repeats` is as in ExportFormat. What a spreadsheet did to texts that are taken is reported.
    """

    def __init__(self, faults: ExportFaults, *, repeats: bool) -> None:
        self.rows = 0
        self._faults = faults
        self._repeats = repeats
        self._garments: dict[str, list[object]] = {}
        self._variants: set[str] = set()

    def take(
        self, file: str, columns: Mapping[str, Column], sightings: Iterable[Sighting]
    ) -> Iterator[None]:
        """Fold the sightings of a file; yields after each, so that a caller can count them."""
        for sighting in sightings:
            self.rows += 1
            self._variants.update(sighting.variants)
            known = self._garments.get(sighting.garment)
            if known is None:
                for position, text in enumerate(sighting.texts):
                    if text:
                        self._look_at(position, text, sighting.row, file, columns)
                entry = [*sighting.texts, *sighting.tested, file, sighting.row]
                self._garments[sighting.garment] = entry
            else:
                self._add(known, sighting, file, columns)
            yield

    def _add(
        self,
        known: list[object],
        sighting: Sighting,
        file: str,
        columns: Mapping[str, Column],
    ) -> None:
        texts = sighting.texts
        if sighting.whole and not self._repeats:
            self._compare(known, sighting, file, columns)
        missing = [n for n, text in enumerate(texts) if text and not known[n]]
        for position in missing:
            self._look_at(position, texts[position], sighting.row, file, columns)
            known[position] = texts[position]
        for position, text in enumerate(sighting.tested, _TESTED):
            known[position] = known[position] or text

    def _compare(
        self, known: list[object], sighting: Sighting, file: str, columns: Mapping[str, Column]
    ) -> None:
        """Report a second row of a garment if it says something else than the first."""
        for key, text, own in zip(COLUMNS[:HANDLE_AT], sighting.texts, known, strict=False):
            if text != own:
                title, number = columns.get(key, Column(key, 0))
                self._faults.error(
                    f"{sighting.texts[ID_AT]!r} is already in row {known[_ROW]} of {known[_FILE]}, "
                    f"and {title} differs. One id must be one product: remove a row, or "
                    "name another column with --id.",
                    file,
                    sighting.row,
                    number,
                    code=Code.DUPLICATE_STORE_ID,
                )
                # One difference is enough to know that these are two products.
                return

    def _look_at(
        self, position: int, text: str, row: int, file: str, columns: Mapping[str, Column]
    ) -> None:
        """Report what a spreadsheet did to a text that is taken from a row."""
        problem = damage_of(text)
        if problem is None and position == ID_AT:
            problem = id_damage_of(text)
        if problem is not None:
            title, number = columns.get(COLUMNS[position], Column(COLUMNS[position], 0))
            self._faults.error(f"{title} {problem}", file, row, number)

    def garments(self) -> Iterator[Garment]:
        """The garments in the order of their first rows; each is forgotten here."""
        garments, self._garments = self._garments, {}
        for key in list(garments):
            entry = garments.pop(key)
            # Only now, since a variant may come before the garment that names it.
            if key not in self._variants:
                texts = tuple(map(str, entry[:_TESTED]))
                tested = tuple(map(str, entry[_TESTED:_FILE]))
                yield Garment(texts, tested, str(entry[_FILE]), int(str(entry[_ROW])))
