"""What others keep at the remote, so that it is left alone: some tags, and whole products.

Ignored products are taken out of both sides before anything is compared. Ignored tags of a product
are neither compared nor lost: whatever tags are written, those at the remote travel along.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from reconciler.model import (
    INDEX,
    Catalog,
    Listing,
    Product,
    RemoteProduct,
    Value,
    Values,
    canonical_tags,
    glob,
)

_TAGS: Final = INDEX["tags"]


class Ignore:
    """The globs of tags and of store_ids that are left alone."""

    def __init__(self, tags: Sequence[str] = (), products: Sequence[str] = ()) -> None:
        self.tags, self.products = tuple(tags), tuple(products)
        self._tag_globs = tuple(map(glob, tags))
        self._product_globs = tuple(map(glob, products))
        # Many products share the same tags, and each glob is a regular expression.
        self._kept = lru_cache(maxsize=None)(self._kept_of)

    def leaves(self, store_id: str | None) -> bool:
        """Whether a product is left alone."""
        return any(matches(store_id or "") for matches in self._product_globs)

    def of_catalog(self, catalog: Catalog) -> Catalog:
        """The catalogue without the products that are left alone."""
        if not self._product_globs:
            return catalog
        declared = catalog.products.items()
        return replace(catalog, products={s: p for s, p in declared if not self.leaves(s)})

    def of_listing(self, remote: Listing, catalog: Catalog | None = None) -> Listing:
        """The list without the products that are left alone.

        One that waits for a rename to such a store_id, by the whole `catalog`, is one of them: it
        would look undeclared, and be deleted.
        """
        if not self._product_globs:
            return remote
        declared = {} if catalog is None else catalog.products
        waiting = {p.renamed_from for s, p in declared.items() if self.leaves(s)}
        # One that is declared too is not waiting: it is compared like any other.
        waiting -= {None, *declared}
        products = tuple(
            each
            for each in remote.products
            if not self.leaves(each.store_id) and each.store_id not in waiting
        )
        return replace(remote, products=products)

    def wanted(self, product: Product, remote: RemoteProduct | None) -> Product:
        """The product as it shall be: its own tags, and those at the remote that are left alone.

        Without a remote product it is as it is created: without tags that are left alone.
        """
        there = () if remote is None else remote.values[_TAGS] or ()
        values = self._joined(product.values, there)
        return product if values is product.values else product._replace(values=values)

    def pulled(self, remote: RemoteProduct, product: Product | None = None) -> RemoteProduct:
        """The remote product as a pull sees it: its tags, and those declared that are left alone.

        So a pull neither writes such a tag into a file nor takes one away.
        """
        declared = () if product is None else product.values[_TAGS] or ()
        return remote._replace(values=self._joined(remote.values, declared))

    def own(self, tags: Value | None) -> Value | None:
        """Tags without those that are left alone."""
        return tags if tags is None or not self._tag_globs else self._kept(tags, ())

    def _joined(self, values: Values, others: Value) -> Values:
        """`values`, whose tags that are left alone are those of `others`."""
        tags = values[_TAGS]
        if not self._tag_globs or tags is None:
            return values
        joined = self._kept(tags, others)
        # The same object if nothing changes, so that `wanted` need not copy the product.
        return values if joined == tags else (*values[:_TAGS], joined, *values[_TAGS + 1 :])

    def _kept_of(self, tags: Collection[str], others: Collection[str]) -> tuple[str, ...]:
        own = [tag for tag in tags if not self._is_left(tag)]
        return canonical_tags([*own, *filter(self._is_left, others)])

    def _is_left(self, tag: str) -> bool:
        return any(matches(tag) for matches in self._tag_globs)


NOTHING_IGNORED: Final = Ignore()
