"""Whose change is it? Each Change against the catalogue of a base revision.

The question is answered by what a plan of the base would do to the same product now, field by
field: the same (the remote had drifted from the base already), nothing (this branch made the
change), or something else (both did). So unmanaged fields, renames, values in doubt and values
that the server keeps are judged by the one comparison that made the plan; for write-only fields
the ledger's value plays the part of the remote.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import datetime

from reconciler.codes import Code
from reconciler.model import Catalog, Ledger, Listing
from reconciler.planning.compare import Comparison, declared
from reconciler.planning.hints import products, warning
from reconciler.planning.ignore import NOTHING_IGNORED, Ignore
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
    ignore: Ignore = NOTHING_IGNORED,
) -> Plan:
    """`plan` with the origin of each Change, which was made from `remote`, `ledger`, `resend`.

    A Create is drift if the base declares the same product, and an edit if it does not; a Delete is
    drift if the base does not declare the product either.
    """
    origins = _Origins(base, remote, ledger, resend, now, ignore)
    changes = tuple(replace(change, origin=origins.of(change)) for change in plan.changes)
    return replace(plan, changes=changes)


def only_of(plan: Plan, origins: Sequence[Origin]) -> Plan:
    """`plan` with the changes of these origins alone; what is left is counted in a warning.

    A create or a rename to a store_id that a product keeps because its own change is left waits
    with it. Without `origins` the plan is as it was.
    """
    if not origins:
        return plan
    kept = [change for change in plan.changes if change.origin in origins]
    # Each change that waits may keep its store_id from another, so repeat until nothing else waits.
    while True:
        chosen = {id(change) for change in kept}
        left = [change for change in plan.changes if id(change) not in chosen]
        held = {
            change.leaves if isinstance(change, Update) else change.store_id
            for change in left
            if not isinstance(change, Create)
        }
        free = [change for change in kept if not _takes(change, held)]
        if len(free) == len(kept):
            break
        kept = free
    if not left:
        return plan
    counts = Counter(change.action for change in left)
    told = ", ".join(f"{count} to {action}" for action, count in sorted(counts.items()))
    origin = " and ".join(sorted({change.origin or "none" for change in left}))
    as_is = "it is" if len(left) == 1 else "they are"
    message = f"{products(len(left))} left as {as_is}, by --only: {told} (origin: {origin})."
    warnings = (*plan.warnings, warning(Code.LEFT_OUT, message))
    # Drift left alone is not an edit left out, so the commit still counts as applied.
    partial = plan.partial or any(change.origin != "drift" for change in left)
    return replace(plan, changes=tuple(kept), warnings=warnings, partial=partial)


def _takes(change: Change, held: Set[str | None]) -> bool:
    """Whether a change brings a product to one of these store_ids."""
    arrives = isinstance(change, Create) or (isinstance(change, Update) and change.renamed_from)
    return bool(arrives) and change.store_id in held


class _Origins:
    """The base beside the remote."""

    def __init__(
        self,
        base: Catalog,
        remote: Listing,
        ledger: Ledger,
        resend: Sequence[str],
        now: datetime | None,
        ignore: Ignore,
    ) -> None:
        base, remote = ignore.of_catalog(base), ignore.of_listing(remote, base)
        matching = match(base, remote, ledger, now=now)
        self._ignore = ignore
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
            wanted = self._ignore.wanted(product, None)
            return "drift" if change.fields == declared(wanted) else "both"
        return _joined(self._of_fields(change))

    def _of_fields(self, change: Update) -> Iterator[Origin]:
        store_id = self._by_id.get(change.id)
        wanted: dict[str, FieldChange] = {}
        if store_id is not None:
            product = self._ignore.wanted(self._base.products[store_id], change.seen)
            wanted = self._comparison.differences(product, change.seen)
        for key, field in change.fields.items():
            if key not in wanted:
                yield "edit"
            else:
                yield "drift" if wanted[key].after == field.after else "both"


def _joined(origins: Iterable[Origin]) -> Origin:
    """The origin of a whole product: that of its fields if they agree."""
    found = set(origins)
    return found.pop() if len(found) == 1 else "both"
