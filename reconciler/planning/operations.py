"""Plan -> Operations: the fewest honest calls, in an order that is safe.

A rename is a call for one product, since no two may have one store_id, and carries all that
changes of it. A product with a value that no other change shares needs its own call anyway, and
carries all its fields in it. What is left shares calls: products that are connected by shared
values are grouped by whole change, or field by field, whichever takes fewer calls.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeAlias

from reconciler.model import KEYS, Body, Value
from reconciler.planning.plan import Create, Delete, Plan, Update
from reconciler.planning.renames import lines, parked_name

DEFAULT_BATCH: Final = 100
"""The most products that share one PATCH. The API names no limit; this keeps bodies small."""

_Pair: TypeAlias = tuple[str, Value]


@dataclass(frozen=True, slots=True)
class Post:
    """Create one product."""

    method: ClassVar[Literal["POST"]] = "POST"
    ids: ClassVar[tuple[str, ...]] = ()
    parking: ClassVar[bool] = False
    change: Create

    @property
    def body(self) -> Body:
        """What is sent: every declared value, in the order of the field table."""
        return values(self.change)

    @property
    def store_ids(self) -> tuple[str, ...]:
        """The store_id of its Change."""
        return (self.change.store_id,)


@dataclass(frozen=True, slots=True)
class Patch:
    """Set the fields of `body` on the products of `changes`.

    `parking` marks the one call of a ring of renames that makes room: it completes no Change.
    """

    method: ClassVar[Literal["PATCH"]] = "PATCH"
    changes: tuple[Update, ...]
    body: Body
    parking: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The remote ids, in the order of the changes."""
        return tuple(change.id for change in self.changes)

    @property
    def store_ids(self) -> tuple[str, ...]:
        """The store_ids of its Changes."""
        return tuple(change.store_id for change in self.changes)


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete one product."""

    method: ClassVar[Literal["DELETE"]] = "DELETE"
    body: ClassVar[Body] = {}
    parking: ClassVar[bool] = False
    change: Delete

    @property
    def ids(self) -> tuple[str, ...]:
        """The remote id."""
        return (self.change.id,)

    @property
    def store_ids(self) -> tuple[str, ...]:
        """The store_id of its Change."""
        return (self.change.store_id,)


Operation: TypeAlias = Post | Patch | Remove


@dataclass(frozen=True, slots=True)
class Operations:
    """The calls of a plan in their phases, which run in this order.

    Each chain of renames runs in its order, since each link needs the store_id that the one before
    it gives up; everything else within a phase may run side by side.
    """

    renames: tuple[tuple[Patch, ...], ...] = ()
    updates: tuple[Patch, ...] = ()
    creates: tuple[Post, ...] = ()
    deletes: tuple[Remove, ...] = ()

    def __iter__(self) -> Iterator[Operation]:
        for chain in self.renames:
            yield from chain
        yield from self.updates
        yield from self.creates
        yield from self.deletes

    def __len__(self) -> int:
        links = sum(len(chain) for chain in self.renames)
        return links + len(self.updates) + len(self.creates) + len(self.deletes)


def operations(plan: Plan, *, batch: int = DEFAULT_BATCH) -> Operations:
    """The calls that carry out `plan`: at most one a change, and one more for each ring."""
    # A shared call would give several products the same store_id.
    renames = [c for c in plan.changes if isinstance(c, Update) and "store_id" in c.fields]
    updates = [c for c in plan.changes if isinstance(c, Update) and "store_id" not in c.fields]
    return Operations(
        renames=_chains(renames),
        updates=_shared(updates, batch),
        creates=tuple(Post(c) for c in plan.changes if isinstance(c, Create)),
        deletes=tuple(Remove(c) for c in plan.changes if isinstance(c, Delete)),
    )


def values(change: Create | Update) -> dict[str, Value]:
    """The values that `change` sends, in the order of the field table."""
    fields = change.fields
    return {
        key: fields[key].after  # type: ignore[misc]  # only a Delete's after is None
        for key in KEYS
        if key in fields
    }


def _chains(renames: Sequence[Update]) -> tuple[tuple[Patch, ...], ...]:
    """Renames in chains, each after the one that gives up its store_id."""
    by_target = {change.store_id: change for change in renames}
    chains = []
    for line, is_ring in lines({change.store_id: str(change.leaves) for change in renames}):
        first = by_target[line[0]]
        chain = [Patch((by_target[target],), values(by_target[target])) for target in line]
        if is_ring:
            # The first link's target is still taken by the last one of the ring: step aside, let
            # the others move up, then take it.
            parked: Body = {"store_id": parked_name(first.store_id, first.id)}
            chain = [Patch((first,), parked, parking=True), *chain[1:], chain[0]]
        chains.append(tuple(chain))
    return tuple(chains)


def _shared(updates: Sequence[Update], batch: int) -> tuple[Patch, ...]:
    bodies = [values(change) for change in updates]
    # Its own call is needed in any case, so its other fields cost no further call there.
    own, rest = _own_calls(bodies)
    patches = [Patch((updates[n],), bodies[n]) for n in own]
    for component in _components(bodies, rest):
        by_change: defaultdict[tuple[_Pair, ...], list[int]] = defaultdict(list)
        by_field: defaultdict[tuple[_Pair, ...], list[int]] = defaultdict(list)
        for n in component:
            by_change[tuple(bodies[n].items())].append(n)
            for pair in bodies[n].items():
                by_field[(pair,)].append(n)
        # Judged for each component alone: what suits one may cost another more calls.
        fewest = min(by_change, by_field, key=lambda groups: _calls(groups.values(), batch))
        for pairs, members in fewest.items():
            for start in range(0, len(members), batch):
                changes = tuple(updates[n] for n in members[start : start + batch])
                patches.append(Patch(changes, dict(pairs)))
    # P8: grouping goes by the values, so the calls are put in a fixed order again.
    return tuple(sorted(patches, key=lambda p: (p.changes[0].store_id, *p.body)))


def _calls(groups: Iterable[Sequence[int]], batch: int) -> int:
    return sum(-(-len(members) // batch) for members in groups)


def _own_calls(bodies: Sequence[Body]) -> tuple[list[int], list[int]]:
    """The changes with a value that no other one shares, and the rest."""
    holders: defaultdict[_Pair, set[int]] = defaultdict(set)
    for n, body in enumerate(bodies):
        for pair in body.items():
            holders[pair].add(n)
    alone = [n for n, body in enumerate(bodies) if any(len(holders[p]) == 1 for p in body.items())]
    own: set[int] = set()
    while alone:
        n = alone.pop()
        if n in own:
            continue
        own.add(n)
        for pair in bodies[n].items():
            left = holders[pair]
            left.discard(n)
            # A change with a call of its own shares nothing, so its value may now be another one's
            # alone.
            if len(left) == 1:
                alone += left
    return sorted(own), [n for n in range(len(bodies)) if n not in own]


def _components(bodies: Sequence[Body], members: Iterable[int]) -> list[list[int]]:
    """`members` in groups that share values, directly or through others."""
    leader: dict[object, object] = {}

    def find(node: object) -> object:
        while (above := leader.setdefault(node, node)) != node:
            # Halving the path keeps this near linear.
            leader[node] = node = leader[above]
        return node

    groups: defaultdict[object, list[int]] = defaultdict(list)
    listed = list(members)
    for n in listed:
        first, *others = bodies[n].items()
        for pair in others:
            leader[find(pair)] = find(first)
    for n in listed:
        groups[find(next(iter(bodies[n].items())))].append(n)
    return list(groups.values())


def as_json(plan: Plan, *, batch: int = DEFAULT_BATCH) -> list[dict[str, Any]]:
    """The calls as the plan file shows them to readers."""
    return [operation_json(operation) for operation in operations(plan, batch=batch)]


def operation_json(operation: Operation) -> dict[str, Any]:
    """One call: method, remote ids, store_ids, and the body without the ids."""
    body = {k: list(v) if isinstance(v, tuple) else v for k, v in operation.body.items()}
    return {
        "method": operation.method,
        "ids": list(operation.ids),
        "store_ids": list(operation.store_ids),
        "body": body or None,
    }
