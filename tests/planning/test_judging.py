"""What became of one Change, and what is sent or looked for next: tables of values."""

from typing import Any

import pytest

from reconciler.model import RemoteProduct, State
from reconciler.planning.operations import Operation, Patch, operations
from reconciler.planning.outcome import Answer
from reconciler.planning.plan import Plan, Update
from reconciler.planning.steps import judge
from tests.planning.making import (
    declared,
    known,
    ledger,
    listed,
    lost,
    ok,
    planned,
    refused,
    situation,
    told_step,
)

KNOWN = ledger({"p1": known("A", type=("top", State.CONFIRMED))})
UPDATE = planned([declared("A", "Coat", type="dress")], [listed("p1", "A", "Shirt")], ledger=KNOWN)
CREATE = planned([declared("A", "Coat", type="dress")], [])
DELETE = planned([], [listed("p1", "A")])
(PATCH,) = operations(UPDATE).updates
(POST,) = operations(CREATE).creates
(REMOVE,) = operations(DELETE).deletes
OLD = [listed("p1", "A", "Shirt")]
NEW = [listed("p1", "A", "Coat")]
MADE = [listed("n1", "A", "Coat")]

Ending = tuple[str, str, str]


def part(plan: Plan, id: str, *keys: str) -> Patch:
    """What is sent again alone of the one Change of `plan`."""
    (change,) = plan.changes
    body = {key: change.fields[key].after for key in keys}
    target = Update(change.store_id, id, "Coat", change.fields, RemoteProduct(id, ()))
    return Patch((target,), body)  # type: ignore[arg-type]  # no Delete: not None


def ending(plan: Plan, answers: list[Answer], there: Any, now: float, **facts: Any) -> Ending:
    """The fate, the next step and the error of the one Change of `plan`."""
    found = judge(situation(plan, *answers, there=there, now=now, **facts))
    (verdict,) = found.verdicts.values()
    return verdict.fate, told_step(found.step), verdict.error or ""


def accepted(call: Operation, *times: float) -> list[Answer]:
    """The same call, accepted at these times."""
    return [ok(call, at) for at in times]


@pytest.mark.parametrize(
    ("answers", "there", "now", "fate", "step", "error"),
    [
        ([], None, 0, "not_attempted", "PATCH p1 name type", ""),
        ([ok(PATCH)], None, 0, "applied", "look 0", ""),
        ([ok(PATCH)], NEW, 0, "applied", "done", ""),
        ([ok(PATCH)], OLD, 1, "unknown", "look 2", "does not show its name, type"),
        ([ok(PATCH)], OLD, 3, "unknown", "PATCH p1 name type", "does not show"),
        (accepted(PATCH, 0, 3), OLD, 6, "unknown", "look 9", "does not show"),
        (accepted(PATCH, 0, 3, 6), OLD, 9, "unknown", "look 12", "does not show"),
        (accepted(PATCH, 0, 3, 6), OLD, 65, "unknown", "look 66", "does not show"),
        (accepted(PATCH, 0, 3, 6), OLD, 66, "applied", "done", ""),
        ([ok(PATCH)], [listed("p1", "A", "COAT")], 0, "applied", "done", ""),
        ([ok(PATCH)], [listed("p1", "A", "Other")], 0, "unknown", "PATCH p1 name", "its name"),
        (accepted(PATCH, 0, 1, 2), [listed("p1", "A", "Other")], 3, "applied", "done", ""),
        ([ok(PATCH)], [], 0, "unknown", "look 1", "does not show it any more"),
        ([ok(PATCH)], [], 60, "unknown", "done", "does not show it any more"),
        ([lost(PATCH)], [], 0, "unknown", "look 1", "does not show it any more"),
        ([lost(PATCH)], [], 60, "unknown", "done", "does not show it any more"),
        ([refused(PATCH)], [], 0, "failed", "done", "refused"),
        ([lost(PATCH)], None, 0, "unknown", "look 0", "no answer"),
        ([lost(PATCH)], NEW, 0, "unknown", "PATCH p1 type", "no answer"),
        ([lost(PATCH)], OLD, 0, "unknown", "PATCH p1 name type", "no answer"),
        ([lost(PATCH, repeats=5)], NEW, 0, "unknown", "done", "no answer"),
        ([lost(PATCH, repeats=2), lost(PATCH, repeats=2)], NEW, 0, "unknown", "done", "no answer"),
        ([lost(PATCH), ok(PATCH)], NEW, 0, "applied", "done", ""),
        ([refused(PATCH)], None, 0, "failed", "look 0", "refused"),
        ([refused(PATCH)], OLD, 0, "failed", "done", "refused"),
        ([refused(PATCH)], NEW, 0, "failed", "done", "applied in part: refused"),
        ([lost(PATCH), refused(PATCH)], NEW, 0, "unknown", "done", "applied in part: refused"),
        ([lost(PATCH), refused(PATCH)], OLD, 0, "unknown", "look 1", "refused"),
        ([lost(PATCH), refused(PATCH)], OLD, 60, "unknown", "done", "refused"),
        ([ok(PATCH), refused(PATCH)], None, 0, "unknown", "look 0", "refused"),
        ([ok(PATCH), refused(PATCH)], OLD, 0, "unknown", "look 1", "refused"),
        ([ok(PATCH), refused(PATCH)], NEW, 0, "unknown", "done", "applied in part: refused"),
    ],
)  # fmt: skip
def test_an_update(
    answers: list[Answer], there: Any, now: float, fate: str, step: str, error: str
) -> None:
    """P6: what was sent, what came back and what the list shows tell the fate of an update."""
    found = ending(UPDATE, answers, there, now)
    assert found[:2] == (fate, step)
    assert error in found[2]
    assert bool(error) is bool(found[2])


