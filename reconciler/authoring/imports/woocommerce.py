"""WooCommerce's product export: variations are rows below, each with its Parent."""

from typing import Final

from reconciler.authoring.imports.export import category_paths
from reconciler.authoring.imports.table_format import (
    VARIANT,
    WHOLE,
    Folding,
    Layouts,
    table_format,
)
from reconciler.authoring.imports.tables import TableHeader


def _folding(header: TableHeader) -> Folding:
    kind = header.at("type")
    return lambda cells: (
        "",
        VARIANT if cells[kind].strip().casefold().startswith("variation") else WHOLE,
        (),
    )


FORMAT: Final = table_format(
    "woocommerce",
    [
        ("id", "type", "sku", "name"),
        ("id", "type", "name", "parent"),
        ("id", "type", "name", "regular price"),
    ],
    Layouts(
        {
            "store_id": ("id",),
            "name": ("name",),
            "tags": ("tags",),
            "type": ("categories",),
            "image_url": ("images",),
        },
        _folding,
    ),
    not_with=("item", "handle"),
    kinds=category_paths,
)
