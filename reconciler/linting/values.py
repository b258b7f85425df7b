"""What rules about values find in a catalogue.

Values are judged field by field: each distinct one once, and only if any is at fault are the
products looked through for it. So dozens of rules cost little where nothing is wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from reconciler.linting.rule import Flaw, Hit, ValueRule
from reconciler.model import INDEX, Location, Product, Value, all_hold

Locate: TypeAlias = Callable[[Product, str, str | None], Location]
"""The location of a product's value, by its key; of one entry, if it is a list and one is named."""


def hits(rule: ValueRule, products: Iterable[Product], locate: Locate) -> Iterator[Hit]:
    """What `rule` finds, each once: many products may inherit one default."""
    found: dict[Hit, None] = {}
    listed = tuple(products)
    for key in rule.fields:
        values = values_of(listed, key)
        flawed = {
            value: flaws
            for value in dict.fromkeys(values)
            if (flaws := tuple(rule.check(key, value)))
        }
        for product, value in zip(listed, values, strict=True) if flawed else ():
            if value in flawed and all_hold(rule.where, product):
                for flaw in flawed[value]:
                    found[_hit(product, key, flaw, locate)] = None
    yield from found


def values_of(products: Sequence[Product], key: str) -> list[Value | None]:
    """The value that each product has for a field or a note."""
    if key in INDEX:
        position = INDEX[key]
        return [product.values[position] for product in products]
    return [product.value(key) for product in products]


def _hit(product: Product, key: str, flaw: Flaw, locate: Locate) -> Hit:
    location = locate(product, key, flaw.text)
    return Hit(flaw.message, location, (product.file,), product.store_id)


def at_product(product: Product, key: str, text: str | None) -> Location:
    """The location of a value as far as the product itself knows it."""
    return product.location_of(key) if key in INDEX else product.location
