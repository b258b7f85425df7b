"""The names of the formats of exports that `import` reads."""

from typing import Final, Literal, TypeAlias, get_args

ExportName: TypeAlias = Literal[
    "shopify-csv",
    "shopify-json",
    "matrixify",
    "woocommerce",
    "magento",
    "prestashop",
    "bigcommerce",
    "shopware",
    "google-feed",
    "sfcc",
    "csv",
    "jsonl",
]
# Taken from the type, so that the two lists cannot differ.
EXPORT_NAMES: Final[tuple[ExportName, ...]] = get_args(ExportName)
"""The names, those of particular shops first."""
