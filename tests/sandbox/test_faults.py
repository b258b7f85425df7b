"""Which fault strikes which call, and fault files: plain values."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.sandbox.fault_file import parse_schedule, read_schedule
from reconciler.sandbox.faults import SORTS, Fault, Schedule


def struck(fault: Fault, methods: str = "GET " * 8, seed: int = 0) -> list[int]:
    """The 1-based numbers of the calls that the fault strikes."""
    schedule = Schedule([fault], seed)
    return [n for n, method in enumerate(methods.split(), 1) if schedule.fire(method)]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("status"), [1, 2, 3, 4, 5, 6, 7, 8]),
        (Fault("status", nth=(1, 3)), [1, 3]),
        (Fault("status", every=3), [3, 6]),
        (Fault("status", times=2), [1, 2]),
        (Fault("status", every=2, times=3), [2, 4, 6]),
        (Fault("status", chance=0.0), []),
        (Fault("status", chance=1.0, nth=(2,)), [2]),
        (Fault("status", method="POST"), []),
        (Fault("partial_patch"), []),
    ],
)
def test_when_a_fault_strikes(fault: Fault, expected: list[int]) -> None:
    """A fault strikes the calls that its method, nth, every, chance and times leave."""
    assert struck(fault) == expected


def test_calls_are_counted_by_method() -> None:
    """The nth call is the nth of those that the fault concerns, whatever comes between."""
    assert struck(Fault("reset", method="PATCH", nth=(2,)), "GET PATCH GET POST PATCH") == [5]
    assert struck(Fault("created_zero", nth=(1,)), "GET POST POST") == [2]


def test_a_fault_can_be_tied_to_a_text() -> None:
    """`containing` leaves the calls that hold a text in query or body, and counts only those."""
    schedule = Schedule([Fault("status", containing='"7"', nth=(2,))])
    texts = ['{"store_id":"7"}', '{"store_id":"8"}', '{"store_id":"7"}']
    assert [bool(schedule.fire("POST", text)) for text in texts] == [False, False, True]


def test_faults_strike_together_in_their_order() -> None:
    """All faults that concern a call strike it, in the order in which they were given."""
    schedule = Schedule([Fault("hang"), Fault("shift"), Fault("reset", method="POST")])
    assert [fault.kind for fault in schedule.fire("GET")] == ["hang", "shift"]


@given(st.integers(), st.floats(0, 1), st.lists(st.sampled_from(["GET", "POST"]), max_size=20))
def test_chance_is_the_same_for_the_same_calls(seed: int, chance: float, calls: list[str]) -> None:
    """Seed and order of calls decide, nothing else: other faults do not move the dice."""
    fault = Fault("status", method="GET", chance=chance)
    alone, again = Schedule([fault], seed), Schedule([fault, Fault("reset", chance=0.5)], seed)
    for method in calls:
        assert bool(alone.fire(method)) == any(f.kind == "status" for f in again.fire(method))


def test_chance_is_about_what_it_says() -> None:
    """A quarter is about a quarter, and another seed strikes other calls."""
    fault = Fault("status", chance=0.25)
    first, second = (struck(fault, "GET " * 1000, seed) for seed in (1, 2))
    assert 200 < len(first) < 300
    assert first != second


def test_schedules_count_right_from_many_threads() -> None:
    """Calls that come side by side are each counted once."""
    schedule = Schedule([Fault("status", nth=(400,))])
    found: list[int] = []

    def work() -> None:
        found.append(sum(len(schedule.fire("GET")) for _ in range(100)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"kind": "resett"}, "did you mean 'reset'"),
        ({"kind": "shift", "method": "POST"}, "method is one of GET"),
        ({"kind": "status", "method": "get"}, "method is one of GET, POST"),
        ({"kind": "status", "moment": "during"}, "moment is before or after"),
        ({"kind": "reset", "way": "gently"}, "way is one of reset, close"),
        ({"kind": "status", "way": "cut"}, "way is one of none"),
        ({"kind": "ignore_field"}, "field is one of store_id"),
        ({"kind": "normalise", "field": "nam"}, "not 'nam'"),
        ({"kind": "status", "nth": (0,)}, "nth counts from 1"),
        ({"kind": "status", "nth": ()}, "nth counts from 1"),
        ({"kind": "status", "every": 0}, "every is 1 or more"),
        ({"kind": "status", "times": -1}, "times is 0 or more"),
        ({"kind": "lag", "lists": -1}, "lists is 0 or more"),
        ({"kind": "lag", "method": "GET"}, "method is one of POST, PATCH, DELETE"),
        ({"kind": "wrong_id", "way": "other"}, "way is one of listed, earlier, never"),
        ({"kind": "status", "chance": 1.5}, "chance lies between"),
        ({"kind": "status", "status": 99}, "status lies between"),
        ({"kind": "hang", "seconds": float("nan")}, "seconds lies between"),
    ],
)
def test_a_fault_that_cannot_be_meant(options: dict[str, Any], complaint: str) -> None:
    """A fault that contradicts itself is refused with the reason."""
    with pytest.raises(UsageError, match=complaint):
        Fault(**options)


def test_first_way_is_the_default() -> None:
    """A fault that names no way has its kind's first one; a kind without ways has none."""
    for kind, sort in SORTS.items():
        fault = Fault(kind, field="name" if sort.field else None)
        assert fault.way == (sort.ways[0] if sort.ways else "")