@pytest.mark.parametrize(
    ("there", "now", "kept"),
    [
        ([listed("p1", "A", "COAT")], 9, {"name": "COAT"}),
        ([listed("p1", "A", "Other")], 9, {"name": "Other"}),
        (OLD, 66, {"name": "Shirt", "type": None}),
    ],
)
def test_what_the_server_keeps(there: Any, now: float, kept: dict[str, str | None]) -> None:
    """A value that was accepted and sent twice again is what the server keeps instead (P1)."""
    found = judge(situation(UPDATE, *accepted(PATCH, 0, 3, 6), there=there, now=now))
    assert found.verdicts["A"].kept == kept


def test_a_shared_call_in_parts() -> None:
    """An update of several calls is applied once each of them was accepted; else in part."""
    pairs = [(name, tag) for name in ("Coat", "Hat") for tag in "xyz"]
    ids = [f"p{n}" for n in range(len(pairs))]
    products = [declared(id, name, tags=[tag]) for id, (name, tag) in zip(ids, pairs, strict=True)]
    plan = planned(products, [listed(id, id, "Shirt") for id in ids])
    calls = operations(plan).updates
    assert len(calls) == 5
    half = judge(situation(plan, ok(calls[0]), before=ids, ended="stop")).verdicts.values()
    assert {(v.fate, v.error) for v in half} == {
        ("failed", "applied in part: stop"),
        ("not_attempted", "stop"),
    }
    seen = [listed(id, id, name, [tag]) for id, (name, tag) in zip(ids, pairs, strict=True)]
    partly = judge(situation(plan, ok(calls[0]), there=seen, before=ids))
    assert told_step(partly.step).count("PATCH") == 4
    whole = judge(situation(plan, *map(ok, calls), there=seen, before=ids))
    assert {v.fate for v in whole.verdicts.values()} == {"applied"}
    assert whole.step is None


