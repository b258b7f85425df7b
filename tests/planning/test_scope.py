"""What a plan covers: prune, protected, --select, --resend; and readable fields as they compare."""

from typing import Any, Literal

import pytest

from reconciler.codes import Code
from reconciler.errors import UnmatchedPattern, UsageError
from reconciler.model import Listing, State
from reconciler.planning.diff import diff
from reconciler.planning.plan import Delete, FieldChange
from tests.planning.making import (
    EMPTY,
    catalog,
    codes,
    declared,
    held,
    known,
    ledger,
    listed,
    planned,
    told,
)

A, B, C = listed("p1", "A"), listed("p2", "B"), listed("p3", "C")


def test_equal_products_are_unchanged() -> None:
    """Declared as it is there: nothing to do, counted as such; unmanaged tags are not touched."""
    there = [listed("p1", "A", tags=["x"]), listed("p2", "B", tags=["y", "x"])]
    plan = planned([declared("A"), declared("B", tags=["x", "y", "x"])], there)
    assert told(plan) == []
    assert plan.summary == (0, 0, 0, 2, 0, 0, 0, 0)


def test_an_empty_list_clears_the_tags() -> None:
    """Declared empty is not the same as left out."""
    plan = planned([declared("A", tags=[])], [listed("p1", "A", tags=["x"])])
    assert plan.changes[0].fields == {"tags": FieldChange(("x",), ())}


def test_a_create_has_every_declared_value_and_its_place() -> None:
    """Write-only values are marked; unmanaged fields are left out."""
    plan = planned([declared("A", type="top", file="catalog/a.yaml", line=7)], [])
    (change,) = plan.changes
    assert change.fields == {
        "store_id": FieldChange(None, "A"),
        "name": FieldChange(None, "Shirt"),
        "type": FieldChange(None, "top", write_only=True),
    }
    assert (str(change.source), change.id) == ("catalog/a.yaml:7:3", None)


def test_a_delete_has_all_that_is_lost() -> None:
    """The readable values as fields, the whole record beside them."""
    (change,) = planned([], [listed("p1", "A", tags=["x"])]).changes
    assert change.fields == {
        "store_id": FieldChange("A", None),
        "name": FieldChange("Shirt", None),
        "tags": FieldChange(("x",), None),
    }
    assert isinstance(change, Delete)
    assert change.record == {"id": "p1", "store_id": "A", "name": "Shirt", "tags": ["x"]}


@pytest.mark.parametrize(
    ("prune", "says"),
    [
        ("all", ["-p1 A", "-p2 B", "-p3 C"]),
        ("managed", ["-p1 A", "-p2 B"]),
        ("none", []),
    ],
)
def test_prune_says_which_undeclared_products_go(
    prune: Literal["all", "managed", "none"], says: list[str]
) -> None:
    """All; those that this ledger knows by id, or by a create whose answer was lost; or none."""
    memory = ledger({"p2": known("B"), "p9": known("C")}, {"A": known("A").entries})
    assert told(planned([], [A, B, C], ledger=memory, prune=prune)) == says


def test_protected_products_are_left_out_with_a_warning() -> None:
    """What a glob protects is never deleted; the warning counts it and names the first few."""
    there = [listed(f"p{n}", f"gift-{n}") for n in range(5)] + [A]
    plan = planned([], there, protected=["gift-*", "A?", "Gift-*"])
    assert told(plan) == ["-p1 A"]
    assert codes(plan) == ["protected", "unmatched_protected", "unmatched_protected"]
    assert "5 products" in plan.warnings[0].message
    assert "gift-0, gift-1, gift-2 and 2 more" in plan.warnings[0].message
    assert "'A?'" in plan.warnings[1].message


def test_a_protected_pattern_may_match_what_is_declared() -> None:
    """It matches a product of the remote, so it is no slip of the pen, and nothing is spared."""
    plan = planned([declared("A")], [A, listed("p8", None)], protected=["A", "None"])
    assert codes(plan) == ["unmatched_protected"]
    assert "'None'" in plan.warnings[0].message


def test_protected_takes_tags_at_the_remote() -> None:
    """`tag=` keeps what has that tag at the remote, and a tag that nothing has is told."""
    there = [listed("p1", "A", tags=["evergreen"]), listed("p2", "B", tags=["x"])]
    plan = planned([], there, protected=["tag=evergreen", "tag=gone"])
    assert told(plan) == ["-p2 B"]
    assert codes(plan) == ["protected", "unmatched_protected"]


