"""PrestaShop's product files, with semicolons: its import's titles, and those of its list."""

from typing import Final

from reconciler.authoring.imports.export import paths_between
from reconciler.authoring.imports.table_format import TableLayout, table_format

FORMAT: Final = table_format(
    "prestashop",
    [
        ("product id", "name", "image urls"),
        ("product id", "name", "active"),
        ("product id", "name", "reference"),
        ("id", "name", "active", "image urls"),
        ("id product", "name"),
    ],
    TableLayout(
        {
            "store_id": ("product id", "id product", "id"),
            "name": ("name",),
            "tags": ("tags",),
            "type": ("categories", "category"),
            "image_url": ("image urls", "image url", "image"),
            "handle": ("url rewritten", "rewritten url", "link rewrite"),
        }
    ),
    not_with=("item", "item type", "handle"),
    kinds=paths_between(","),
)
