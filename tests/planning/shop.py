"""A model of the API in memory: what PATCH, POST and DELETE mean, and nothing of HTTP.

It holds every plan to two laws while its calls are made: no call gives a second product the
store_id of another, and no call touches a product that its Changes do not name.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from reconciler.model import KEYS, READABLE, Catalog, Ledger, Listing, RemoteProduct, Value
from reconciler.planning.conclude import concluded, in_doubt
from reconciler.planning.diff import diff
from reconciler.planning.operations import Operation, Patch, Post, operations
from reconciler.planning.outcome import Fate, Verdict
from reconciler.planning.plan import Plan

Row = dict[str, Value | None]


class Doubled(Exception):
    """A call would make a second product with one store_id."""


class Shop:
    """The remote: rows by id. `keeps` is how the server normalises what it is sent."""

    def __init__(
        self,
        *products: RemoteProduct,
        unique: bool = True,
        keeps: Callable[[str, Value], Value] = lambda key, value: value,
    ) -> None:
        self.rows: dict[str, Row] = {}
        self.nameless: list[RemoteProduct] = []
        self.unique = unique
        self.keeps = keeps
        self.born = 0
        for product in products:
            if product.id is None:
                self.nameless.append(product)
            else:
                self.rows[product.id] = dict(zip(KEYS, product.values, strict=True))

    def copy(self) -> "Shop":
        """Another shop of the same state."""
        other = Shop(unique=self.unique, keeps=self.keeps)
        other.rows, other.nameless = deepcopy(self.rows), self.nameless
        other.born = self.born
        return other

    def listing(self) -> Listing:
        """What the list endpoint returns: no write-only values."""
        products = [
            RemoteProduct(
                id, tuple(row[key] if n in READABLE else None for n, key in enumerate(KEYS))
            )
            for id, row in self.rows.items()
        ]
        return Listing((*self.nameless, *products))

    def call(self, operation: Operation) -> str | None:
        """Carry out one call; a POST returns the new id."""
        before = Counter(row["store_id"] for row in self.rows.values())
        made = self._write(operation)
        after = Counter(row["store_id"] for row in self.rows.values())
        doubled = [s for s, count in after.items() if count > max(1, before[s])]
        if doubled:
            raise Doubled(f"{operation} doubles {doubled}")
        return made

    def _write(self, operation: Operation) -> str | None:
        if isinstance(operation, Post):
            self.born += 1
            id = f"new{self.born}"
            body = operation.body
            self.rows[id] = {"tags": (), **dict.fromkeys(KEYS[:2]), "image_url": "", "type": ""}
            self._set(id, body.items())
            return id
        if isinstance(operation, Patch):
            for id in operation.ids:
                if self.unique and "store_id" in operation.body:
                    others = [r["store_id"] for other, r in self.rows.items() if other != id]
                    if self.keeps("store_id", operation.body["store_id"]) in others:
                        raise Doubled(f"{operation} is refused")
                self._set(id, operation.body.items())
        else:
            del self.rows[operation.change.id]
        return None

    def _set(self, id: str, values: Iterable[tuple[str, Value]]) -> None:
        for key, value in values:
            self.rows[id][key] = self.keeps(key, value)

    def places(self) -> dict[str, Any]:
        """The store_id of each id."""
        return {id: row["store_id"] for id, row in self.rows.items()}


def carry_out(shop: Shop, plan: Plan, ledger: Ledger) -> Ledger:
    """Apply the whole plan without a fault; the ledger after it."""
    untouched = set(shop.rows) - {change.id for change in plan.changes}
    still = {id: dict(shop.rows[id]) for id in untouched}
    made: dict[str, str] = {}
    for operation in operations(plan):
        id = shop.call(operation)
        if id is not None and isinstance(operation, Post):
            made[operation.change.store_id] = id
    assert {id: shop.rows[id] for id in untouched} == still
    verdicts = []
    for change in plan.changes:
        row = shop.rows.get(made.get(change.store_id, str(change.id)))
        fields = [] if row is None else list(change.fields.items())
        kept = {k: row[k] for k, f in fields if row and not f.write_only and row[k] != f.after}
        verdicts.append(
            Verdict(
                change,
                Fate.APPLIED,
                made.get(change.store_id, change.id),
                landed=frozenset(change.fields),
                kept=kept,
                listed=row is not None,
            )
        )
    listed = [product.id for product in shop.listing().products]
    return concluded(ledger, plan, verdicts, present=listed)


def crash(shop: Shop, plan: Plan, ledger: Ledger, after: int) -> Ledger:
    """Apply, and die after so many calls: what was recorded before the first is all there is."""
    doubts = in_doubt(ledger, plan)
    for operation in list(operations(plan))[:after]:
        shop.call(operation)
    return doubts


def settle(shop: Shop, catalog: Catalog, ledger: Ledger, **options: Any) -> tuple[Ledger, Plan]:
    """Plan and apply; the ledger after it and the plan that was applied."""
    plan = diff(catalog, shop.listing(), ledger, **options)
    return carry_out(shop, plan, ledger), plan
