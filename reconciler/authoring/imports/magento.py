"""Magento's product export: a configurable product names the SKUs of its children above it."""

import re
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

_CHILD: Final = re.compile(r"(?:^|[|,])\s*sku=([^,|]+)", re.I)
_HIDDEN: Final = ("not visible individually", "1")


def _folding(header: TableHeader) -> Folding:
    sku, view = header.at("sku"), header.at("store view code", "store")
    visibility, children = header.at("visibility"), header.at("configurable variations")

    def fold(cells: list[str]) -> tuple[str, str, list[str]]:
        hidden = cells[visibility].strip().casefold() in _HIDDEN
        # A row of a store view translates the row of its SKU; one without a SKU continues the row
        # above it.
        if not cells[sku].strip() or cells[view].strip() or hidden:
            return "", VARIANT, []
        return cells[sku].strip(), WHOLE, [each.strip() for each in _CHILD.findall(cells[children])]

    return fold


FORMAT: Final = table_format(
    "magento",
    [
        ("sku", "product type", "name"),
        ("sku", "attribute set code"),
        ("sku", "store view code"),
        ("sku", "attribute set", "name"),
    ],
    TableLayout(
        {
            "store_id": ("sku",),
            "name": ("name",),
            "type": ("categories", "category", "attribute set code", "attribute set"),
            "image_url": ("base image", "image"),
            "handle": ("url key",),
        },
        _folding,
        joined=frozenset({"type"}),
    ),
    not_with=("item", "handle"),
    kinds=paths_between(","),
    advice=(
        "Magento's export has the SKU and no entity_id. Many themes pass the entity_id: check "
        "which of them your product pages pass."
    ),
)
