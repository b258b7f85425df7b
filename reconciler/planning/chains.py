"""Chain: how far a chain of renames has come, by the answers and the last list.

Links are made one after the other, since each needs the store_id that the one before it gives up,
and two products must never share one. An answer alone is no proof: a list has to show the link.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from reconciler.planning.judging import Case
from reconciler.planning.operations import Patch
from reconciler.planning.outcome import Answer, Fate, Verdict
from reconciler.planning.sight import Situation
from reconciler.planning.standing import parked_target

_Told: TypeAlias = Mapping[tuple[str, str], tuple[int, Answer]]
"""The last answer, with its number, to each rename: by remote id and new store_id."""

_FAILED: Final = "which failed"
_STOPPED: Final = "the run was stopped within its ring of renames"


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain of renames: `done` links are shown, and the next one is to be sent or looked for.

    `failed` says why the chain does not go on. `aside` says where the parked product of a ring
    stands until the next run, if the chain ended before that product's last link.
    """

    links: tuple[Patch, ...]
    done: int
    send: Patch | None = None
    look: float | None = None
    failed: str | None = None
    aside: str | None = None

    def verdicts(self, cases: Mapping[str, Case]) -> Iterator[tuple[str, Verdict]]:
        """What the chain says of its Changes: which wait in vain, and which one stands aside."""
        first = self.links[0].store_ids[0]
        if self.failed is not None:
            broken = self.links[self.done].store_ids[0]
            for link in self.links[self.done + 1 :]:
                (id,) = link.store_ids
                verdict = cases[id].verdict
                if id != broken and verdict.fate is Fate.NOT_ATTEMPTED:
                    yield id, verdict._replace(error=f"needs the rename of {broken}, {self.failed}")
        verdict = cases[first].verdict
        if self.aside is not None and verdict.fate is not Fate.APPLIED:
            lost = verdict.lost | {"store_id"}
            yield first, verdict._replace(fate=Fate.FAILED, error=self.aside, lost=lost)


def chains_of(situation: Situation) -> list[Chain]:
    """How far each chain of the plan has come."""
    told: dict[tuple[str, str], tuple[int, Answer]] = {}
    for number, answer in enumerate(situation.answers):
        operation = answer.operation
        if isinstance(operation, Patch) and "store_id" in operation.body:
            told[operation.ids[0], str(operation.body["store_id"])] = number, answer
    return [_chain(links, situation, told) for links in situation.calls.renames]


def _chain(links: tuple[Patch, ...], situation: Situation, told: _Told) -> Chain:
    returned = told.get(_key(_back(links[0]))) if links[0].parking else None
    if returned is not None and returned[1].failure is None:
        return Chain(links, 1, failed=_FAILED)
    aside = _aside(links, _STOPPED, told) if situation.ended else None
    for done, link in enumerate(links):
        answered = told.get(_key(link))
        if answered is None:
            return Chain(links, done, send=link, aside=aside)
        state = _state(link, *answered, situation)
        if isinstance(state, float):
            return Chain(links, done, look=state, aside=aside)
        if state is not None:
            return _broken(links, done, state, situation, told)
    return Chain(links, len(links))


def _was_refused(answer: Answer) -> bool:
    return answer.failure is not None and not answer.failure.may_have_landed


def _key(link: Patch) -> tuple[str, str]:
    return link.ids[0], str(link.body["store_id"])


def _state(link: Patch, number: int, answer: Answer, situation: Situation) -> float | str | None:
    """None if a list shows the link; when to look; or why it was not made."""
    failure, sight = answer.failure, situation.sight
    if _was_refused(answer):
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
    if failure is None and situation.now - answer.came < situation.settle:
        return situation.next_look(answer.came)
    return "which no list has shown"


def _broken(
    links: tuple[Patch, ...], done: int, reason: str, situation: Situation, told: _Told
) -> Chain:
    """The chain after a link that was not made; a product that stands aside goes back if it can."""
    if links[0].parking and done == 1 and _was_refused(told[_key(links[done])][1]):
        back = _back(links[0])
        if _key(back) not in told and not situation.ended:
            return Chain(links, done, send=back, failed=reason)
    message = f"the ring of renames was not carried on: {reason}"
    return Chain(links, done, failed=reason, aside=_aside(links, message, told))


def _back(parking: Patch) -> Patch:
    """The call that gives a parked product its store_id back."""
    change = parking.changes[0]
    return Patch((change,), {"store_id": str(change.leaves)}, parking=True)


def _aside(links: tuple[Patch, ...], reason: str, told: _Told) -> str | None:
    """Where the parked product of a ring stands, unless its last link was sent."""
    parking = links[0]
    stepped = told.get(_key(parking)) if parking.parking else None
    if stepped is None or _was_refused(stepped[1]) or _key(links[-1]) in told:
        return None
    return f"{reason}; it stands at {parking.body['store_id']} until the next run"
