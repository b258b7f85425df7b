"""Chains of renames, link by link: what is sent, looked for, or told to stand aside."""

from typing import Any

from reconciler.model import Listing
from reconciler.planning.diff import diff
from reconciler.planning.operations import Operation, Patch, operations
from reconciler.planning.outcome import Answer, Fate
from reconciler.planning.sight import Sight
from reconciler.planning.steps import judge
from tests.planning.making import (
    EMPTY,
    catalog,
    declared,
    listed,
    lost,
    ok,
    planned,
    refused,
    remote,
    situation,
    told_step,
)

A, B = listed("p1", "A"), listed("p2", "B")
RING = diff(catalog(declared("A", was="B"), declared("B", was="A")), remote(A, B), EMPTY)
CHAIN = diff(catalog(declared("B", was="A"), declared("C", was="B")), remote(A, B), EMPTY)
((PARK, FIRST, LAST),) = operations(RING).renames
ASIDE = listed(PARK.ids[0], str(PARK.body["store_id"]))
OTHERS = FIRST.store_ids[0]
OTHER = B if PARK.ids[0] == "p1" else A
BACK = Patch(PARK.changes, {"store_id": str(PARK.changes[0].leaves)}, parking=True)


def told(plan: Any, *answers: Answer, there: Any = None, now: float = 0.0, **facts: Any) -> Any:
    """The next step, and by store_id the fate and the error of each rename."""
    found = judge(situation(plan, *answers, there=there, now=now, **facts))
    ends = {id: (str(v.fate), v.error or "") for id, v in found.verdicts.items()}
    return told_step(found.step), ends


def test_each_link_waits_for_a_list_that_shows_the_one_before() -> None:
    """An answer alone is no proof that a store_id is free (P2)."""
    assert told(RING)[0].startswith(f"PATCH {PARK.ids[0]}")
    assert told(RING, ok(PARK))[0] == "look 0"
    assert told(RING, ok(PARK), there=[A, B], now=1)[0] == "look 2"
    assert told(RING, ok(PARK), there=[ASIDE, OTHER])[0].startswith(f"PATCH {FIRST.ids[0]}")


def test_a_ring_that_cannot_begin_says_who_waits_for_it() -> None:
    """A first step without effect leaves both products as they are, and is told as it was (P6)."""
    first, other = PARK.store_ids[0], FIRST.store_ids[0]
    for answer, end in (
        (refused(PARK), ("failed", "refused")),
        (ok(PARK), ("failed", "no list has shown its rename")),
        (lost(PARK), ("unknown", "no answer")),
        (lost(PARK, rest=True), ("failed", "no answer")),
    ):
        step, ends = told(RING, answer, there=[A, B], now=100)
        assert (step, ends[first]) == ("done", end)
        assert ends[other][0] == "not_attempted"
        assert f"needs the rename to {first}" in ends[other][1]


def test_a_parked_product_goes_back_if_the_next_link_is_refused() -> None:
    """Nothing else was moved yet, so its store_id is free; if that is refused too, it is told."""
    answers = [ok(PARK), refused(FIRST)]
    step, _ = told(RING, *answers, there=[ASIDE, OTHER])
    assert step.startswith(f"PATCH {PARK.ids[0]}")
    _, ends = told(RING, *answers, ok(BACK), there=[A, B])
    assert ends[PARK.store_ids[0]] == (
        "failed",
        f"needs the rename to {OTHERS}, which was not made",
    )
    _, ends = told(RING, *answers, refused(BACK), there=[ASIDE, OTHER])
    assert ends[PARK.store_ids[0]][0] == "failed"
    assert "it stands at" in ends[PARK.store_ids[0]][1]


def test_a_run_that_ends_within_a_ring_says_where_its_product_stands() -> None:
    """So that nobody takes it for lost until the next run (P3)."""
    _, ends = told(RING, ok(PARK), there=[ASIDE, OTHER], ended="interrupted before it")
    assert "it stands at" in ends[PARK.store_ids[0]][1]


def test_a_product_that_is_gone_stops_its_chain() -> None:
    """What depends on it is not attempted (P2)."""
    (links,) = operations(CHAIN).renames
    step, _ = told(CHAIN, ok(links[0]), there=[A])
    assert step == "look 1"
    step, ends = told(CHAIN, ok(links[0]), there=[A], now=60)
    assert ends["C"] == ("unknown", "the list does not show it any more")
    assert ends["B"] == ("not_attempted", "needs the rename to C, which was not made")
    assert step == "done"