@pytest.mark.parametrize(
    ("answers", "there", "now", "fate", "step", "error"),
    [
        ([], None, 0, "not_attempted", "POST A", ""),
        ([ok(POST, id="n1")], None, 0, "applied", "look 0", ""),
        ([ok(POST, id="n1")], MADE, 0, "applied", "done", ""),
        ([ok(POST, id="n1")], [], 4, "unknown", "look 8", "created as n1"),
        ([ok(POST, id="n1")], [], 60, "unknown", "done", "created as n1"),
        ([ok(POST, id="n2")], MADE, 4, "unknown", "look 8", "created as n2"),
        ([ok(POST, id="n2")], MADE, 60, "unknown", "PATCH n1 type", "was not seen"),
        ([ok(POST, id="n1")], [listed("n1", "A", "Other")], 0, "unknown", "PATCH n1 name", "name"),
        ([ok(POST, id="p1")], None, 0, "unknown", "look 0", "another product's id"),
        ([ok(POST, id="p1")], OLD[:0], 0, "unknown", "look 60", "another product's id"),
        ([ok(POST, id="p1")], [], 60, "unknown", "POST A", "another product's id"),
        ([ok(POST, id="p1")], MADE, 0, "unknown", "PATCH n1 type", "was not seen"),
        ([lost(POST)], None, 0, "unknown", "look 0", "no answer"),
        ([lost(POST)], [], 0, "unknown", "look 60", "no answer"),
        ([lost(POST)], [], 60, "unknown", "POST A", "no answer"),
        ([lost(POST), lost(POST, 60)], [], 61, "unknown", "look 120", "no answer"),
        ([lost(POST), lost(POST, 60)], [], 120, "failed", "done", "not at the remote"),
        ([lost(POST, rest=True)] * 5, [], 0, "unknown", "POST A", "no answer"),
        ([lost(POST, rest=True)] * 6, [], 0, "failed", "done", "not at the remote"),
        ([lost(POST)], MADE, 0, "unknown", "PATCH n1 type", "was not seen"),
        ([lost(POST), ok(part(CREATE, "n1", "type"))], None, 0, "unknown", "look 0", "not seen"),
        ([lost(POST), ok(part(CREATE, "n1", "type"))], MADE, 0, "applied", "done", ""),
        ([lost(POST), ok(part(CREATE, "n1", "type"), 1)], [], 2, "unknown", "look 4", "as n1"),
        ([refused(POST)], None, 0, "failed", "look 0", "refused"),
        ([refused(POST)], [], 0, "failed", "done", "refused"),
        ([refused(POST)], [listed("n1", "A", "Other")], 0, "failed", "done", "refused"),
        ([refused(POST)], MADE, 0, "unknown", "PATCH n1 type", "was not seen"),
        ([lost(POST)], [*MADE, listed("n2", "A")], 0, "unknown", "done", "has it 2 times"),
        ([refused(POST)], [*MADE, listed("n2", "A")], 0, "failed", "done", "has it 2 times"),
        ([lost(POST)], [listed("n1", "a", "COAT")], 0, "unknown", "PATCH n1 type", "was not seen"),
        ([lost(POST)], [listed("n1", "a", "COAT"), listed("n2", "a", "COAT")], 0,
         "unknown", "done", "any of n1, n2"),
        ([lost(POST)], [listed("n1", "a", "Other")], 0, "unknown", "look 60", "no answer"),
    ],
)  # fmt: skip
def test_a_create(
    answers: list[Answer], there: Any, now: float, fate: str, step: str, error: str
) -> None:
    """P2, P6: a create is sent again only once its absence is proven; an id is never lost."""
    found = ending(CREATE, answers, there, now)
    assert found[:2] == (fate, step)
    assert error in found[2]


@pytest.mark.parametrize(
    ("there", "fate", "step", "error"),
    [
        ([], "not_attempted", "look 30", ""),
        ([listed("k1", "a", "Coat")], "failed", "done", "listed as a: the next plan changes it"),
        ([listed("k1", None)], "failed", "done", "it is there after all"),
        ([listed("k1", "A", "Coat")], "unknown", "PATCH k1 type", "was not seen"),
    ],
)
def test_a_known_product_that_comes_back(there: Any, fate: str, step: str, error: str) -> None:
    """P2: it is known by its id, so it is never made again, whatever store_id it is listed with."""
    facts: dict[str, Any] = {"opened": {"A": 30.0}, "before": ["k1"], "known": {"A": ("k1", "k2")}}
    found = ending(CREATE, [], there, 5, **facts)
    assert found[:2] == (fate, step)
    assert error in found[2]


