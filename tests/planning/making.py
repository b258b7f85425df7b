"""Short ways to make the values that planning works on."""

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.model import (
    NOTHING,
    Catalog,
    Entry,
    Kept,
    Known,
    Ledger,
    Listing,
    Notes,
    Product,
    RemoteProduct,
    Sent,
    State,
    Value,
    canonical_tags,
    first_line,
    pack_location,
    slot,
)
from reconciler.planning.diff import diff
from reconciler.planning.operations import Operation, Patch, operations
from reconciler.planning.outcome import Answer, Failure
from reconciler.planning.plan import Create, Delete, Plan, Update
from reconciler.planning.sight import Sight, Situation
from reconciler.planning.steps import Look, Step
from tests.model.making import row

NAME = "Shirt"
"""The name of every product whose name is not the point."""


def declared(
    store_id: str,
    name: str = NAME,
    *,
    tags: Iterable[str] | None = None,
    image: str | None = None,
    type: str | None = None,
    was: str | None = None,
    file: str = "catalog/all.yaml",
    line: int = 1,
    notes: Notes = (),
) -> Product:
    """A declared product; `was` is its renamed_from."""
    given = None if tags is None else canonical_tags(tags)
    values = row(store_id=store_id, name=name, tags=given, image_url=image, type=type)
    at = pack_location(line, 3)
    here = at - first_line(at)
    offsets = tuple(0 if value is None else here for value in values)
    return Product(values, file, at, (*offsets, here if was else 0), was, notes)


def catalog(*products: Product, **facts: Any) -> Catalog:
    """A catalogue of these products."""
    return Catalog({product.store_id: product for product in products}, **facts)


def listed(
    id: str | None, store_id: str | None, name: str | None = NAME, tags: Iterable[str] = ()
) -> RemoteProduct:
    """A remote product."""
    return RemoteProduct(id, row(store_id=store_id, name=name, tags=canonical_tags(tags)))


def remote(*products: RemoteProduct) -> Listing:
    """A remote that lists these products."""
    return Listing(products)


def known(store_id: str, **fields: tuple[str, State]) -> Known:
    """What is remembered of one product: image_url and type, each with its state."""
    return Known(store_id, entries(**fields))


def entries(**fields: tuple[str, State]) -> tuple[Entry | None, ...]:
    """Known write-only values."""
    made: list[Entry | None] = list(NOTHING)
    for key, (value, state) in fields.items():
        made[slot(key)] = Entry(value, state)
    return tuple(made)


def normalised(declared_as: str, **fields: tuple[Value, Value | None]) -> Known:
    """What is remembered of a product of which the server keeps other values: (sent, kept)."""
    return Known(declared_as, NOTHING, {key: Kept(*pair) for key, pair in fields.items()})


def ledger(
    products: Mapping[str, Known] | None = None,
    creates: Mapping[str, tuple[Entry | None, ...]] | None = None,
    *renames: tuple[str, str, str],
) -> Ledger:
    """A ledger that holds this; `renames` were begun: (id, came from, store_id)."""
    known = dict(products or {})
    for id, came_from, store_id in renames:
        known[id] = known.get(id, Known(store_id))._replace(store_id=store_id, came_from=came_from)
    sent = {store_id: Sent(entries) for store_id, entries in (creates or {}).items()}
    return Ledger(known, sent)


def moved(ledger: Ledger) -> list[tuple[str, str, str]]:
    """The renames that a ledger holds: (id, came from, store_id)."""
    return [
        (id, known.came_from, known.store_id)
        for id, known in sorted(ledger.products.items())
        if known.came_from is not None
    ]


EMPTY = Ledger()


def told(plan: Plan) -> list[str]:
    """The changes in a few words: "+A", "-p1 A", "p1 A>B name"."""
    lines = []
    for change in plan.changes:
        if isinstance(change, Create):
            lines.append(f"+{change.store_id}")
        elif isinstance(change, Delete):
            lines.append(f"-{change.id} {change.store_id}")
        else:
            lines.append(_told_update(change))
    return lines


def _told_update(change: Update) -> str:
    fields = [key for key in change.fields if key != "store_id"]
    moved = f"{change.renamed_from}>" if change.renamed_from else ""
    return " ".join([change.id, f"{moved}{change.store_id}", *fields])


def held(plan: Plan) -> list[tuple[str | None, tuple[str, ...], str]]:
    """The blocked products as plain values."""
    return [(b.store_id, b.ids, str(b.reason)) for b in plan.blocked]


def codes(plan: Plan) -> list[str]:
    """The codes of the warnings, in their order."""
    return [str(finding.code) for finding in plan.warnings]


def planned(products: Iterable[Product], there: Iterable[RemoteProduct], **options: Any) -> Plan:
    """The plan for these declared and remote products; `ledger` among the options."""
    memory = options.pop("ledger", EMPTY)
    return diff(catalog(*products), remote(*there), memory, **options)


def ok(operation: Operation, at: float = 0.0, *, id: str | None = None) -> Answer:
    """A call that succeeded; `id` is what a POST was answered with."""
    return Answer(operation, at, id)


def lost(operation: Operation, at: float = 0.0, *, repeats: int = 0, rest: bool = False) -> Answer:
    """A call whose answer never came, or did not tell; `rest`: the server has ended its work."""
    return Answer(operation, at, None, Failure("no answer", True, rest, repeats=repeats))


def refused(operation: Operation, at: float = 0.0, *, gone: bool = False) -> Answer:
    """A call that surely had no effect."""
    return Answer(operation, at, None, Failure("refused", gone=gone, refused=not gone))


def situation(
    plan: Plan,
    *answers: Answer,
    there: Iterable[RemoteProduct] | None = None,
    after: int | None = None,
    before: Iterable[str] = ("p1", "p2", "p3"),
    **facts: Any,
) -> Situation:
    """The middle of an apply of `plan`; `there` is the last list, read after `after` answers."""
    sight = None
    asked = facts.pop("asked", facts.get("now", 0.0))
    if there is not None:
        count = len(answers) if after is None else after
        known = facts.get("known", {})
        sight = Sight.of(remote(*there), plan, set(before), after=count, asked=asked, known=known)
    return Situation(
        plan, operations(plan), before=set(before), answers=answers, sight=sight, **facts
    )


def told_step(step: Step) -> str:
    """A step in a few words: "done", "look 3", "PATCH p1 name, POST A"."""
    if step is None:
        return "done"
    if isinstance(step, Look):
        return f"look {step.at:g}"
    return ", ".join(map(_told_call, step.operations))


def _told_call(operation: Operation) -> str:
    if isinstance(operation, Patch):
        return " ".join(["PATCH", *operation.ids, *operation.body])
    return f"{operation.method} {operation.change.store_id}"