def test_a_fault_file_says_all_that_a_fault_can(tmp_path: Path) -> None:
    """A file gives the same schedule as the values it spells."""
    path = tmp_path / "faults.json"
    entries = [
        {"kind": "status", "method": "PATCH", "nth": [1, 3], "status": 429, "retry_after": "2"},
        {"kind": "hang", "seconds": 2, "moment": "after", "nth": 4, "chance": 1},
        {"kind": "normalise", "field": "tags", "way": "title", "times": 2, "every": 3},
        {"kind": "lag", "method": "POST", "lists": 3},
        {"kind": "wrong_id", "way": "listed", "store_id": "7", "moment": "after"},
    ]
    path.write_text(json.dumps({"seed": 7, "faults": entries}), encoding="utf-8")
    schedule = read_schedule(path)
    assert schedule.seed == 7
    assert schedule.faults == (
        Fault("status", method="PATCH", nth=(1, 3), status=429, retry_after="2"),
        Fault("hang", seconds=2, moment="after", nth=(4,), chance=1),
        Fault("normalise", field="tags", way="title", times=2, every=3),
        Fault("lag", method="POST", lists=3),
        Fault("wrong_id", way="listed", store_id="7", moment="after"),
    )
    assert parse_schedule('[{"kind": "reset"}]').faults == (Fault("reset"),)


def test_a_bad_fault_file_is_told_all_at_once() -> None:
    """Every complaint about a fault file comes in one error, each with its place."""
    entries = [{"kind": "reset"}, {"knd": "x"}, {"kind": "hang", "seconds": "1"}, 3]
    entries += [{"kind": "shift", "amount": True, "nth": [1, "2"]}, {"kind": "statu"}]
    data = {"seed": "x", "fault": 1, "faults": entries}
    with pytest.raises(UsageError) as caught:
        parse_schedule(json.dumps(data), "faults.json")
    for complaint in (
        "faults.json",
        "seed: expected a whole number",
        "fault: unknown key (did you mean 'faults'?)",
        "faults[1]: kind is missing",
        "faults[1].knd: unknown key (did you mean 'kind'?)",
        "faults[2].seconds: expected int or float, not '1'",
        "faults[3]: expected an object",
        "faults[4].amount: expected int, not True",
        "faults[4].nth: expected whole numbers",
        "faults[5]: The fault 'statu' cannot be used",
    ):
        assert complaint in caught.value.message
    # A terminal shows a line break in a message as an escape.
    assert "\n" not in caught.value.message


def test_a_kind_that_resembles_none_is_told_what_there_is() -> None:
    """A list of the kinds helps if there is no near one."""
    with pytest.raises(UsageError, match=r"no such kind \(there are .*status"):
        Fault("xyz")


@pytest.mark.parametrize("text", ["", "{", "3", '{"faults": 3}'])
def test_a_file_of_another_shape(text: str) -> None:
    """What is no JSON, or no list of faults, is a UsageError that shows a fault."""
    with pytest.raises(UsageError) as caught:
        parse_schedule(text)
    assert caught.value.hint is not None
    assert '"kind"' in caught.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A fault file that cannot be read is a UsageError that names it."""
    with pytest.raises(UsageError, match=r"nowhere\.json"):
        read_schedule(tmp_path / "nowhere.json")
