"""Shopify's products as JSON: the shop's products.json and the Admin API, any number of pages."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.authoring.imports.export import ExportFile
from reconciler.authoring.imports.object_format import Item, object_format
from reconciler.authoring.imports.objects import objects

_GLOBAL_ID: Final = "gid://shopify/Product/"
# What marks a variant or an image in the Admin API's bulk files, which are JSON Lines.
_PARENT: Final = "__parentId"
_KEYS: Final = {
    "store_id": "id",
    "name": "title",
    "tags": "tags",
    "type": "product_type",
    "image_url": "image",
    "handle": "handle",
}


def _items(file: ExportFile) -> Iterator[Item]:
    for number, product in enumerate(objects(file.path, file.name), 1):
        if _PARENT in product:
            continue
        item = dict(product)
        item["image"] = _image(product)
        if isinstance(id := item.get("id"), str):
            item["id"] = id.removeprefix(_GLOBAL_ID)
        # The Admin API's GraphQL has its own spelling of this key.
        if "product_type" not in item and "productType" in item:
            item["product_type"] = item["productType"]
        yield number, item, ()


def _image(product: Mapping[str, Any]) -> str:
    """The address of the first image."""
    images = product.get("images")
    other = product.get("image") or product.get("featuredImage")
    first = images[0] if isinstance(images, list) and images else other
    source = first.get("src") or first.get("url") if isinstance(first, dict) else first
    return source if isinstance(source, str) else ""


def ids_by_handle(file: ExportFile) -> dict[str, str]:
    """The product ids in a file, by handle."""
    return {
        str(item.get("handle")): str(item["id"])
        for _, item, _ in _items(file)
        if isinstance(item.get("id"), str)
    }


FORMAT: Final = object_format(
    "shopify-json",
    lambda file: (
        file.kind == "json"
        and file.names.issuperset({"id", "title"})
        and not file.names.isdisjoint({"variants", "handle", "product_type", "productType"})
    ),
    _items,
    _KEYS,
)