@pytest.mark.parametrize(
    ("select", "says"),
    [
        (["A"], ["p1 A name"]),
        (["a"], None),
        (["A", "E*"], ["p1 A name", "-p5 E1"]),
        (["tag=new"], ["p2 B name tags"]),
        (["tag=ne"], None),
        (["type=top"], ["p1 A name"]),
        (["type=to*"], None),
        (["file=catalog/b*"], ["p2 B name tags"]),
        (["file=b*"], None),
        (["*"], ["p1 A name", "p2 B name tags", "-p5 E1"]),
        (["[AB]"], ["p1 A name", "p2 B name tags"]),
        (["name=A"], None),
    ],
)
def test_select_narrows_the_plan(select: list[str], says: list[str] | None) -> None:
    """Globs of store_ids match what is declared and what is not; the rest only what is declared."""
    products = [
        declared("A", "Coat", type="top", file="catalog/a.yaml"),
        declared("B", "Coat", tags=["new"], type="topcoat", file="catalog/b.yaml"),
    ]
    there = [A, B, listed("p5", "E1")]
    memory = ledger({"p1": known("A", type=("top", State.CONFIRMED))})
    if says is None:
        with pytest.raises(UnmatchedPattern, match=r"--select matches nothing: ") as caught:
            planned(products, there, ledger=memory, select=select)
        assert caught.value.code is Code.UNMATCHED_PATTERN
    else:
        assert told(planned(products, there, ledger=memory, select=select)) == says


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("X*", "`*` stands for any text"),
        ("!tags=new", "Did you mean `tag=…`?"),
        ("tag=ne*", "tag= is matched as it is written, without patterns"),
        ("type=x", "type= is matched as it is written"),
        ("file=a.yaml", "`file=*/a.yaml` finds it in any folder"),
    ],
)
def test_what_matches_nothing_is_advised_on(expression: str, hint: str) -> None:
    """The hint fits the kind of expression: only some of them are patterns."""
    with pytest.raises(UnmatchedPattern) as caught:
        planned([declared("A", tags=["new"], file="catalog/a.yaml")], [], select=[expression])
    assert hint in str(caught.value.hint)
    there = planned([declared("A", file="catalog/a.yaml")], [], select=["file=*/a.yaml"])
    assert told(there) == ["+A"]


@pytest.mark.parametrize(
    ("select", "says"),
    [
        (["!A"], ["p2 B name", "-p5 E1", "-p6 E2"]),
        (["!E*"], ["p1 A name", "p2 B name"]),
        (["E*", "!E1"], ["-p6 E2"]),
        (["!tag=kids"], ["p1 A name", "-p6 E2"]),
        (["!file=catalog/b*"], ["p1 A name", "-p5 E1", "-p6 E2"]),
        (["!x-owner=anna"], ["p2 B name", "-p5 E1", "-p6 E2"]),
        (["x-owner=anna"], ["p1 A name"]),
        (["x-team=web", "!x-owner=anna"], ["p2 B name"]),
        (["!type=top"], ["p2 B name"]),
        (["*", "!nothing"], None),
    ],
)
def test_an_expression_with_an_exclamation_mark_excludes(
    select: list[str], says: list[str] | None
) -> None:
    """It narrows what the others select, or all; of undeclared products it knows id and tags.

    Their type nobody knows, so that an excluded type leaves all of them out.
    """
    products = [
        declared("A", "Coat", type="top", file="catalog/a.yaml", notes=(("x-owner", "anna"),)),
        declared("B", "Coat", tags=["kids"], file="catalog/b.yaml", notes=(("x-team", ("web",)),)),
    ]
    kids = listed("p2", "B", tags=["kids"])
    there = [A, kids, listed("p5", "E1", tags=["kids"]), listed("p6", "E2")]
    memory = ledger({"p1": known("A", type=("top", State.CONFIRMED))})
    if says is None:
        with pytest.raises(UnmatchedPattern, match=r"nothing: !nothing\."):
            planned(products, there, ledger=memory, select=select)
    else:
        assert told(planned(products, there, ledger=memory, select=select)) == says


def test_what_is_excluded_never_makes_room_for_others() -> None:
    """A product whose store_id only an excluded one could give up is left out with it."""
    there = [listed("p1", "A"), listed("p2", "B")]
    products = [declared("B", was="A"), declared("C", was="B")]
    assert told(planned(products, there, select=["B"])) == ["p1 A>B", "p2 B>C"]
    assert told(planned(products, there, select=["B", "!C"])) == []
    assert told(planned(products, there, select=["!C"])) == []


def test_every_select_expression_must_match() -> None:
    """One that matches does not excuse another that does not; all of these are named."""
    with pytest.raises(UnmatchedPattern, match=r"nothing: X, type=y\."):
        planned([declared("A")], [A], select=["A", "type=y", "X"])


def test_a_rename_is_selected_by_either_store_id() -> None:
    """The old one, too, names the product."""
    for select in ("A", "B"):
        plan = planned([declared("B", was="A"), declared("C", "Coat")], [A, C], select=[select])
        assert told(plan) == ["p1 A>B"]


