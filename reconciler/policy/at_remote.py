"""Which products at the remote break the rules about values, whatever is declared."""

from collections.abc import Iterator
from typing import Final

from reconciler.linting.registry import Ruleset
from reconciler.linting.rule import ValueRule
from reconciler.model import INDEX, WRITE_ONLY, Catalog, Ledger, Listing, Product, Value, all_hold
from reconciler.planning.ignore import Ignore
from reconciler.policy.guard_rule import as_declared

_UNKNOWN: Final = frozenset(WRITE_ONLY)
"""Fields that no list shows: what the ledger does not know of them is not judged."""


def breaking(
    remote: Listing, ledger: Ledger, catalog: Catalog, ruleset: Ruleset, ignore: Ignore
) -> frozenset[str | None]:
    """The ids of remote products that break a rule. What others keep there is not looked at.

    The file that a rule is about is that of the product which is declared with the same store_id.
    """
    rules = [
        rule
        for rule in ruleset.rules
        if isinstance(rule, ValueRule) and ruleset.level_of(rule) != "off"
    ]
    if not rules:
        return frozenset()
    products = list(_products(remote, ledger, catalog, ignore))
    found: set[str | None] = set()
    for rule in rules:
        for key in filter(INDEX.__contains__, rule.fields):
            position = INDEX[key]
            # A shop has few distinct values in a field, and a rule may be slow.
            judged: dict[Value | None, bool] = {}
            for id, product in products:
                value = product.values[position]
                # The remote may hold a value that the ledger has not seen, so `required` would be
                # wrong here.
                if value is None and position in _UNKNOWN:
                    continue
                if value not in judged:
                    judged[value] = any(True for _ in rule.check(key, value))
                if judged[value] and all_hold(rule.where, product):
                    found.add(id)
    return frozenset(found)


def _products(
    remote: Listing, ledger: Ledger, catalog: Catalog, ignore: Ignore
) -> Iterator[tuple[str | None, Product]]:
    """The products that are not left alone, in the form of declared ones, by their ids."""
    for listed in ignore.of_listing(remote, catalog).products:
        # Without the tags of others: no rule of this catalogue may judge those.
        product = as_declared(ignore.pulled(listed), ledger)
        twin = catalog.products.get(product.store_id)
        if twin is not None:
            product = product._replace(file=twin.file, notes=twin.notes)
        yield listed.id, product
