"""Warnings about a plan: what looks like a mistake, and what would be lost."""

from dataclasses import replace

import pytest

from reconciler.codes import Code
from reconciler.model import Finding
from reconciler.planning.diff import diff
from reconciler.planning.hints import about_changes
from reconciler.planning.plan import Delete, Prune
from tests.planning.making import EMPTY, catalog, codes, declared, listed, planned, remote


@pytest.mark.parametrize("name", ["Shirt", " shirt ", "SHIRT"])
def test_a_delete_and_a_create_of_one_name_look_like_a_rename(name: str) -> None:
    """The warning gives the line to add, at the place of the new product."""
    plan = planned([declared("B", line=4)], [listed("p1", 'A"\\', name)])
    (finding,) = plan.warnings
    assert finding.code is Code.LOOKS_LIKE_RENAME
    assert 'add `renamed_from: "A\\"\\\\"`' in finding.message
    assert str(finding.location) == "catalog/all.yaml:4:3"


def test_an_undeclared_product_that_stays_looks_like_a_rename_too() -> None:
    """Under `prune: none` nothing is deleted, and the old product is named all the same."""
    plan = planned([declared("B")], [listed("p1", "A")], prune="none")
    assert codes(plan) == ["looks_like_rename"]
    assert "A (declared nowhere) and B (to be created)" in plan.warnings[0].message


@pytest.mark.parametrize(("prune", "left"), [("all", 0), ("managed", 2), ("none", 2)])
def test_undeclared_products_that_stay_are_counted(prune: Prune, left: int) -> None:
    """The plan says how many products it leaves that nothing declares."""
    there = [listed("p1", "A", "Coat"), listed("p2", "B", "Hat")]
    plan = planned([], there, prune=prune)
    assert (plan.undeclared, plan.summary.undeclared) == (left, left)
    assert planned([], there, prune=prune, protected=["*"]).undeclared == 2


def test_a_name_that_two_products_lose_suggests_neither() -> None:
    """Which of them became the new one is anybody's guess; a null name suggests nothing."""
    assert codes(planned([declared("C")], [listed("p1", "A"), listed("p2", "B")])) == []
    assert codes(planned([declared("C")], [listed("p1", "A", None)])) == []
    assert codes(planned([declared("C", "Coat")], [listed("p1", "A")])) == []


@pytest.mark.parametrize("near", ["ab-1", "AB -1", " Ab-1"])
def test_a_create_that_differs_only_in_case_or_space_is_told(near: str) -> None:
    """Such a pair is mostly one product with a slip in its store_id."""
    plan = planned([declared("Ab-1", "Coat")], [listed("p1", near)])
    assert codes(plan) == ["differs_in_case"]
    assert repr(near) in plan.warnings[0].message


def test_a_near_miss_that_is_declared_itself_is_none() -> None:
    """Two declared products may differ only in case; and an equal one is no create."""
    there = [listed("p1", "ab"), listed("p2", None)]
    assert codes(planned([declared("Ab"), declared("ab")], there)) == []


def test_the_near_miss_named_is_the_same_in_any_order() -> None:
    """Of several, the first in order of text."""
    there = [listed("p1", "aB"), listed("p2", "AB")]
    for order in (there, there[::-1]):
        finding = planned([declared("Ab", "Coat")], order).warnings[-1]
        assert "'AB' is there already" in finding.message


@pytest.mark.parametrize(
    ("record", "warns"),
    [
        ({"size_chart": {"S": 1}}, True),
        ({"fabric": {"cotton": 1}}, True),
        ({"comment": "fits small"}, True),
        ({"size_chart": {}, "fabric": {}, "comment": None}, False),
        ({}, False),
    ],
)
def test_a_delete_that_destroys_hand_entered_data_is_told(
    record: dict[str, object], warns: bool
) -> None:
    """Only where there is something to lose; a few store_ids are named."""
    changes = planned([], [listed("p1", "A"), listed("p2", "B")]).changes
    marked = [replace(c, record=record) for c in changes if isinstance(c, Delete)]
    found = about_changes(marked)
    assert [finding.code for finding in found] == [Code.DELETES_HAND_ENTERED_DATA] * warns
    assert all("2 products to be deleted (A, B)" in finding.message for finding in found)


def test_warnings_of_the_catalogue_come_first() -> None:
    """What the reader found is part of the plan's warnings."""
    found = Finding("warning", Code.NOT_NFC, "not NFC")
    products = [declared("A", type="top")]
    plan = diff(catalog(*products, warnings=(found,)), remote(listed("p1", "A")), EMPTY)
    assert codes(plan) == ["not_nfc", "unconfirmed"]
