"""Renames in rounds: many chains at once, and what is left when one stops."""

import pytest

from reconciler.planning.outcome import Fate
from reconciler.sandbox.faults import Fault
from tests.applying.world import World, product


def swapped(pairs: int) -> list[dict[str, object]]:
    """So many pairs of products that exchange their store_ids, under the names that they had."""
    products = []
    for n in range(pairs):
        a, b = f"a{n}", f"b{n}"
        products.append(product(a, name=f"Product {b}", renamed_from=b))
        products.append(product(b, name=f"Product {a}", renamed_from=a))
    return products


@pytest.mark.parametrize("concurrency", [1, 4])
def test_more_chains_than_calls_at_once_come_to_an_end(world: World, concurrency: int) -> None:
    """Between two links the list is read, in pages, although every worker had a chain to carry."""
    world.requests |= {"concurrency": concurrency, "page_size": 3}
    names = [f"{side}{n}" for n in range(4) for side in "ab"]
    world.declare([product(name) for name in names])
    world.apply()
    ids = {row.store_id: row.id for row in world.rows()}
    world.declare(swapped(4))
    report = world.apply()
    assert report.converged
    assert {row.store_id: row.id for row in world.rows()} == {
        name: ids[name.replace("a", "x").replace("b", "a").replace("x", "b")] for name in names
    }


def test_chains_are_looked_at_together(world: World) -> None:
    """One list between two links serves all chains, however many there are."""
    world.declare([product(f"{side}{n}") for n in range(10) for side in "ab"])
    world.apply()
    before = world.calls("GET")
    world.declare(swapped(10))
    assert world.apply().converged
    # One to plan, one after each of the first two links, one to close.
    assert world.calls("GET") - before == 4


def test_a_ring_that_no_list_has_shown_is_left_aside(world: World) -> None:
    """Where the list fails after a product stepped aside, the report says where it stands."""
    world.declare([product("a0"), product("b0")])
    world.apply()
    world.declare(swapped(1))
    world.misbehave(Fault("status", method="GET", status=404, nth=(2,)))
    report = world.apply()
    errors = {outcome.store_id: outcome.error or "" for outcome in report.outcomes}
    aside = [row.store_id for row in world.rows() if "~moving-" in str(row.store_id)]
    assert [store_id for store_id, error in errors.items() if str(aside[0]) in error]
    assert Fate.APPLIED not in {outcome.fate for outcome in report.outcomes}
    assert report.exit_code == 5
    world.misbehave()
    assert world.apply().converged


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_ring_of_which_one_call_is_refused_is_carried_on(world: World, nth: int) -> None:
    """P3: whichever call it is, the next run ends the ring, and every product keeps its id."""
    world.declare([product(name) for name in "abc"])
    world.apply()
    ids = {row.store_id: row.id for row in world.rows()}
    turned = {"b": "a", "c": "b", "a": "c"}
    world.declare(
        [product(new, name=f"Product {old}", renamed_from=old) for new, old in turned.items()]
    )
    world.misbehave(Fault("status", method="PATCH", status=400, nth=(nth,)))
    assert world.apply().exit_code == (1 if nth <= 2 else 5)
    world.misbehave()
    assert world.apply().converged
    assert {row.store_id: row.id for row in world.rows()} == {
        new: ids[old] for new, old in turned.items()
    }
