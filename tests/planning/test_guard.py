"""Guards: what they refuse, where the line is, and the flag that allows it."""

from dataclasses import replace

import pytest

from reconciler.codes import Code
from reconciler.model import Product
from reconciler.planning.guard import Allowances, Limit, Limits, with_fresh_figures, with_refusals
from reconciler.planning.plan import Plan
from tests.planning.making import catalog, declared, listed, planned


def _plan(deletes: int = 0, updates: int = 0, remote: int = 100) -> Plan:
    """A plan with so many changes of each kind, and one declared product at least."""
    there = [listed(f"p{n}", f"{n:03}") for n in range(remote)]
    names = ["Coat" if n < updates else "Shirt" for n in range(remote - deletes)]
    kept = [declared(f"{n:03}", name) for n, name in enumerate(names)]
    return planned([*kept, declared("here")], there)


@pytest.mark.parametrize(
    ("deletes", "limits", "refused"),
    [
        (10, Limits(), False),
        (11, Limits(), True),
        (5, Limits(deletes=Limit(1)), False),
        (6, Limits(deletes=Limit(1)), True),
        (6, Limits(deletes=Limit(6)), False),
        (1, Limits(deletes=Limit(0), floor=0), True),
        (1, Limits(deletes=Limit(0.5, percent=True), floor=0), True),
        (1, Limits(deletes=Limit(1, percent=True), floor=0), False),
    ],
)
def test_deletes_are_refused_above_both_the_limit_and_the_floor(
    deletes: int, limits: Limits, refused: bool
) -> None:
    """A percentage is of the remote products, a plain number is a count; the floor is free."""
    codes = [refusal.code for refusal in with_refusals(_plan(deletes), limits).refusals]
    assert codes == ([Code.TOO_MANY_DELETES] if refused else [])


def test_a_plain_number_is_a_count_of_products() -> None:
    """Whatever the remote holds; a percentage of few products is less than one of many."""
    limits = Limits(deletes=Limit(8), floor=0)
    assert with_refusals(_plan(8, remote=10), limits).refusals == ()
    assert with_refusals(_plan(9, remote=10), limits).refusals != ()
    limits = Limits(deletes=Limit(8, percent=True), floor=0)
    assert with_refusals(_plan(1, remote=10), limits).refusals != ()


def test_updates_have_their_own_limit() -> None:
    """Updates are counted apart from deletes, and every update is free by default."""
    assert with_refusals(_plan(updates=100)).refusals == ()
    limits = Limits(updates=Limit(20, percent=True))
    assert with_refusals(_plan(updates=20), limits).refusals == ()
    (refusal,) = with_refusals(_plan(updates=21), limits).refusals
    assert (refusal.code, refusal.allow) == (Code.TOO_MANY_UPDATES, "--allow-updates 21")
    assert with_refusals(_plan(updates=21), limits, Allowances(updates=21)).refusals == ()
    assert with_refusals(_plan(updates=21), limits, Allowances(deletes=100)).refusals != ()


def test_an_allowance_permits_up_to_its_number() -> None:
    """--allow-deletes N: N and no more; less than the limit takes nothing away."""
    assert with_refusals(_plan(30), allowances=Allowances(deletes=30)).refusals == ()
    (refusal,) = with_refusals(_plan(31), allowances=Allowances(deletes=30)).refusals
    assert refusal.allow == "--allow-deletes 31"
    assert with_refusals(_plan(10), allowances=Allowances(deletes=0)).refusals == ()


def test_a_refusal_says_how_many_of_how_many_and_the_limit() -> None:
    """The message holds the numbers that decide."""
    (refusal,) = with_refusals(_plan(11)).refusals
    assert refusal.message == ("The plan would delete 11 products of 100; the limit is 10%, or 5.")
    limits = Limits(deletes=Limit(0), floor=0)
    (refusal,) = with_refusals(_plan(1), limits).refusals
    assert "delete 1 product of 100; the limit is 0." in refusal.message


def test_an_empty_catalogue_that_would_delete_is_refused() -> None:
    """However few the products, unless it is allowed; with nothing to change it harms nobody."""
    plan = planned([], [listed("p1", "A")])
    (refusal,) = with_refusals(plan).refusals
    assert (refusal.code, refusal.allow) == (Code.EMPTY_CATALOG, "--allow-empty")
    assert "changes for 1 product." in refusal.message
    assert with_refusals(plan, allowances=Allowances(empty=True)).refusals == ()
    assert with_refusals(planned([], [])).refusals == ()


def test_several_refusals_are_told_together() -> None:
    """The empty catalogue first, then the limit; a judgement replaces the one before."""
    plan = with_refusals(planned([], [listed(f"p{n}", f"{n}") for n in range(6)]))
    assert [r.code for r in plan.refusals] == [Code.EMPTY_CATALOG, Code.TOO_MANY_DELETES]
    again = with_refusals(plan, allowances=Allowances(deletes=6, empty=True))
    assert again == replace(plan, refusals=())
    assert again.digest == plan.digest
    assert catalog().products == {}


def test_creates_have_a_limit_where_one_is_set() -> None:
    """By default every create is free; above the limit and the floor the flag is named."""
    plan = planned([declared(f"new{n}") for n in range(7)], [listed("p", "new0")])
    assert with_refusals(plan).refusals == ()
    limits = Limits(creates=Limit(5), deletes=None, updates=None)
    (refusal,) = with_refusals(plan, limits).refusals
    assert (refusal.code, refusal.allow) == (Code.TOO_MANY_CREATES, "--allow-creates 6")
    assert with_refusals(plan, limits, Allowances(creates=6)).refusals == ()


def test_no_limit_is_no_limit() -> None:
    """Where a limit is null, any number passes."""
    limits = Limits(deletes=None, updates=None, floor=0)
    assert with_refusals(_plan(deletes=99), limits).refusals == ()


def test_a_saved_plan_is_judged_by_fresh_figures() -> None:
    """P4: the number of products is the list's; a plan that leaves nothing is an empty one."""
    plan = _plan(deletes=12, remote=20)
    claimed = replace(plan, remote_products=100_000)
    assert with_refusals(claimed).refusals == ()
    (refusal,) = with_refusals(with_fresh_figures(claimed, 20)).refusals
    assert refusal.code == Code.TOO_MANY_DELETES
    nothing = planned([], [listed(f"p{n}", f"{n}") for n in range(3)])
    claimed = replace(nothing, catalog=nothing.catalog._replace(products=24))
    assert with_refusals(claimed).refusals == ()
    (refusal,) = with_refusals(with_fresh_figures(claimed, 3)).refusals
    assert refusal.code == Code.EMPTY_CATALOG


@pytest.mark.parametrize("product", [declared("0", "Coat"), declared("new", was="0")])
def test_a_plan_with_an_update_is_of_no_empty_catalogue(product: Product) -> None:
    """P6: if its updated product is gone it is stale, and not told as one that declares nothing."""
    plan = planned([product], [listed(f"p{n}", f"{n}", "Shirt") for n in range(3)])
    assert plan.summary.delete == 2
    assert with_refusals(with_fresh_figures(plan, 2)).refusals == ()
