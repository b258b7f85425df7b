"""http-image: pictures that travel without encryption."""

from collections.abc import Iterator
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import CatalogRule, Hit
from reconciler.model import INDEX, Catalog

_IMAGE: Final = INDEX["image_url"]


def _check(catalog: Catalog) -> Iterator[Hit]:
    for product in catalog.products.values():
        url = product.values[_IMAGE]
        # The scheme of a URL may be written in either case.
        if isinstance(url, str) and url[:5].lower() == "http:":
            yield Hit(
                f"The image of {product.store_id} has a plain http:// address, which browsers "
                "block on a secure page. Write https://.",
                product.location_of("image_url"),
            )


RULE: Final = CatalogRule(
    code=Code.HTTP_IMAGE,
    sentence="An image has a plain http:// address, which browsers block or complain about on a "
    "page that was loaded over https.",
    example="image_url: http://cdn.shop/10482.jpg",
    remedy="Write https://, once the server of the image speaks it.",
    check=_check,
)
