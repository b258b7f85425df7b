"""BigCommerce's product export: rows of variants and images follow the row of their product."""

from typing import Final

from reconciler.authoring.imports.export import paths_between
from reconciler.authoring.imports.table_format import (
    ADDED_IMAGE,
    VARIANT,
    WHOLE,
    Folding,
    TableLayout,
    table_format,
)
from reconciler.authoring.imports.tables import TableHeader


def _folding(header: TableHeader) -> Folding:
    item, id = header.at("item", "item type"), header.at("id", "product id")
    product = ""

    def fold(cells: list[str]) -> tuple[str, str, tuple[str, ...]]:
        nonlocal product
        kind = cells[item].strip().casefold()
        if kind == "product":
            product = cells[id].strip()
            return product, WHOLE, ()
        # An image row has the image's own id, so the product above it is the one that is meant.
        return (product, ADDED_IMAGE, ()) if kind == "image" and product else ("", VARIANT, ())

    return fold


FORMAT: Final = table_format(
    "bigcommerce",
    [("item", "id", "name"), ("item type", "product id", "product name")],
    TableLayout(
        {
            "store_id": ("id", "product id"),
            "name": ("name", "product name"),
            "type": ("categories", "category"),
            "image_url": (
                "internal image url",
                "image url",
                "product image file 1",
                "product image url 1",
            ),
            "handle": ("product url",),
        },
        _folding,
        joined=frozenset({"image_url"}),
        needs=("item", "item type"),
    ),
    kinds=paths_between(";"),
)
