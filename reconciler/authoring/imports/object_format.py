"""Formats of objects (JSON) or elements (XML): each of them is one garment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.authoring.imports.export import (
    COLUMNS,
    ID_AT,
    Column,
    Export,
    ExportFaults,
    ExportFile,
    ExportFormat,
    ImportChoice,
    Sighting,
)
from reconciler.errors import UsageError
from reconciler.wording import did_you_mean, few

Item = tuple[int, Mapping[str, Any], Sequence[str]]
"""One product: its row, its texts and lists by key, and the garments that are its variants."""


def object_format(
    name: str,
    recognises: Callable[[ExportFile], bool],
    items: Callable[[ExportFile], Iterator[Item]],
    keys: Mapping[str, str],
    **more: Any,
) -> ExportFormat:
    """A format of objects, with the key of each field."""

    def opened(file: ExportFile, choice: ImportChoice, _: ExportFaults) -> Export:
        return export_of(items(file), keys, file, choice)

    return ExportFormat(name, recognises, opened, **more)


def export_of(
    items: Iterator[Item],
    keys: Mapping[str, str],
    file: ExportFile,
    choice: ImportChoice,
) -> Export:
    """The sightings of items; `keys` names the item's key for a field if none was chosen.

    A column that no item has is dropped once all were read; if it was chosen, it is a UsageError.
    """
    names = {key: choice.columns.get(key) or keys.get(key, "") for key in COLUMNS}
    columns = {key: Column(name, 0) for key, name in names.items() if name}
    if "store_id" not in columns:
        raise UsageError(
            f"{file.name}: which key holds the ids that product pages pass is not known.",
            hint="Name it with --id KEY, and the others with --map FIELD=KEY.",
        )
    chosen = {*choice.columns.values(), *choice.only}
    return Export(_sightings(items, columns, file, list(choice.only), chosen), columns)


def _sightings(
    items: Iterator[Item],
    columns: dict[str, Column],
    file: ExportFile,
    tested: Sequence[str],
    chosen: set[str],
) -> Iterator[Sighting]:
    seen: dict[str, None] = {}
    fields = [columns[key].title if key in columns else "" for key in COLUMNS]
    for row, item, variants in items:
        seen.update(dict.fromkeys(item))
        texts = tuple([text_of_value(item.get(name)) for name in fields])
        tests = tuple([text_of_value(item.get(name)) for name in tested])
        # Without an id it is a garment of its own, which is reported by its row later.
        garment = texts[ID_AT] or f"\0{row}"
        yield Sighting(garment, texts, row, tests, True, tuple(variants))
    # Only now is it known: an object may leave out a key that others have.
    for key in [key for key, column in columns.items() if column.title not in seen]:
        del columns[key]
    for name in sorted(chosen - {*seen}):
        meant = did_you_mean(name, seen, 0.4)
        raise UsageError(
            f"{file.name}: no product has the key {name!r}.",
            hint=f"{meant}Keys: {few(list(seen), 30)}.",
        )


def text_of_value(value: Any) -> str:
    """A value as text: a list with commas between its entries, null or an object as ""."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return ", ".join(filter(None, map(text_of_value, value)))
    if isinstance(value, bool):
        return str(value).lower()
    return ""
