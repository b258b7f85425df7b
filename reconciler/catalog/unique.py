"""What must hold between products: no store_id twice, and no renames that contradict.

Two renames from one id, or from a store_id that stays declared, cannot both be meant.
"""

from collections.abc import Sequence
from typing import Final

from reconciler.codes import Code
from reconciler.model import INDEX, Product, unpack_location
from reconciler.wording import few
from reconciler.yamltext.findings import Faults, Findings

_STORE_ID: Final = INDEX["store_id"]
_RENAME: Final = -1


class Declared:
    """The products of all files, by store_id, in the order in which they are added."""

    def __init__(self) -> None:
        self.products: dict[str, Product] = {}
        self._repeats: dict[str, list[Product]] = {}
        self._renames: list[Product] = []

    def add(self, products: Sequence[Product]) -> None:
        """Take in more products, in the order of the files; not one whose store_id is faulty."""
        for product in products:
            store_id = product.values[_STORE_ID]
            # That it is missing was told when it was read.
            if not isinstance(store_id, str):
                continue
            first = self.products.setdefault(store_id, product)
            # The first one stays, so that the other checks have one product to speak of.
            if first is not product:
                self._repeats.setdefault(store_id, [first]).append(product)
            if product.renamed_from is not None:
                self._renames.append(product)

    def check(self, findings: Findings) -> None:
        """Report what products say against each other."""
        for store_id, products in self._repeats.items():
            _report_repeats(store_id, products, findings)
        sources: dict[str, list[Product]] = {}
        for product in self._renames:
            self._check_rename(product, findings)
            sources.setdefault(product.renamed_from or "", []).append(product)
        for store_id, products in sources.items():
            if len(products) > 1:
                _report_double_rename(store_id, products, findings)

    def _check_rename(self, product: Product, findings: Findings) -> None:
        """Report a rename from a store_id that stays declared."""
        before = product.renamed_from
        holder = self.products.get(before or "")
        if before == product.store_id:
            message = f"renamed_from is this product's own store_id {before!r}. Remove it."
        elif holder is None or holder.offsets[_RENAME]:
            # A holder that is itself renamed away makes a chain or a swap, which is legal.
            return
        else:
            message = (
                f"Renamed from {before!r}, which is still declared at "
                f"{holder.location_of('store_id')}. Remove that product or this renamed_from."
            )
        at = product.packed_at(_RENAME)
        faults = Faults(product.file, findings)
        about = [] if holder is None else [holder.file]
        faults.error(Code.RENAME_STILL_DECLARED, message, at, about)


def _report_repeats(store_id: str, products: Sequence[Product], findings: Findings) -> None:
    """Report each later declaration of a store_id; every message names all of them."""
    packed = _packed(products, _STORE_ID)
    files = {product.file for product in products}
    for product, at in list(zip(products, packed, strict=True))[1:]:
        faults = Faults(product.file, findings)
        message = (
            f"store_id {store_id!r} is declared {len(packed)} times: {_listed(products, packed)}. "
            "Keep one of them."
        )
        faults.error(Code.DUPLICATE_STORE_ID, message, at, files)


def _report_double_rename(store_id: str, products: Sequence[Product], findings: Findings) -> None:
    """Report each later rename from one store_id; every message names all of them."""
    packed = _packed(products, _RENAME)
    files = {product.file for product in products}
    for product, at in list(zip(products, packed, strict=True))[1:]:
        faults = Faults(product.file, findings)
        message = (
            f"{len(packed)} products are renamed from {store_id!r}: {_listed(products, packed)}. "
            "One product can become only one other: keep one renamed_from."
        )
        faults.error(Code.RENAME_TWICE, message, at, files)


def _packed(products: Sequence[Product], position: int) -> Sequence[int]:
    """The packed location of each product's value; of the product, if a merge key brings the value.

    A value that several products share through an anchor counts for the first of them only.
    """
    seen: set[tuple[str, int]] = set()
    packed: list[int] = []
    for product in products:
        at = product.packed_at(position)
        packed.append(product.at if (product.file, at) in seen else at)
        seen.add((product.file, at))
    return packed


def _listed(products: Sequence[Product], packed: Sequence[int]) -> str:
    """The first locations, and how many more there are."""
    located = zip(products, packed, strict=True)
    return few([str(unpack_location(product.file, at)) for product, at in located], 5)
