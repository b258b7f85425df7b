"""Whose change is it? Each Change against the catalogue of a base revision.

The question is answered by what a plan of the base would do to the same product now, field by
field: the same (the remote had drifted from the base already), nothing (this branch made the
change), or something else (both did). So unmanaged fields, renames, values in doubt and values
that the server keeps are judged by the one comparison that made the plan; for write-only fields
the ledger's value plays the part of the remote.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.model import Catalog, Ledger, Listing, Product
from reconciler.planning.compare import Comparison, declared
from reconciler.planning.matching import match
from reconciler.planning.plan import Change, Create, Delete, FieldChange, Origin, Plan, Update
from reconciler.planning.select import Resend


def with_origins(
    plan: Plan,
    base: Catalog,
    remote: Listing,
    ledger: Ledger,
    *,
    resend: Sequence[str] = (),
    now: datetime | None = None,
) -> Plan:
    """`plan` with the origin of each Change, which was made from `remote`, `ledger`, `resend`.

    A Create is drift where the base declares the same product, and an edit where it does not; a
    Delete is drift where the base declares it no more than the head does.
    """
    origins = _Origins(base, remote, ledger, resend, now)
    changes = tuple(replace(change, origin=origins.of(change)) for change in plan.changes)
    return replace(plan, changes=changes)


class _Origins:
    """The base beside the remote."""

    def __init__(
        self,
        base: Catalog,
        remote: Listing,
        ledger: Ledger,
        resend: Sequence[str],
        now: datetime | None,
    ) -> None:
        matching = match(base, remote, ledger, now=now)
        self._base = base
        self._pairs = matching.pairs
        self._by_id = {pair.id: store_id for store_id, pair in matching.pairs.items()}
        self._undeclared = {product.id for product in matching.undeclared}
        self._comparison = Comparison(ledger, Resend(resend) if resend else None, now=now)

    def of(self, change: Change) -> Origin:
        """The origin of one Change."""
        if isinstance(change, Delete):
            return "drift" if change.id in self._undeclared else "edit"
        if isinstance(change, Create):
            product = self._base.products.get(change.store_id)
            if product is None or change.store_id in self._pairs:
                return "edit"
            return "drift" if _values(change) == _declared(product) else "both"
        return _joined(self._of_fields(change))

    def _of_fields(self, change: Update) -> Iterator[Origin]:
        store_id = self._by_id.get(change.id)
        wanted: dict[str, FieldChange] = {}
        if store_id is not None:
            wanted = self._comparison.differences(self._base.products[store_id], change.seen)
        for key, field in change.fields.items():
            if key not in wanted:
                yield "edit"
            else:
                yield "drift" if wanted[key].after == field.after else "both"


def _joined(origins: Iterable[Origin]) -> Origin:
    """The origin of a whole product: that of its fields where they agree."""
    found = set(origins)
    return found.pop() if len(found) == 1 else "both"


def _values(change: Create) -> dict[str, object]:
    return {key: field.after for key, field in change.fields.items()}


def _declared(product: Product) -> dict[str, object]:
    return {key: field.after for key, field in declared(product).items()}
