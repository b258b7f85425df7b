"""Creates whose answer was lost, on servers that rewrite what they are sent."""

from typing import Any

import pytest

from reconciler import reconcile
from reconciler.codes import Code
from reconciler.planning.outcome import Fate, Report
from reconciler.reconcile import Options
from reconciler.remote.transport import Method, Response
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from tests.applying.test_machine import Killed, _arm
from tests.applying.world import World, product

UPPER = Fault("normalise", field="store_id", way="upper")
LOST = Fault("reset", method="POST", moment="after")
NOT_MADE = Fault("reset", method="POST", nth=(1,))


def meddling(world: World, at: Method, count: int, *rows: dict[str, Any]) -> Report:
    """An apply while somebody adds `rows` just before the count-th call of the method `at`."""
    with world.client() as client:
        send = client._transport.send
        calls = 0

        def send_on(method: Method, query: Any = {}, body: bytes | None = None) -> Response:  # noqa: B006
            nonlocal calls
            calls += method == at
            if method == at and calls == count:
                world.sandbox.store.seed(rows)
            return send(method, query, body)

        client._transport.send = send_on  # type: ignore[method-assign]
        return reconcile.apply(world.store(client), Options(prune="none"))


def fates(report: Report) -> list[Fate]:
    """The fate of each change."""
    return [outcome.fate for outcome in report.outcomes]


@pytest.mark.parametrize("unique", [False, True])
def test_lost_create_is_found_under_what_the_server_keeps(world: World, unique: bool) -> None:
    """It is posted once, adopted, told of, and the next plans have nothing to do."""
    with Sandbox(page_max=20, unique_store_ids=unique) as sandbox:
        here = World(world.folder, sandbox)
        here.declare([product("abc", name="linen  shirt", type="dress"), product("def")])
        titled = Fault("normalise", field="name", way="title")
        here.misbehave(UPPER, titled, LOST)
        report = here.apply()
        assert report.exit_code == 0
        assert Code.SERVER_KEEPS in {finding.code for finding in report.warnings}
        assert sorted(str(row.store_id) for row in here.rows()) == ["ABC", "DEF"]
        assert here.remote()["ABC"]["type"] == "dress"
        assert here.calls("POST") == 2
        again = here.apply()
        assert (again.outcomes, here.calls("POST"), here.calls("DELETE")) == ((), 2, 0)


def test_what_was_there_before_is_never_adopted(world: World) -> None:
    """A product that was listed before the apply is not what the apply made, however alike."""
    (there,) = world.sandbox.store.seed([product("ABC", name="Product abc")])
    world.declare([product("abc")])
    world.misbehave(NOT_MADE)
    assert world.apply(options=Options(prune="none")).summary.applied == 1
    assert world.calls("POST") == 2
    assert {row.store_id: row.id for row in world.rows()}["ABC"] == there
    assert len(world.rows()) == 2


def test_a_product_to_be_deleted_does_not_hide_what_was_made(world: World) -> None:
    """Beside an older product of the rewritten store_id, the new one is the one that was made."""
    (old,) = world.sandbox.store.seed([product("ABC", name="Other")])
    world.declare([product("abc")])
    world.misbehave(UPPER, LOST)
    assert world.apply().exit_code == 0
    assert world.calls("POST") == 1
    (row,) = world.rows()
    assert row.id != old
    assert not world.plan().changes


@pytest.mark.parametrize(
    "other",
    [
        product("ABC", name="Another"),
        product("ABC", name="Product abc", tags=["wool"]),
        product("ABX", name="Product abc"),
    ],
)
def test_what_is_new_but_unlike_is_not_adopted(world: World, other: dict[str, Any]) -> None:
    """A product that somebody else makes meanwhile is theirs, where any readable value differs."""
    world.declare([product("abc")])
    world.misbehave(NOT_MADE)
    assert fates(meddling(world, "POST", 1, other)) == [Fate.APPLIED]
    assert world.calls("POST") == 2
    assert {row.store_id for row in world.rows()} == {"abc", other["store_id"]}


def test_one_of_two_that_are_alike_is_not_guessed(world: World) -> None:
    """Where two new products may be the one that was made, the create stays unknown."""
    world.declare([product("abc")])
    world.misbehave(UPPER, LOST, Fault("duplicate_create"))
    report = world.apply()
    assert fates(report) == [Fate.UNKNOWN]
    assert report.exit_code == 5
    assert "nobody can tell" in str(report.outcomes[0].error)
    assert (world.calls("POST"), world.calls("PATCH")) == (1, 0)


def test_two_creates_that_are_alike_are_not_told_apart_by_guessing(world: World) -> None:
    """Where one new product may be what either of two creates made, both are unknown."""
    world.declare([product("abc", name="N"), product("aBc", name="N")])
    world.misbehave(UPPER, LOST)
    assert fates(world.apply()) == [Fate.UNKNOWN] * 2
    assert (world.calls("POST"), world.calls("PATCH")) == (2, 0)


def test_create_of_a_dead_run_that_lands_late_is_found(world: World) -> None:
    """What a run that died has sent is looked for under what the server keeps, too."""
    world.declare([product("abc")])
    with world.client() as client:
        _arm(client, (1, "before"), None, world)
        with pytest.raises(Killed):
            reconcile.apply(world.store(client))
    world.misbehave(UPPER)
    report = meddling(world, "GET", 2, product("ABC", name="Product abc"))
    assert fates(report) == [Fate.APPLIED]
    assert world.calls("POST") == 0
    assert [row.store_id for row in world.rows()] == ["ABC"]
    assert not world.plan().changes


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("fault", [UPPER, Fault("normalise", field="store_id", way="title")])
def test_create_of_a_dead_run_is_found_by_the_next_plan(
    world: World, fault: Fault, unique: bool
) -> None:
    """What a run made and died of is not made again: the plan shows what it takes it for."""
    with Sandbox(page_max=20, unique_store_ids=unique) as sandbox:
        here = World(world.folder, sandbox)
        here.declare([product("abc", type="dress"), product("def", type="dress")])
        here.misbehave(fault)
        with here.client() as client:
            _arm(client, (1, "after"), None, here)
            with pytest.raises(Killed):
                reconcile.apply(here.store(client))
        (made,) = here.rows()
        plan = here.plan()
        assert sorted(change.action for change in plan.changes) == ["create", "update"]
        report = here.apply()
        assert (report.exit_code, here.calls("POST"), here.calls("DELETE")) == (0, 2, 0)
        assert made.id in {row.id for row in here.rows()}
        assert len(here.rows()) == 2
        assert {row["type"] for row in here.remote().values()} == {"dress"}
        assert not here.plan().changes
