"""Matrixify's export of Shopify products, CSV or XLSX: ids on every row, images on some."""

from typing import Final

from reconciler.authoring.imports.table_format import TableLayout, shared, table_format

FORMAT: Final = table_format(
    "matrixify",
    [("id", "handle", "title"), ("id", "command", "title"), ("id", "title", "variant id")],
    TableLayout(
        {
            "store_id": ("id",),
            "name": ("title",),
            "tags": ("tags",),
            "type": ("type",),
            "image_url": ("image src",),
            "handle": ("handle",),
        },
        shared("handle", "id"),
    ),
    repeats=True,
)
