"""Situation: all that an apply has sent and seen so far, as values; and Sight, one list of it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.model import Listing, RemoteProduct
from reconciler.planning.operations import Operations
from reconciler.planning.outcome import Answer
from reconciler.planning.plan import Create, Plan

_NO_ONE: Final[tuple[str, ...]] = ()
_NO_IDS: Final[Mapping[str, tuple[str, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Sight:
    """What one list, read during an apply, shows of the products that matter to its plan.

    `after` is how many answers had come before it was asked for, and `asked` when that was.
    `by_id` holds the products that the plan names and all that are new since the apply began, which
    are `new` too; `ids` the remote ids of each store_id that the plan names. `changed` are the ids
    that the plan updates or deletes.
    """

    listing: Listing
    after: int
    asked: float
    by_id: Mapping[str, RemoteProduct]
    ids: Mapping[str, tuple[str, ...]]
    new: tuple[RemoteProduct, ...]
    changed: Collection[str | None] = frozenset()

    @classmethod
    def of(
        cls,
        listing: Listing,
        plan: Plan,
        before: Collection[str | None],
        *,
        after: int = 0,
        asked: float = 0.0,
        known: Mapping[str, tuple[str, ...]] = _NO_IDS,
    ) -> "Sight":
        """What `listing` shows; `before` are the ids that were there when the apply began.

        `known` is as in the Situation.
        """
        changed = {change.id for change in plan.changes}
        missed = {id for ids in known.values() for id in ids}
        named = {change.store_id for change in plan.changes}
        named |= {c.came_from for c in plan.changes if isinstance(c, Create) and c.came_from}
        by_id: dict[str, RemoteProduct] = {}
        ids: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
        new: list[RemoteProduct] = []
        for product in listing.products:
            id, store_id = product.id, product.store_id
            # Without an id no call can name it, so it can be no product of this apply.
            if id is None:
                continue
            if id not in before:
                new.append(product)
                by_id[id] = product
            elif id in changed or store_id in named or id in missed:
                by_id[id] = product
            if store_id is not None and store_id in named:
                ids[str(store_id)] += (id,)
        return cls(listing, after, asked, by_id, ids, tuple(new), changed)

    def may_be(self, store_id: str, id: str) -> bool:
        """Whether the new product `id` may be what a create of `store_id` was answered with.

        It is not if it is listed as something else that the plan names, or beside the real one.
        """
        product = self.by_id.get(id)
        if product is None or product.store_id == store_id:
            return True
        return product.store_id not in self.ids and store_id not in self.ids

    def with_store_id(self, store_id: str) -> tuple[str, ...]:
        """The ids of the products that are listed with `store_id`."""
        return self.ids.get(store_id, _NO_ONE)


@dataclass(frozen=True, slots=True)
class Heard:
    """The answers that tell of one Change, in their order; `last` is the number of the last one."""

    answers: tuple[Answer, ...] = ()
    last: int = -1

    def __bool__(self) -> bool:
        return bool(self.answers)

    @property
    def posts(self) -> list[Answer]:
        """The answers to POSTs."""
        return [answer for answer in self.answers if answer.operation.method == "POST"]

    @property
    def patches(self) -> list[Answer]:
        """The answers to PATCHes, without those that make room in a ring."""
        patches = [answer for answer in self.answers if answer.operation.method == "PATCH"]
        return [answer for answer in patches if not answer.operation.parking]

    @property
    def came(self) -> float:
        """When the last of them came; 0 without answers."""
        return self.answers[-1].came if self.answers else 0.0


NOTHING_HEARD: Final = Heard()


@dataclass(frozen=True, slots=True)
class Situation:
    """All that is known in the middle of an apply; `now` and all times are of its clock.

    `listed` are the ids that were listed before it, and `before` these and those that the ledger
    knows. `opened` says until when the absence of a create is not believed, because an earlier run
    may have made it, or the ledger knows its id; `lost` names those that an earlier run has sent,
    and `known` the ids, by store_id, that the ledger knows and the plan's list lacked.
    `ended` says why no further call is made; `edited`, by store_id, how a product that is to be
    deleted has changed.
    """

    plan: Plan
    calls: Operations
    listed: Collection[str | None] = frozenset()
    before: Collection[str | None] = frozenset()
    answers: Sequence[Answer] = ()
    sight: Sight | None = None
    now: float = 0.0
    settle: float = 60.0
    retries: int = 5
    opened: Mapping[str, float] = field(default_factory=dict)
    lost: Collection[str] = frozenset()
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ended: str | None = None
    edited: Mapping[str, str] = field(default_factory=dict)

    def heard(self) -> dict[str, Heard]:
        """The answers by the store_id of the Change that they tell of."""
        heard: dict[str, Heard] = {}
        for number, answer in enumerate(self.answers):
            for store_id in answer.operation.store_ids:
                old = heard.get(store_id, NOTHING_HEARD)
                heard[store_id] = Heard((*old.answers, answer), number)
        return heard

    def sight_after(self, heard: Heard) -> Sight | None:
        """The last list, if it was read after all of these answers."""
        # A list that was asked for before an answer came proves nothing about that call.
        return self.sight if self.sight and heard.last < self.sight.after else None

    @property
    def closing_sight(self) -> Sight | None:
        """The last list, if no answer came after it: an older one does not prove what that did."""
        return self.sight if self.sight and self.sight.after == len(self.answers) else None

    def next_look(self, since: float) -> float | None:
        """When to look again for what was answered at `since`: soon, then less and less often.

        None once `settle` seconds have passed.
        """
        if self.now - since >= self.settle:
            return None
        # Waiting twice as long each time finds a quick server early and asks a slow one seldom.
        return min(since + self.settle, self.now + max(1.0, self.now - since))

    def valid_ids(self) -> dict[str, str]:
        """The store_id of the create that each new id was answered to.

        An id that was there before, or that two creates got, does not count as an answer.
        """
        found: dict[str, str] = {}
        doubled: set[str] = set()
        for answer in self.answers:
            id = answer.id
            # Servers have answered a create with the id of an older product; adopting it would
            # overwrite that.
            if id is None or id in self.before:
                continue
            store_id = answer.operation.store_ids[0]
            if found.setdefault(id, store_id) != store_id:
                doubled.add(id)
        return {id: store_id for id, store_id in found.items() if id not in doubled}
