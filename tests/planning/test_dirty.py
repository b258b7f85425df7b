"""Dirty remote data: it is told, never written, never deleted, and never a crash."""

from typing import Literal

import pytest

from tests.planning.making import declared, held, listed, planned, told


@pytest.mark.parametrize("prune", ["all", "managed", "none"])
def test_duplicates_of_one_store_id_are_left_alone(
    prune: Literal["all", "managed", "none"],
) -> None:
    """Declared or not, neither of two products with one store_id is touched."""
    there = [listed("p2", "A"), listed("p1", "A"), listed("p3", "B"), listed("p4", "B")]
    plan = planned([declared("A", "Coat")], there, prune=prune)
    assert told(plan) == []
    assert held(plan) == [
        ("A", ("p1", "p2"), "duplicate_remote"),
        ("B", ("p3", "p4"), "duplicate_remote"),
    ]
    assert plan.summary.blocked == 2


def test_three_of_one_store_id_are_one_block() -> None:
    """However many there are, they are told together."""
    plan = planned([], [listed(f"p{n}", "A") for n in range(3)])
    assert held(plan) == [("A", ("p0", "p1", "p2"), "duplicate_remote")]


@pytest.mark.parametrize("store_id", [None, "", " ", "\n"])
def test_a_product_without_a_store_id_is_left_alone(store_id: str | None) -> None:
    """Null and blank store_ids name nothing, so they are never deleted as undeclared."""
    plan = planned([], [listed("p1", store_id)])
    assert told(plan) == []
    assert held(plan) == [(None, ("p1",), "missing_store_id")]


def test_a_product_without_an_id_is_left_alone() -> None:
    """It cannot be addressed; and what is declared as it is not created a second time."""
    plan = planned([declared("A")], [listed(None, "A"), listed(None, None)])
    assert told(plan) == []
    assert held(plan) == [(None, (), "missing_id"), ("A", (), "missing_id")]


@pytest.mark.parametrize("there", [("p1", None), (None, "p1")])
def test_a_product_without_an_id_makes_its_namesake_a_duplicate(
    there: tuple[str | None, ...],
) -> None:
    """Two products with one store_id are blocked, also where only one of them has an id."""
    for products in ([], [declared("A", "Coat")]):
        plan = planned(products, [listed(id, "A") for id in there])
        assert told(plan) == []
        assert held(plan) == [("A", (), "missing_id"), ("A", ("p1",), "duplicate_remote")]


def test_a_rename_from_a_duplicate_is_blocked() -> None:
    """Which of the two is meant is not known, so the target is not created either."""
    plan = planned([declared("B", was="A")], [listed("p1", "A"), listed("p2", "A")])
    assert told(plan) == []
    assert held(plan) == [
        ("A", ("p1", "p2"), "duplicate_remote"),
        ("B", ("p1", "p2"), "duplicate_remote"),
    ]


def test_a_rename_from_a_product_without_an_id_is_blocked_for_that_reason() -> None:
    """The target is held for what is wrong with its source."""
    plan = planned([declared("B", was="A")], [listed(None, "A")])
    assert told(plan) == []
    assert held(plan) == [("A", (), "missing_id"), ("B", (), "missing_id")]


def test_a_made_rename_is_no_concern_of_duplicates_at_its_source() -> None:
    """The target is there and stays: it is compared as ever."""
    there = [listed("p1", "A"), listed("p2", "A"), listed("p3", "B")]
    plan = planned([declared("B", "Coat", was="A")], there)
    assert told(plan) == ["p3 B name"]
    assert held(plan) == [("A", ("p1", "p2"), "duplicate_remote")]


def test_a_place_that_is_left_is_not_filled_by_a_create_while_its_source_is_doubled() -> None:
    """B moves on to C; what is to become B is one of two, so nothing becomes B yet."""
    there = [listed("p1", "A"), listed("p2", "A"), listed("p3", "B")]
    for order in (1, -1):
        products = [declared("B", was="A"), declared("C", was="B")][::order]
        plan = planned(products, there)
        assert told(plan) == ["p3 B>C"]
        assert [block[0] for block in held(plan)] == ["A", "B"]


def test_a_rename_to_a_duplicate_is_not_made() -> None:
    """The target is held, and its source is not deleted."""
    there = [listed("p1", "A"), listed("p2", "B"), listed("p3", "B")]
    plan = planned([declared("B", was="A")], there)
    assert told(plan) == []
    assert held(plan) == [
        ("A", ("p1",), "rename_conflict"),
        ("B", ("p2", "p3"), "duplicate_remote"),
    ]


def test_a_chain_behind_a_duplicate_stays() -> None:
    """Nothing moves towards a place that nobody can vacate."""
    there = [listed("p1", "A"), listed("p2", "B"), listed("p3", "C"), listed("p4", "C")]
    plan = planned([declared("B", was="A"), declared("C", was="B")], there)
    assert told(plan) == []
    assert [block[0] for block in held(plan)] == ["A", "C"]


def test_a_null_name_is_an_ordinary_difference() -> None:
    """A declared product whose remote name is null is updated; an undeclared one is left."""
    plan = planned([declared("A")], [listed("p1", "A", None), listed("p2", "B", None)])
    assert told(plan) == ["p1 A name"]
    assert [block.store_id for block in plan.blocked] == ["B"]
    assert plan.changes[0].fields["name"] == (None, "Shirt", False, False)