@pytest.mark.parametrize(
    ("there", "asked", "step"),
    [
        (None, 0, "look 5"),
        ([], 5, "look 30"),
        ([], 30, "POST A"),
        (MADE, 5, "PATCH n1 type"),
    ],
)
def test_a_create_that_an_earlier_run_may_have_made(there: Any, asked: float, step: str) -> None:
    """P2: nothing is posted that an earlier run may have made, until a list lacks it in time."""
    assert ending(CREATE, [], there, max(asked, 5.0), asked=asked, opened={"A": 30.0})[1] == step


@pytest.mark.parametrize(
    ("source", "known_before", "step"),
    [("n1", (), "done"), ("p1", ("p1",), "POST A")],
)
def test_what_a_create_is_renamed_from(
    source: str, known_before: tuple[str, ...], step: str
) -> None:
    """P2: a source that appears is renamed by the next plan; one that the plan saw is another."""
    plan = planned([declared("A", was="B")], [])
    found = ending(
        plan, [], [listed(source, "B")], 30, opened={"A": 30.0}, listed=set(known_before)
    )
    assert found[1] == step
    assert ("is there after all" in found[2]) is (step == "done")


def test_a_product_that_is_renamed_away_is_not_what_a_create_made() -> None:
    """P3: a lagging list shows a renamed product in its old place: no create takes it over."""
    plan = planned([declared("A", was="B"), declared("B", was="A")], [listed("p1", "B")])
    assert [change.store_id for change in plan.changes] == ["B", "A"]
    (rename,) = operations(plan).renames[0]
    late = situation(
        plan, ok(rename), there=[listed("p1", "B")], now=1, opened={"B": 0.0}, listed={"p1"}
    )
    assert judge(late).verdicts["B"].id is None


@pytest.mark.parametrize(
    ("answers", "there", "now", "fate", "step", "error"),
    [
        ([], None, 0, "not_attempted", "DELETE A", ""),
        ([ok(REMOVE)], None, 0, "applied", "look 0", ""),
        ([ok(REMOVE)], [], 0, "applied", "done", ""),
        ([ok(REMOVE)], OLD, 4, "unknown", "look 8", "still lists it"),
        ([ok(REMOVE)], OLD, 60, "unknown", "done", "still lists it"),
        ([lost(REMOVE)], None, 0, "unknown", "look 0", "no answer"),
        ([lost(REMOVE)], [], 0, "applied", "done", ""),
        ([refused(REMOVE)], None, 0, "failed", "look 0", "refused"),
        ([refused(REMOVE)], OLD, 0, "failed", "done", "refused"),
        ([refused(REMOVE, gone=True)], None, 0, "unknown", "look 0", "refused"),
        ([refused(REMOVE, gone=True)], OLD, 0, "unknown", "look 1", "refused"),
        ([refused(REMOVE, gone=True)], OLD, 60, "failed", "done", "refused"),
        ([refused(REMOVE, gone=True)], [], 0, "applied", "done", ""),
    ],
)  # fmt: skip
def test_a_delete(
    answers: list[Answer], there: Any, now: float, fate: str, step: str, error: str
) -> None:
    """P6: only a list without the product proves that it is deleted."""
    found = ending(DELETE, answers, there, now)
    assert found[:2] == (fate, step)
    assert error in found[2]


def test_what_a_create_of_this_plan_made_has_not_come_back() -> None:
    """P6: what stands at its store_id is told of by that create, and by no other one."""
    plan = planned([declared("A", was="B"), declared("B", was="C")], [])
    (_, second) = operations(plan).creates
    late = situation(
        plan, lost(second), there=[listed("n1", "B")], now=30, opened={"A": 30.0}, before=[]
    )
    assert "is there after all" not in (judge(late).verdicts["A"].error or "")
