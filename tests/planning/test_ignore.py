"""What others keep at the remote: ignored tags travel along, ignored products are in no plan."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.applying.stale import changed_since
from reconciler.authoring.pull import compare_remote
from reconciler.model import Catalog, Ledger, Listing
from reconciler.planning.diff import diff
from reconciler.planning.ignore import Ignore
from reconciler.planning.origin import with_origins
from reconciler.planning.plan import Plan
from tests.planning.making import catalog, codes, declared, known, ledger, listed, remote, told

RS = Ignore(tags=["rs-*"])
tag_sets = st.sets(st.sampled_from(["a", "b", "c", "rs-1", "rs-2", "rs"]))


def plan_of(products: Catalog, there: Listing, ignore: Ignore) -> Plan:
    """The plan for a remote of which the ledger knows every product."""
    memory = {str(p.id): known(str(p.store_id)) for p in there.products}
    return diff(products, there, ledger(memory), ignore=ignore)


@given(own=st.none() | tag_sets, there=tag_sets, later=tag_sets)
def test_ignored_tags_travel_along(own: set[str] | None, there: set[str], later: set[str]) -> None:
    """Whatever is declared: what is sent holds the remote's ignored tags and no other such tag.

    Once it is sent there is nothing to do, also after others have changed the tags that are theirs.
    """
    products = catalog(declared("A", tags=own))
    plan = plan_of(products, remote(listed("p1", "A", tags=there)), RS)
    after = there
    for change in plan.changes:
        after = set(change.fields["tags"].after or ())
    theirs = {tag for tag in there if tag.startswith("rs-")}
    assert {tag for tag in after if tag.startswith("rs-")} == theirs
    if own is not None:
        assert after - theirs == {tag for tag in own if not tag.startswith("rs-")}
    moved = {tag for tag in after if not tag.startswith("rs-")}
    moved |= {tag for tag in later if tag.startswith("rs-")}
    assert told(plan_of(products, remote(listed("p1", "A", tags=moved)), RS)) == []


def test_declared_tags_that_are_left_alone_are_not_sent() -> None:
    """Neither on a create nor on an update; a warning names the products."""
    there = remote(listed("p1", "A", tags=["rs-1"]))
    plan = plan_of(
        catalog(declared("A", tags=["rs-2"]), declared("B", tags=["rs-2", "x"])), there, RS
    )
    (create,) = plan.changes
    assert create.fields["tags"].after == ("x",)
    assert codes(plan) == ["ignored"]
    assert "2 products with declared tags" in plan.warnings[0].message


def test_ignored_products_are_in_no_plan() -> None:
    """Neither created, changed, deleted nor blocked, and no figure of a limit counts them."""
    ignore = Ignore(products=["gift-*"])
    there = remote(
        listed("p1", "gift-1"),
        listed("p2", "gift-2"),
        listed("p3", "gift-3"),
        listed("p4", "gift-3"),
        listed("p5", "A"),
    )
    products = catalog(declared("gift-1", "New"), declared("gift-9"), declared("A"))
    plan = plan_of(products, there, ignore)
    assert (told(plan), plan.blocked, plan.remote_products, plan.unchanged) == ([], (), 1, 1)
    assert codes(plan) == ["ignored"]
    assert "gift-1, gift-9" in plan.warnings[0].message
    assert plan.catalog.products == 3


def test_what_waits_for_a_rename_to_an_ignored_store_id_is_not_deleted() -> None:
    """Its declaration is left alone, and that is no reason to take it for undeclared."""
    ignore = Ignore(products=["gift-*"])
    there = remote(listed("p1", "77"), listed("p2", "78"), listed("p3", "A"))
    products = catalog(declared("gift-7", was="77"), declared("A"))
    assert told(plan_of(products, there, ignore)) == ["-p2 78"]
    assert [new.values[0] for new in compare_remote(products, there, Ledger(), ignore).new] == [
        "78"
    ]
    both = catalog(declared("gift-7", was="77"), declared("77", "New"), declared("A"))
    assert told(plan_of(both, there, ignore)) == ["p1 77 name", "-p2 78"]


def test_a_pull_leaves_them_alone_too() -> None:
    """Ignored tags are neither added to a file nor taken out; ignored products are not pulled."""
    ignore = Ignore(["rs-*"], ["gift-*"])
    there = remote(
        listed("p1", "A", tags=["a", "rs-1"]),
        listed("p2", "B", tags=["rs-1", "x"]),
        listed("p3", "gift-1"),
    )
    found = compare_remote(catalog(declared("A", tags=["a", "rs-9"])), there, Ledger(), ignore)
    assert found.values == {}
    assert [new.values[2] for new in found.new] == [("x",)]


def test_a_saved_plan_is_stale_only_by_tags_that_it_writes() -> None:
    """Others may change their tags while it waits, unless its own tags would undo that."""
    before, after = listed("p1", "A", tags=["rs-1"]), listed("p1", "A", tags=["rs-2"])
    renamed = plan_of(catalog(declared("A", "New", tags=[])), remote(before), RS)
    assert changed_since(renamed, remote(after), Ledger(), (), RS) == ()
    assert len(changed_since(renamed, remote(after), Ledger())) == 1
    tagged = plan_of(catalog(declared("A", tags=["x"])), remote(before), RS)
    assert len(changed_since(tagged, remote(after), Ledger(), (), RS)) == 1
    ignore = Ignore(products=["A"])
    assert "left alone by now" in changed_since(tagged, remote(before), Ledger(), (), ignore)[0]


@pytest.mark.parametrize(("base", "origin"), [("x", "drift"), ("y", "edit")])
def test_origins_are_told_without_ignored_tags(base: str, origin: str) -> None:
    """The base is completed with the remote's tags like the head, so equal changes are equal."""
    there = remote(listed("p1", "A", tags=["y", "rs-1"]))
    head = catalog(declared("A", tags=["x"]), declared("B", tags=["x", "rs-9"]))
    before = catalog(declared("A", tags=[base]), declared("B", tags=[base]))
    plan = with_origins(
        plan_of(head, there, RS), before, there, Ledger({"p1": known("A")}), ignore=RS
    )
    assert [change.origin for change in plan.changes] == [
        "drift" if base == "x" else "both",
        origin,
    ]
    assert replace(plan, changes=()).changes == ()
