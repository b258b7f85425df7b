"""Operations: few calls, in a safe order, with the right bodies."""

from collections import defaultdict
from itertools import product as combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import KEYS, State
from reconciler.planning.operations import (
    Operations,
    Patch,
    Post,
    Remove,
    as_json,
    operations,
    values,
)
from reconciler.planning.plan import Plan, Update
from tests.planning.making import declared, known, ledger, listed, planned, told

CONFIRMED = State.CONFIRMED


def _updates(*edits: dict[str, str]) -> Plan:
    """A plan of updates: each dictionary is what one product changes."""
    numbered = [(f"{n:04}", edit) for n, edit in enumerate(edits)]
    products = [
        declared(
            store_id,
            edit.get("name", "Shirt"),
            tags=[edit["tags"]] if "tags" in edit else None,
            image=edit.get("image_url"),
            type=edit.get("type"),
        )
        for store_id, edit in numbered
    ]
    there = [listed(f"p{store_id}", store_id) for store_id, _ in numbered]
    memory = ledger(
        {
            f"p{store_id}": known(store_id, image_url=("-", CONFIRMED), type=("-", CONFIRMED))
            for store_id, _ in numbered
        }
    )
    return planned(products, there, ledger=memory)


def _calls(plan: Plan, batch: int = 100) -> list[tuple[list[str], dict[str, object]]]:
    return [
        ([c.store_id for c in patch.changes], dict(patch.body))
        for patch in operations(plan, batch=batch).updates
    ]


def test_one_new_type_for_a_thousand_products_is_ten_calls() -> None:
    """Products that need the same change share calls, a hundred in each."""
    calls = operations(_updates(*[{"type": "top"}] * 1000))
    assert [len(patch.ids) for patch in calls.updates] == [100] * 10
    assert len(calls) == 10


def test_a_thousand_new_names_and_one_new_type_are_a_thousand_calls() -> None:
    """A product whose own value forces its own call carries all its fields in it."""
    calls = operations(_updates(*({"name": f"N{n}", "type": "top"} for n in range(1000))))
    assert len(calls) == 1000
    assert {tuple(patch.body) for patch in calls.updates} == {("name", "type")}


def test_a_remainder_has_its_own_call() -> None:
    """What does not fill a batch is one more call, and no product is sent twice."""
    calls = _calls(_updates(*[{"type": "top"}] * 5), batch=2)
    assert [names for names, _ in calls] == [["0000", "0001"], ["0002", "0003"], ["0004"]]


def test_what_is_left_is_grouped_by_field_where_that_is_fewer() -> None:
    """Two types by two pictures by two tags: six calls by field, eight by whole change."""
    edits = [
        {"type": t, "image_url": i, "tags": g} for t, i, g in combinations("ab", "cd", "ef")
    ] * 2
    calls = _calls(_updates(*edits))
    assert len(calls) == 6
    assert all(len(body) == 1 for _, body in calls)


def test_what_is_left_is_grouped_by_whole_change_where_that_is_fewer() -> None:
    """Two products with the same two fields are one call, not two."""
    edit = {"type": "a", "image_url": "b"}
    assert _calls(_updates(edit, edit)) == [(["0000", "0001"], {"image_url": "b", "type": "a"})]


def test_each_knot_of_shared_values_is_grouped_in_its_own_way() -> None:
    """One by whole change and another by field: fewer than either way for all."""
    pairs = [{"type": "x", "image_url": "y"}] * 2
    crossed = [{"type": t, "tags": g} for t, g in combinations("abc", "def")] * 2
    assert len(_calls(_updates(*pairs, *crossed))) == 1 + 6


def test_a_value_that_is_left_alone_by_others_makes_its_own_call_too() -> None:
    """0 has a name of its own and takes its type along; so the type of 1 is shared no more."""
    calls = _calls(
        _updates(
            {"name": "N", "type": "a"}, {"type": "a", "tags": "b"}, {"tags": "b"}, {"tags": "b"}
        )
    )
    assert calls == [
        (["0000"], {"name": "N", "type": "a"}),
        (["0001"], {"tags": ("b",), "type": "a"}),
        (["0002", "0003"], {"tags": ("b",)}),
    ]


def test_a_product_that_is_left_alone_leaves_room_in_the_calls_of_others() -> None:
    """1 goes alone for its tag, so 3 is alone with its type: the rest fits."""
    calls = _calls(
        _updates(
            {"type": "b"},
            {"type": "a", "tags": "g"},
            {"tags": "h"},
            {"type": "a", "tags": "h"},
            {"type": "b", "tags": "h"},
        ),
        batch=2,
    )
    assert calls == [
        (["0000", "0004"], {"type": "b"}),
        (["0001"], {"tags": ("g",), "type": "a"}),
        (["0002", "0004"], {"tags": ("h",)}),
        (["0003"], {"tags": ("h",), "type": "a"}),
    ]


