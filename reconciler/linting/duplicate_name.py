"""duplicate-name: products that nobody can tell apart by their names."""

from collections.abc import Iterator
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import CatalogRule, Hit
from reconciler.model import INDEX, Catalog, Product
from reconciler.wording import few

_NAME: Final = INDEX["name"]


def _check(catalog: Catalog) -> Iterator[Hit]:
    first: dict[str, Product] = {}
    repeats: dict[str, list[Product]] = {}
    for product in catalog.products.values():
        name = product.values[_NAME]
        # A name that defaults give is shared on purpose.
        if isinstance(name, str) and product.offsets and product.offsets[_NAME]:
            other = first.setdefault(name, product)
            if other is not product:
                repeats.setdefault(name, [other]).append(product)
    for name, products in repeats.items():
        shown = few([f"{p.store_id} at {p.location_of('name')}" for p in products], 5)
        yield Hit(
            f"{len(products)} products have the name {name!r}: {shown}. "
            "Say in the name what tells them apart, or share it through defaults.",
            products[1].location_of("name"),
            tuple({product.file for product in products}),
        )


RULE: Final = CatalogRule(
    code=Code.DUPLICATE_NAME,
    sentence="Several products have the same name, so nobody can tell them apart in a list, and a "
    "store_id that was changed by mistake cannot be recognised by the name.",
    example='- {store_id: "1", name: Linen shirt}\n- {store_id: "2", name: Linen shirt}',
    remedy="Say in the name what tells the products apart. Variants that share a name on purpose "
    "can have it from `defaults:`, which this rule passes over.",
    check=_check,
)
