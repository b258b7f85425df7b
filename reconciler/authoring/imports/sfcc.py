"""Salesforce Commerce Cloud's catalogue in XML: a master names its variants."""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from reconciler.authoring.imports.elements import elements
from reconciler.authoring.imports.export import ExportFile
from reconciler.authoring.imports.object_format import Item, object_format

_DEFAULT: Final = "x-default"
_KEYS: Final = {
    "store_id": "product-id",
    "name": "display-name",
    "type": "classification-category",
    "image_url": "image",
}


def _items(file: ExportFile) -> Iterator[Item]:
    for line, product in elements(file.path, file.name, ("product",)):
        item: dict[str, object] = {**product.attrib}
        for child in product:
            text = (child.text or "").strip()
            # Any language is better than no name, and the default one is better than any other.
            if text and (child.tag not in item or child.get("lang") == _DEFAULT):
                item[child.tag] = text
        for attribute in product.iterfind("custom-attributes/custom-attribute"):
            _take_attribute(attribute, item)
        image = product.find("images/image-group/image")
        item["image"] = "" if image is None else image.get("path", "")
        variants = [
            each.get("product-id", "") for each in product.iterfind("variations/variants/variant")
        ]
        yield line, item, variants


def _take_attribute(attribute: Element, item: dict[str, object]) -> None:
    """A custom attribute by its id: one text, or a list of them."""
    values = [(value.text or "").strip() for value in attribute.iterfind("value")]
    text = (attribute.text or "").strip()
    key = attribute.get("attribute-id", "")
    if key and (key not in item or attribute.get("lang") == _DEFAULT):
        item[key] = values or text


FORMAT: Final = object_format(
    "sfcc", lambda file: file.kind == "xml" and "catalog" in file.names, _items, _KEYS
)
