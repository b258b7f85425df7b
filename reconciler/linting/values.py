"""What rules about values find in a catalogue.

Values are judged field by field: each distinct one once, and only if any is at fault are the
products looked through for it. So dozens of rules cost little if nothing is wrong.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeAlias

from reconciler.linting.rule import Flaw, Hit, ValueRule
from reconciler.model import INDEX, Location, Product, Value, all_hold

Locate: TypeAlias = Callable[[Product, str, str | None], Location]
"""The location of a product's value, by its key; of one entry, if it is a list and one is named."""


class Columns:
    """The products of a catalogue, and their values field by field, each made when first asked."""

    def __init__(self, products: Iterable[Product]) -> None:
        self.products = tuple(products)
        self.values = cache(self._values)
        self.distinct = cache(self._distinct)

    def _values(self, key: str) -> list[Value | None]:
        """The value that each product has for a field or a note."""
        if key in INDEX:
            position = INDEX[key]
            return [product.values[position] for product in self.products]
        return [product.value(key) for product in self.products]

    def _distinct(self, key: str) -> tuple[Value | None, ...]:
        """Each value once, in the order of the products."""
        # Not a set: its order changes from run to run, and findings must not (P8).
        return tuple(dict.fromkeys(self.values(key)))


def hits(rule: ValueRule, columns: Columns, locate: Locate) -> Iterator[Hit]:
    """What `rule` finds, each once: many products may inherit one default."""
    # A dict as an ordered set, for the same findings in the same order (P8).
    found: dict[Hit, None] = {}
    for key in rule.fields:
        check = rule.check
        flawed = {
            value: flaws for value in columns.distinct(key) if (flaws := tuple(check(key, value)))
        }
        if not flawed:
            continue
        for product, value in zip(columns.products, columns.values(key), strict=True):
            if value in flawed and all_hold(rule.where, product):
                for flaw in flawed[value]:
                    found[_hit(product, key, flaw, locate)] = None
    yield from found


def _hit(product: Product, key: str, flaw: Flaw, locate: Locate) -> Hit:
    location = locate(product, key, flaw.text)
    return Hit(flaw.message, location, (product.file,), product.store_id)


def at_product(product: Product, key: str, text: str | None) -> Location:
    """The location of a value as far as the product itself knows it."""
    return product.location_of(key) if key in INDEX else product.location
