"""unused-default: a default that reaches no product."""

from collections.abc import Iterator
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import CatalogRule, Hit
from reconciler.model import Catalog


def _check(catalog: Catalog) -> Iterator[Hit]:
    for key, location in catalog.unused_defaults:
        yield Hit(
            f"The default {key} is used by no product: each has its own, or a nearer default. "
            "Remove it, or remove what overrides it.",
            location,
        )


RULE: Final = CatalogRule(
    code=Code.UNUSED_DEFAULT,
    sentence="A default is used by no product, because every product below it has a value of its "
    "own or a nearer default, or because there is no product. It misleads whoever edits it.",
    example="defaults: {type: top}\nproducts:\n  - {store_id: 1, name: Jeans, type: bottom}",
    remedy="Remove the default, or remove the values that override it.",
    check=_check,
)
