"""judge: every verdict, and the next step of an apply. One pure function, asked again and again.

An apply makes its calls in this order, and each call only if this function says so: renames, link
by link, each shown by a list before the next; shared updates; creates; what has to be sent or
looked for again; and deletes, once a list has proven all that came before them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from reconciler.planning.creates import judge_create, twins
from reconciler.planning.judging import Case, judge_delete, judge_update
from reconciler.planning.operations import Operation, Patch
from reconciler.planning.outcome import Fate, Verdict
from reconciler.planning.plan import Create, Delete, Update
from reconciler.planning.sight import NOTHING_HEARD, Heard, Situation


class Send(NamedTuple):
    """Make these calls, side by side."""

    operations: tuple[Operation, ...]


class Look(NamedTuple):
    """Read the list, once it is `at`."""

    at: float


Step: TypeAlias = Send | Look | None


class Judgement(NamedTuple):
    """The verdict of each Change by its store_id, and the next step; None if all is done.

    `wrote` says whether any call took effect, also one that completed no Change.
    """

    verdicts: Mapping[str, Verdict]
    step: Step = None
    wrote: bool = False


def judge(situation: Situation) -> Judgement:
    """What became of every Change so far, and what to do next."""
    heard = situation.heard()
    cases = _cases(situation, heard)
    leavers = {c.leaves: c for c in situation.plan.changes if isinstance(c, Update)}
    waiting = {
        store_id: leaver.store_id
        for store_id in cases
        if (leaver := leavers.get(store_id)) and not _has_left(leaver, situation, heard)
    }
    step = None if situation.ended else _next(situation, heard, cases, waiting)
    verdicts = {
        store_id: _explained(case.verdict, situation, waiting.get(store_id))
        for store_id, case in cases.items()
    }
    # Parking completes no Change, but a product that is still parked is an effect (exit code 5).
    done = any(a.failure is None and not a.operation.parking for a in situation.answers)
    return Judgement(verdicts, step, done or any(case.aside for case in cases.values()))


def _has_left(leaver: Update, situation: Situation, heard: Mapping[str, Heard]) -> bool:
    """Whether a list shows that a renamed product has given up its store_id; answers do not count.

    Two products must never have one, so what takes it waits for that.
    """
    sight = situation.sight_after(heard.get(leaver.store_id, NOTHING_HEARD))
    product = sight.by_id.get(leaver.id) if sight else None
    return product is not None and product.store_id != leaver.renamed_from


def _cases(situation: Situation, heard: Mapping[str, Heard]) -> dict[str, Case]:
    answered = situation.valid_ids()
    ids = {store_id: id for id, store_id in answered.items()}
    likely = twins(situation, heard, answered)
    cases: dict[str, Case] = {}
    for change in situation.plan.changes:
        store_id = change.store_id
        told = heard.get(store_id, NOTHING_HEARD)
        if isinstance(change, Update):
            cases[store_id] = judge_update(change, told, situation)
        elif isinstance(change, Create):
            cases[store_id] = judge_create(
                change, told, situation, id=ids.get(store_id), twin=likely.get(store_id)
            )
        else:
            cases[store_id] = judge_delete(change, told, situation)
    return cases


def _next(
    situation: Situation,
    heard: Mapping[str, Heard],
    cases: Mapping[str, Case],
    waiting: Mapping[str, str],
) -> Step:
    """The next step: the first phase that has something to do."""
    calls = situation.calls
    # Renames come first: creates and other renames may need the store_ids that they give up.
    links = [_next_link(chain, situation, heard, cases) for chain in calls.renames]
    if (step := _pending(links)) is not None:
        return step
    operations: list[Operation] = [p for p in calls.updates if not _was_sent(p, heard)]
    if not operations:
        operations = [
            post
            for post in calls.creates
            if _may_be_sent(cases[post.change.store_id]) and post.change.store_id not in waiting
        ]
    if not operations and (step := _pending(cases.values())) is not None:
        return step
    # Deletes destroy, so they go last, and only if everything before them succeeded.
    if not operations and all(_allows_deletes(case.verdict) for case in cases.values()):
        operations = [r for r in calls.deletes if _may_be_sent(cases[r.change.store_id])]
    return Send(tuple(operations)) if operations else None


def _next_link(
    chain: Sequence[Patch],
    situation: Situation,
    heard: Mapping[str, Heard],
    cases: Mapping[str, Case],
) -> Case:
    """What a chain of renames waits for, or its next call: links are made one after the other."""
    told = [heard.get(link.store_ids[0], NOTHING_HEARD) for link in chain]
    sent = [
        link
        for link, of_it in zip(chain, told, strict=True)
        if any(a.operation.parking is link.parking for a in of_it.answers)
    ]
    last = sent[-1] if sent else None
    case = cases[(last or chain[0]).store_ids[0]]
    if len(sent) == len(chain) or case.send or (last is None and not _may_be_sent(case)):
        return case
    if last is None or _has_left(last.changes[0], situation, heard):
        return Case(case.verdict, send=chain[len(sent)])
    first, refused = chain[0], not any(a.may_have_landed for a in told[len(sent) - 1].answers)
    if first.parking and len(sent) == 2 and refused and len(told[0].answers) == 1:
        # Nothing else was moved yet, so the store_id of the parked product is surely free.
        back = {"store_id": str(first.changes[0].leaves)}
        return Case(case.verdict, send=Patch(first.changes, back, parking=True))
    return case


def _pending(found: Collection[Case]) -> Step:
    """Send all that is to be sent; else look at the earliest time that a case asks for."""
    operations = tuple(case.send for case in found if case.send is not None)
    if operations:
        return Send(operations)
    times = [case.look for case in found if case.look is not None]
    return Look(min(times)) if times else None


def _allows_deletes(verdict: Verdict) -> bool:
    """Deletes are final: they wait until all else was applied."""
    return isinstance(verdict.change, Delete) or verdict.fate is Fate.APPLIED


def _was_sent(patch: Patch, heard: Mapping[str, Heard]) -> bool:
    """Whether answers have come to a shared call, or to each part of it."""
    keys = patch.body.keys()
    return all(
        any(keys <= a.operation.body.keys() for a in heard.get(store_id, NOTHING_HEARD).patches)
        for store_id in patch.store_ids
    )


def _may_be_sent(case: Case) -> bool:
    verdict = case.verdict
    return verdict.fate is Fate.NOT_ATTEMPTED and verdict.error is None and case.look is None


def _explained(verdict: Verdict, situation: Situation, leaver: str | None) -> Verdict:
    """The verdict, with the reason if a Change was not attempted or was taken back."""
    if verdict.error is None and verdict.fate in (Fate.NOT_ATTEMPTED, Fate.FAILED):
        error = situation.ended
        if error is None and isinstance(verdict.change, Delete):
            error = "nothing is deleted after a failure before it"
        elif error is None and leaver is not None:
            error = f"needs the rename to {leaver}, which was not made"
        verdict = verdict._replace(error=error)
    # Some of its fields are at the remote, so `not attempted` would not be true (P6).
    if verdict.fate is Fate.NOT_ATTEMPTED and verdict.landed:
        return verdict._replace(fate=Fate.FAILED, error=f"applied in part: {verdict.error}")
    return verdict
