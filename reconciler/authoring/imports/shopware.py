"""Shopware 6's product export, with semicolons: a variant names its parent."""

from typing import Final

from reconciler.authoring.imports.export import paths_between
from reconciler.authoring.imports.table_format import (
    VARIANT,
    WHOLE,
    Folding,
    TableLayout,
    table_format,
)
from reconciler.authoring.imports.tables import TableHeader


def _folding(header: TableHeader) -> Folding:
    parent = header.at("parent id")
    return lambda cells: ("", VARIANT if cells[parent].strip() else WHOLE, ())


FORMAT: Final = table_format(
    "shopware",
    [("id", "parent id", "product number"), ("id", "parent id", "cover media url")],
    TableLayout(
        {
            "store_id": ("id",),
            "name": ("name",),
            "type": ("categories",),
            "image_url": ("cover media url",),
        },
        _folding,
        needs=("parent id",),
    ),
    kinds=paths_between("|"),
)
