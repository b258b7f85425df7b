"""WooCommerce's product export: variations are rows below their product, each with its Parent.

Titles are in the language of the person who exported; the kinds of rows are always in English.
"""

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

_KIND: Final = ("type", "typ", "tipo")


def _folding(header: TableHeader) -> Folding:
    kind = header.at(*_KIND)
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
        ("id", "typ", "name", "kategorien"),
        ("id", "type", "nom", "ugs"),
        ("id", "tipo", "nombre"),
    ],
    TableLayout(
        {
            "store_id": ("id",),
            "name": ("name", "nom", "nombre"),
            "tags": ("tags", "schlagwörter", "étiquettes", "etiquetas"),
            "type": ("categories", "kategorien", "catégories", "categorías"),
            "image_url": ("images", "bilder", "imágenes"),
        },
        _folding,
        needs=_KIND,
    ),
    not_with=("item", "handle"),
    tags=paths_between(","),
    kinds=paths_between(","),
)
