"""The remote's state: RemoteProduct, and Listing, a list that was proven complete."""

import json
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, NamedTuple, TypeAlias

from reconciler.model.characters import can_be_declared
from reconciler.model.fields import FIELDS, INDEX, Value, Values

Record: TypeAlias = Mapping[str, Any]
"""One product exactly as the list endpoint returned it."""


_MOST_DIGITS: Final = 4_000


class RemoteProduct(NamedTuple):
    """One product as the list endpoint returned it.

    `id` is Robosize's, or None if the record has no usable id. `values` has one entry per row of
    FIELDS, None if it is write-only, null or missing. Numbers are read as their text. The other
    data of a product is in its record (`Listing.records`).
    """

    id: str | None
    values: Values

    @property
    def store_id(self) -> str | None:
        """The shop's id; None if the remote has none."""
        return self.values[0]  # type: ignore[return-value]  # the wire reader guarantees text

    @property
    def name(self) -> str | None:
        """The name; None if it is null at the remote."""
        return self.values[1]  # type: ignore[return-value]  # the wire reader guarantees text

    @property
    def declarable(self) -> bool:
        """Whether a catalogue can hold the store_id as it is, and the name without its margins."""
        store_id = self.store_id
        if store_id is None or store_id.strip() != store_id:
            return False
        return can_be_declared(store_id) and can_be_declared(self.name)

    def value(self, key: str) -> Value | None:
        """The remote value of `key`; None if it is null or write-only."""
        return self.values[INDEX[key]]


@dataclass(frozen=True, slots=True)
class Listing:
    """All products of the remote as read at one time, in the order of the API.

    `pages` holds the records that `products` were read from, each page a deflated JSON list. Whole
    records are needed only for the few products to be changed or deleted, and deflated they take
    a tenth of the space. `pages` is empty if a caller made the listing from products alone.
    """

    products: tuple[RemoteProduct, ...]
    pages: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        # A failed test would otherwise print every product of the shop.
        return f"<Listing of {len(self.products)} products>"

    def every_record(self) -> Iterator[Record]:
        """The whole record of every product, decoded page by page."""
        if not self.pages:
            yield from map(_bare_record, self.products)
        for page in self.pages:
            yield from read_dirty(zlib.decompress(page))

    def records(self, ids: Collection[str]) -> dict[str, Record]:
        """The whole records of the products with these ids, by id."""
        wanted = set(ids)
        if not self.pages:
            return {p.id: _bare_record(p) for p in self.products if p.id in wanted and p.id}
        found: dict[str, Record] = {}
        for page in self.pages:
            # Most plans touch few products, so most pages need not be unpacked.
            if len(found) == len(wanted):
                break
            # Page by page: all records at once would take ten times the memory.
            for record in read_dirty(zlib.decompress(page)):
                # Some servers send ids as numbers, and the ledger holds text.
                if (key := str(record.get("id"))) in wanted:
                    found[key] = record
        return found


def read_dirty(data: bytes | str) -> Any:
    """A server's JSON; a number that could not be written again, as NaN, is read as its text."""
    return json.loads(data, parse_int=_whole_number, parse_float=_finite_number, parse_constant=str)


def _whole_number(digits: str) -> int | str:
    """A whole number, or its text if it has too many digits."""
    # Python refuses to convert more than 4,300 digits.
    return int(digits) if len(digits) < _MOST_DIGITS else digits


def _finite_number(digits: str) -> float | str:
    """A number with a fraction or an exponent, or its text if it is not finite."""
    number = float(digits)  # 1e999 becomes inf, which JSON cannot write.
    return number if isfinite(number) else digits


def _bare_record(product: RemoteProduct) -> Record:
    """The record of a product whose listing has no pages."""
    record: dict[str, Any] = {"id": product.id}
    for field, value in zip(FIELDS, product.values, strict=True):
        if field.readable:
            record[field.key] = list(value) if isinstance(value, tuple) else value
    return record