def test_a_lost_link_that_a_list_shows_is_made() -> None:
    """The chain goes on in the same run (P1)."""
    (links,) = operations(CHAIN).renames
    step, _ = told(CHAIN, lost(links[0]), there=[A, listed("p2", "C")])
    assert step.startswith("PATCH p1")


def test_a_product_of_which_one_call_was_never_made_is_told_so() -> None:
    """What landed of it is said, and what was not attempted (P6)."""
    pairs = [(name, tag) for name in "XYZ" for tag in "abc"]
    plan = planned(
        [declared(f"{name}{tag}", name, tags=tag) for name, tag in pairs],
        [listed(f"p{name}{tag}", f"{name}{tag}", tags=["z"]) for name, tag in pairs],
    )
    by_field: list[Operation] = [p for p in operations(plan).updates if len(p.body) == 1]
    assert by_field
    first = by_field[0]
    there = [listed(f"p{n}{g}", f"{n}{g}", *_after(f"{n}{g}", first)) for n, g in pairs]
    _, ends = told(plan, ok(first), there=there, ended="interrupted before it")
    for store_id in first.store_ids:
        assert ends[store_id] == (Fate.FAILED.value, "applied in part: interrupted before it")


def _after(store_id: str, call: Operation) -> tuple[Any, Any]:
    """Name and tags of a product once one shared call was made."""
    body = call.body if isinstance(call, Patch) and store_id in call.store_ids else {}
    return body.get("name", "Shirt"), body.get("tags", ["z"])


def test_a_record_without_an_id_is_overlooked() -> None:
    """A broken record of the list is no product of the plan (P3)."""
    seen = Sight.of(Listing((listed(None, "B"), A)), CHAIN, set())
    assert list(seen.by_id) == ["p1"]


def test_a_rename_is_not_sent_again_to_a_store_id_that_another_has() -> None:
    """An ignored rename stops if somebody else took its store_id meanwhile (P2)."""
    plan = planned([declared("B", was="A")], [A])
    ((link,),) = operations(plan).renames
    step, ends = told(plan, ok(link), there=[A, listed("p9", "B")], now=100)
    assert step == "done"
    assert ends["B"] == ("failed", "it was not renamed, and another product has its store_id")


def test_nothing_is_created_where_a_renamed_product_has_stayed() -> None:
    """A server that accepts a rename and ignores it keeps the store_id from the create (P2)."""
    plan = planned([declared("A", was="Z"), declared("B", was="A")], [A])
    ((link,),) = operations(plan).renames
    answers = [ok(link), ok(link, 4)]
    step, ends = told(plan, *answers, there=[A], now=100)
    assert step == "done"
    assert ends["A"] == ("not_attempted", "needs the rename to B, which was not made")


def test_a_product_that_is_gone_once_it_was_to_stand_aside_is_told_so() -> None:
    """Its ring goes no further, nothing is said to stand anywhere, and a write took effect (P6)."""
    step, _ = told(RING, ok(PARK), there=[OTHER])
    assert step == "look 1"
    gone = situation(RING, ok(PARK), there=[OTHER], now=60)
    verdict = judge(gone).verdicts[PARK.store_ids[0]]
    assert (verdict.fate, verdict.error) == ("failed", "the list does not show it any more")
    assert (judge(gone).step, judge(gone).wrote) == (None, True)


def test_a_parked_product_stays_if_the_next_link_may_have_been_made() -> None:
    """A refusal says nothing of the call before it, whose answer was lost (P2)."""
    answers = [ok(PARK), lost(FIRST, 1), refused(FIRST, 2)]
    step, ends = told(RING, *answers, there=[ASIDE, OTHER], now=62)
    assert step == "done"
    assert "it stands at" in ends[PARK.store_ids[0]][1]


def test_a_parked_product_whose_last_call_is_refused_is_known_to_belong_there() -> None:
    """P3: the ledger keeps its rename as in doubt, so the next run carries it on."""
    answers = [ok(PARK), ok(FIRST), refused(LAST)]
    moved = listed(FIRST.ids[0], FIRST.store_ids[0])
    for there in (None, [ASIDE, moved]):
        verdict = judge(situation(RING, *answers, there=there)).verdicts[PARK.store_ids[0]]
        assert (verdict.fate, "store_id" in verdict.lost) == ("failed", True)
