"""Shopify's own product export: a row for each variant and for each further image.

It lacks the product id, which is what a Shopify page passes, so it is read only if somebody says
where the ids are.
"""

from typing import Final

from reconciler.authoring.imports.table_format import TableLayout, shared, table_format

FORMAT: Final = table_format(
    "shopify-csv",
    [
        ("handle", "title", "variant price"),
        ("handle", "title", "option1 value"),
        ("handle", "title", "body"),
        ("handle", "title", "image src"),
        ("url handle", "title"),
    ],
    TableLayout(
        {
            "store_id": (),
            "name": ("title",),
            "tags": ("tags",),
            "type": ("type", "custom product type"),
            "image_url": ("image src", "product image url"),
            "handle": ("handle", "url handle"),
        },
        shared("handle", "url handle"),
    ),
    not_with=("id",),
    repeats=True,
    own_id=(
        "Shopify's CSV has no product ids, and a Shopify page passes the product id: with handles "
        "or SKUs no customer would ever get a recommendation. Save https://YOUR-SHOP/products.json"
        "?limit=250&page=1 (and further pages) and name the files with --ids, import those files "
        "themselves, or say --id Handle if your pages pass the handle."
    ),
)