_EDITS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(("n1", "n2")),
            "tags": st.sampled_from(("g1", "g2")),
            "image_url": st.sampled_from(("i1", "i2")),
            "type": st.sampled_from(("t1", "t2")),
        },
    ).filter(bool),
    max_size=14,
)


@given(_EDITS, st.integers(1, 5))
def test_grouping_is_complete_and_never_worse_than_either_pure_way(
    edits: list[dict[str, str]], batch: int
) -> None:
    """Every value is sent once to each product that needs it, in at most so many calls."""
    plan = _updates(*edits)
    sent: defaultdict[str, dict[str, object]] = defaultdict(dict)
    calls = operations(plan, batch=batch).updates
    for patch in calls:
        assert len(patch.changes) <= batch
        for change in patch.changes:
            assert not sent[change.id].keys() & patch.body.keys()
            sent[change.id].update(patch.body)
    assert sent == {c.id: values(c) for c in plan.changes if isinstance(c, Update)}
    whole: defaultdict[object, int] = defaultdict(int)
    single: defaultdict[object, int] = defaultdict(int)
    for body in sent.values():
        whole[tuple(body.items())] += 1
        for pair in body.items():
            single[pair] += 1
    for groups in (whole, single):
        assert len(calls) <= sum(-(-size // batch) for size in groups.values())


def test_the_phases_stand_in_their_order() -> None:
    """Renames, updates, creates, deletes; a rename carries all that changes of its product."""
    plan = planned(
        [declared("B", "Coat", was="A"), declared("C", "Coat"), declared("D")],
        [listed("p1", "A"), listed("p3", "C"), listed("p5", "E", "Hat")],
    )
    calls = operations(plan)
    assert len(calls) == len(list(calls)) == 4
    assert [type(call) for call in calls] == [Patch, Patch, Post, Remove]
    ((rename,),) = calls.renames
    assert dict(rename.body) == {"store_id": "B", "name": "Coat"}
    assert len(Operations()) == 0


def test_a_rename_never_shares_a_call() -> None:
    """Two renames with the same new name are two calls, in two chains."""
    plan = planned(
        [declared("B", "Coat", was="A"), declared("D", "Coat", was="C"), declared("E", "Coat")],
        [listed("p1", "A"), listed("p3", "C"), listed("p5", "E")],
    )
    calls = operations(plan)
    assert [len(chain) for chain in calls.renames] == [1, 1]
    assert [patch.ids for patch in calls.updates] == [("p5",)]


def test_a_body_has_the_declared_values_in_the_order_of_the_table() -> None:
    """A create sends everything declared and nothing else."""
    (post,) = operations(planned([declared("A", tags=["b", "a"], type="top")], [])).creates
    assert list(post.body.items()) == [
        ("store_id", "A"),
        ("name", "Shirt"),
        ("tags", ("a", "b")),
        ("type", "top"),
    ]
    assert [key for key in KEYS if key in post.body] == list(post.body)


def test_the_calls_as_readers_see_them() -> None:
    """Method, ids, store_ids and body; a create has no id yet, a delete no body."""
    plan = planned(
        [declared("A", tags=["x"]), declared("B", tags=["x"]), declared("C", tags=[])],
        [listed("p1", "A"), listed("p2", "B"), listed("p4", "D", "Hat")],
    )
    assert told(plan) == ["+C", "p1 A tags", "p2 B tags", "-p4 D"]
    assert as_json(plan) == [
        {"method": "PATCH", "ids": ["p1", "p2"], "store_ids": ["A", "B"], "body": {"tags": ["x"]}},
        {
            "method": "POST",
            "ids": [],
            "store_ids": ["C"],
            "body": {"store_id": "C", "name": "Shirt", "tags": []},
        },
        {"method": "DELETE", "ids": ["p4"], "store_ids": ["D"], "body": None},
    ]
    assert [call["ids"] for call in as_json(plan, batch=1)][:2] == [["p1"], ["p2"]]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_ring_begins_with_the_first_store_id(reverse: bool) -> None:
    """The calls do not depend on the order of declarations."""
    products = [declared("A", was="B"), declared("B", was="A")]
    there = [listed("p1", "A"), listed("p2", "B")]
    plan = planned(products[::-1] if reverse else products, there)
    assert [call["body"] for call in as_json(plan)] == [
        {"store_id": "A~moving-p2"},
        {"store_id": "B"},
        {"store_id": "A"},
    ]