def test_blocked_products_are_selected_too() -> None:
    """An expression that matches only what is blocked is met; other blocks are not shown."""
    there = [A, listed("p7", "A"), B, listed("p8", "B"), listed("p9", None)]
    for wanted in ([], [declared("A")]):
        plan = planned(wanted, there, select=["A"])
        assert held(plan) == [("A", ("p1", "p7"), "duplicate_remote")]
    assert len(held(planned([], there, select=["*"]))) == 3
    plan = planned([declared("A", tags=["x"]), declared("B")], there, select=["tag=x"])
    assert [block[0] for block in held(plan)] == ["A"]


def test_what_makes_room_for_a_selected_product_comes_along() -> None:
    """A place cannot be taken before it is left; so the links it waits for are in the plan."""
    chain = [declared("B", tags=["x"], was="A"), declared("C", was="B")]
    assert told(planned(chain, [A, B], select=["tag=x"])) == ["p1 A>B tags", "p2 B>C"]
    assert told(planned(chain, [A, B], select=["C"])) == ["p2 B>C"]
    swap = [declared("A", was="B"), declared("B", tags=["x"], was="A")]
    assert told(planned(swap, [A, B], select=["tag=x"])) == ["p2 B>A", "p1 A>B tags"]
    create = [declared("A", tags=["x"], was="Z"), declared("B", was="A")]
    assert told(planned(create, [A], select=["tag=x"])) == ["+A", "p1 A>B"]
    begun = ledger({}, {}, ("p1", "A", "B"), ("p2", "B", "A"))
    plan = planned(swap, [A, B], ledger=begun, select=["tag=x"])
    assert told(plan) == ["p2 B>A", "p1 A>B tags"]


def test_what_is_not_selected_is_not_adopted() -> None:
    """Nothing is assumed of products that the plan does not cover."""
    plan = planned([declared("A", type="top"), declared("B", type="top")], [A, B], select=["A"])
    assert [adoption.id for adoption in plan.adoptions] == ["p1"]
    assert (plan.unchanged, plan.unconfirmed) == (1, 1)


@pytest.mark.parametrize(
    ("resend", "says"),
    [
        (["type"], ["+C", "p1 A type", "p2 B type"]),
        (["type=B"], ["+C", "p2 B type"]),
        (["type=[AB]", "image_url=A"], ["+C", "p1 A image_url type", "p2 B type"]),
        (["type=C"], ["+C"]),
    ],
)
def test_resend_narrows_by_store_id(resend: list[str], says: list[str]) -> None:
    """A field, or a field of some products; one that is to be created is sent anyway."""
    products = [declared("A", image="u", type="top"), declared("B", type="top")]
    plan = planned([*products, declared("C", type="top")], [A, B], resend=resend)
    assert told(plan) == says


@pytest.mark.parametrize("resend", [["type=X"], ["image_url"], ["type", "type=a"]])
def test_a_resend_that_matches_no_declared_value_is_an_error(resend: list[str]) -> None:
    """A product that does not declare the field does not count, nor another case."""
    with pytest.raises(UnmatchedPattern, match=r"--resend matches nothing: "):
        planned([declared("A", type="top"), declared("B")], [A, B], resend=resend)


@pytest.mark.parametrize(
    ("expression", "says"),
    [("colour=A", "is not a field"), ("type=", "the pattern after `=` is empty")],
)
def test_what_cannot_be_sent_again_is_told(expression: str, says: str) -> None:
    """A slip of the pen is an error with a remedy, not a resend of everything (P4)."""
    with pytest.raises(UsageError, match=says) as caught:
        planned([declared("A")], [A], resend=[expression])
    assert caught.value.hint is not None


@pytest.mark.parametrize("prune", ["all", "none"])
def test_an_empty_catalogue_is_still_a_plan(prune: Any) -> None:
    """It is a guard's business to refuse it, not the diff's to guess."""
    plan = diff(catalog(), Listing((A,)), EMPTY, prune=prune)
    assert len(plan.changes) == (prune == "all")
    assert plan.remote_products == 1


def test_one_pattern_protects_all_that_it_matches() -> None:
    """It goes on protecting after its first match."""
    there = [listed(f"p{n}", f"gift-{n}") for n in range(3)]
    plan = planned([], there, protected=["gift-*"])
    assert (told(plan), codes(plan)) == ([], ["protected"])


@pytest.mark.parametrize("store_id", ["type", "tag", "colour=red", "="])
def test_what_is_no_selector_is_a_glob(store_id: str) -> None:
    """A store_id may be a selector's name, or have an equals sign in it."""
    plan = planned([declared(store_id, "Coat"), declared("A", "Coat")], [], select=[store_id])
    assert told(plan) == [f"+{store_id}"]
