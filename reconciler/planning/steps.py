"""judge: every verdict, and the next step of an apply. One pure function, asked again and again.

An apply makes its calls in this order, and each call only if this function says so: renames, link
by link, each shown by a list before the next; shared updates; creates; what has to be sent or
looked for again; and deletes, once a list has proven all that came before them.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from reconciler.planning.chains import Chain, chains_of
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
    chains = chains_of(situation)
    cases = _cases(situation, heard)
    for chain in chains:
        cases |= chain.cases(cases)
    vacating = {c.leaves: c.store_id for c in situation.plan.changes if isinstance(c, Update)}
    step = None if situation.ended else _next(situation, heard, cases, chains, vacating)
    verdicts = {
        store_id: _explained(case.verdict, situation, cases, vacating.get(store_id))
        for store_id, case in cases.items()
    }
    done = any(a.failure is None and not a.operation.parking for a in situation.answers)
    return Judgement(verdicts, step, done or any(case.aside for case in cases.values()))


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
    chains: Sequence[Chain],
    vacating: Mapping[str | None, str],
) -> Step:
    """The next step: the first phase that has something to do."""
    if (step := _pending(chains)) is not None:
        return step
    calls = situation.calls
    operations: list[Operation] = [p for p in calls.updates if not _was_sent(p, heard)]
    if not operations:
        operations = [
            post
            for post in calls.creates
            if _may_be_sent(cases[post.change.store_id])
            and _is_vacant(vacating.get(post.change.store_id), cases)
        ]
    if not operations and (step := _pending(cases.values())) is not None:
        return step
    if not operations and all(_allows_deletes(case.verdict) for case in cases.values()):
        operations = [r for r in calls.deletes if _may_be_sent(cases[r.change.store_id])]
    return Send(tuple(operations)) if operations else None


def _allows_deletes(verdict: Verdict) -> bool:
    """Deletes are final: they wait until all else was applied."""
    return isinstance(verdict.change, Delete) or verdict.fate is Fate.APPLIED


def _pending(found: Collection[Chain | Case]) -> Step:
    """Send what is to be sent; else look when the first wants to."""
    operations = tuple(one.send for one in found if one.send is not None)
    if operations:
        return Send(operations)
    times = [one.look for one in found if one.look is not None]
    return Look(min(times)) if times else None


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


def _is_vacant(leaver: str | None, cases: Mapping[str, Case]) -> bool:
    """Whether the product that is to give up a store_id has done so."""
    return leaver is None or cases[leaver].verdict.fate is Fate.APPLIED


def _explained(
    verdict: Verdict, situation: Situation, cases: Mapping[str, Case], leaver: str | None
) -> Verdict:
    """The verdict with the reason why a Change was not attempted, if it was not."""
    if verdict.fate is not Fate.NOT_ATTEMPTED:
        return verdict
    error = verdict.error
    if error is None and isinstance(verdict.change, Create) and not _is_vacant(leaver, cases):
        error = f"needs the rename to {leaver}, which was not made"
    if error is None and situation.ended is None and isinstance(verdict.change, Delete):
        error = "nothing is deleted after a failure before it"
    error = error or situation.ended
    if verdict.landed:
        return verdict._replace(fate=Fate.FAILED, error=f"applied in part: {error}")
    return verdict._replace(error=error)
