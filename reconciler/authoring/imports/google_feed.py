"""Google Merchant feeds: TSV, RSS or Atom. Each entry is a variant; item_group_id joins them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from reconciler.authoring.imports.elements import elements
from reconciler.authoring.imports.export import (
    Export,
    ExportFaults,
    ExportFile,
    ExportFormat,
    ImportChoice,
)
from reconciler.authoring.imports.object_format import Item, export_of
from reconciler.authoring.imports.table_format import (
    WHOLE,
    Folding,
    TableLayout,
    one_row_each,
    open_rows,
)
from reconciler.authoring.imports.tables import TableHeader

_NAMESPACE: Final = "http://base.google.com/ns/1.0"
_ID: Final = "item_group_id or id"
_LABELS: Final = tuple(f"custom label {number}" for number in range(5))


def _folding(header: TableHeader) -> Folding:
    group, id = header.at("item group id"), header.at("id")
    return lambda cells: (cells[group].strip() or cells[id].strip(), WHOLE, ())


_LAYOUT: Final = TableLayout(
    {
        "store_id": ("id",),
        "name": ("title",),
        "tags": _LABELS,
        "type": ("product type",),
        "image_url": ("image link",),
    },
    _folding,
    joined=frozenset({"tags"}),
    key_is_id=True,
)


def _open(file: ExportFile, choice: ImportChoice, faults: ExportFaults) -> Export:
    chosen = "store_id" in choice.columns
    if file.kind == "xml":
        keys = {
            "store_id": _ID,
            "name": "title",
            "tags": "labels",
            "type": "product_type",
            "image_url": "image_link",
        }
        return export_of(_items(file), keys, file, choice)
    # Somebody who names a column for the id means the id of each row, not that of its group.
    layout = replace(_LAYOUT, folding=one_row_each, key_is_id=False) if chosen else _LAYOUT
    return open_rows(layout, file, choice, faults)


def _items(file: ExportFile) -> Iterator[Item]:
    for line, element in elements(file.path, file.name, ("item", "entry")):
        item: dict[str, str] = {}
        for child in element:
            item.setdefault(child.tag, (child.text or "").strip())
        item[_ID] = item.get("item_group_id") or item.get("id", "")
        labels = [item.get(f"custom_label_{number}", "") for number in range(5)]
        # A feed without labels says nothing about tags, so it must not clear any.
        if any(f"custom_label_{number}" in item for number in range(5)):
            item["labels"] = "\n".join(filter(None, labels))
        yield line, item, ()


def _recognises(file: ExportFile) -> bool:
    if file.kind == "xml":
        return _NAMESPACE in file.names and not file.names.isdisjoint({"rss", "feed"})
    marks = {"id", "title", "image link"}
    return file.kind in ("text", "workbook") and file.names.issuperset(marks)


def _labels(text: str) -> list[str]:
    return text.splitlines()


FORMAT: Final = ExportFormat(
    "google-feed",
    _recognises,
    _open,
    tags=_labels,
    repeats=True,
    advice=(
        "A feed's ids are made for Google: item_group_id and id are often SKUs, or ids of "
        "variants, and not what a product page passes."
    ),
)
