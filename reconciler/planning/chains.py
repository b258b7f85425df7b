"""Chain: how far a chain of renames has come, by the answers and the last list.

Links are made one after the other, since each needs the store_id that the one before it gives up,
and two products must never share one. An answer alone is no proof: a list has to show the link.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from reconciler.planning.judging import Case
from reconciler.planning.operations import Patch
from reconciler.planning.outcome import Answer
from reconciler.planning.sight import Situation
from reconciler.planning.standing import parked_target

_Told: TypeAlias = Mapping[tuple[str, str], tuple[int, Answer]]
"""The last answer, with its number, to each rename: by remote id and new store_id."""

_FAILED: Final = "which failed"
_STOPPED: Final = "the run was stopped within its ring of renames"


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain of renames: `done` links are shown, and the next one is to be sent or looked for.

    `failed` says why the chain does not go on.
    """

    links: tuple[Patch, ...]
    done: int
    send: Patch | None = None
    look: float | None = None
    failed: str | None = None

    def cases(self, cases: Mapping[str, Case]) -> Iterator[tuple[str, Case]]:
        """What the chain says of its Changes: which wait in vain, and which one stands aside."""
        waiting, reason = self.links[self.done :], _STOPPED
        if self.failed is not None:
            broken = waiting[0].store_ids
            waiting = tuple(link for link in waiting if link.store_ids != broken)
            reason = f"needs the rename of {broken[0]}, {self.failed}"
        for link in waiting:
            (store_id,) = link.store_ids
            verdict, aside = cases[store_id].verdict, cases[store_id].aside
            if aside and not link.parking:
                told = verdict._replace(error=f"{reason}; {verdict.error}")
                yield store_id, Case(told, aside=True)
            elif self.failed is not None and verdict.error is None:
                yield store_id, Case(verdict._replace(error=reason))


def chains_of(situation: Situation) -> list[Chain]:
    """How far each chain of the plan has come."""
    told: dict[tuple[str, str], tuple[int, Answer]] = {}
    for number, answer in enumerate(situation.answers):
        operation = answer.operation
        if isinstance(operation, Patch) and "store_id" in operation.body:
            told[_key(operation)] = number, answer
    return [_chain(links, situation, told) for links in situation.calls.renames]


def _key(link: Patch) -> tuple[str, str]:
    return link.ids[0], str(link.body["store_id"])


def _chain(links: tuple[Patch, ...], situation: Situation, told: _Told) -> Chain:
    back = _back(links[0]) if links[0].parking else None
    returned = told.get(_key(back)) if back else None
    if returned is not None and returned[1].failure is None:
        return Chain(links, 1, failed=_FAILED)
    for done, link in enumerate(links):
        answered = told.get(_key(link))
        if answered is None:
            return Chain(links, done, send=link)
        state = _state(link, *answered, situation)
        if isinstance(state, float):
            return Chain(links, done, look=state)
        if state is not None:
            # A parked product goes back while its place is surely free.
            free = done == 1 and not answered[1].may_have_landed and returned is None
            return Chain(links, done, send=back if free else None, failed=state)
    return Chain(links, len(links))


def _back(parking: Patch) -> Patch:
    """The call that gives a parked product its store_id back."""
    change = parking.changes[0]
    return Patch((change,), {"store_id": str(change.leaves)}, parking=True)


def _state(link: Patch, number: int, answer: Answer, situation: Situation) -> float | str | None:
    """None if a list shows the link; when to look; or why it was not made."""
    sight = situation.sight
    if not answer.may_have_landed:
        return _FAILED
    if sight is None or number >= sight.after:
        return situation.now
    product = sight.by_id.get(link.ids[0])
    if product is None:
        return _FAILED
    before = link.changes[0].seen.store_id
    left = product.store_id != before
    if link.parking is False and parked_target(product.store_id) is not None:
        # It still stands aside, and not where this link brings it.
        left = parked_target(before) is None and product.store_id == link.body["store_id"]
    if left or product.store_id == link.body["store_id"]:
        return None
    if answer.failure is None and situation.now - answer.came < situation.settle:
        return situation.next_look(answer.came)
    return "which no list has shown"
