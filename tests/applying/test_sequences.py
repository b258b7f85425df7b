"""Sequences that once broke a promise: each of these failed before its fix."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from reconciler import reconcile
from reconciler.errors import StalePlan
from reconciler.planning.outcome import Fate, Report
from reconciler.reconcile import Options
from reconciler.remote.transport import Method, Response
from reconciler.report.plan_json import parse_plan, plan_json
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from tests.applying.test_machine import Killed, _arm
from tests.applying.world import World, expected, product


def fates(report: Report) -> dict[str, Fate]:
    """The fate of each change, by store_id."""
    return {outcome.store_id: outcome.fate for outcome in report.outcomes}


def test_batch_in_part_takes_its_write_only_fields_along(world: World) -> None:
    """A shared call that landed in part is sent again whole, with what no list shows."""
    world.declare([product(str(n)) for n in range(4)])
    world.apply()
    wanted = [product(str(n), tags=["new"], type="dress") for n in range(4)]
    world.declare(wanted)
    world.misbehave(Fault("partial_patch", amount=1, nth=(1,)))
    assert world.apply().converged
    assert world.remote() == {declared["store_id"]: expected(declared) for declared in wanted}


def test_stop_while_settling_leaves_it_unknown(world: World) -> None:
    """A stop during the look for a lost create does not make it absent."""
    world.declare([product("1")])
    world.misbehave(Fault("reset", method="POST", nth=(1,)))
    with world.client() as client:
        send = client._transport.send

        def stopping(method: Method, query: Any = {}, body: bytes | None = None) -> Response:  # noqa: B006
            answer = send(method, query, body)
            if method == "GET" and world.calls("POST"):
                world.stop.set()
            return answer

        client._transport.send = stopping  # type: ignore[method-assign]
        report = reconcile.apply(world.store(client))
    assert fates(report) == {"1": Fate.UNKNOWN}
    world.stop.clear()
    with world.client() as client:
        assert set(world.store(client).ledger.load().creates) == {"1"}


def test_what_depends_on_a_rename_waits_until_a_list_shows_it(world: World) -> None:
    """A rename that was answered but did not happen is made again before the next one (P2)."""
    world.declare([product("a"), product("b")])
    world.apply()
    world.declare([product("b", renamed_from="a"), product("c", renamed_from="b")])
    world.misbehave(Fault("ignore_field", method="PATCH", field="store_id", nth=(1,)))
    report = world.apply()
    assert (report.exit_code, report.converged) == (0, True)
    assert {row.store_id for row in world.rows()} == {"b", "c"}


def test_product_edited_meanwhile_is_not_deleted(world: World) -> None:
    """What somebody edits while the updates run is not deleted by a plan that had not seen it."""
    world.declare([product("1"), product("2")])
    world.apply()
    (gone,) = [row.id for row in world.rows() if row.store_id == "2"]
    world.declare([product("1", type="dress")])
    with world.client() as client:
        send = client._transport.send

        def meddling(method: Method, query: Any = {}, body: bytes | None = None) -> Response:  # noqa: B006
            if method == "PATCH":
                world.sandbox.store.update([str(gone)], {"name": "By hand"})
            return send(method, query, body)

        client._transport.send = meddling  # type: ignore[method-assign]
        report = reconcile.apply(world.store(client))
    assert fates(report) == {"1": Fate.APPLIED, "2": Fate.FAILED}
    assert world.calls("DELETE") == 0


def test_nothing_is_deleted_after_an_update_without_effect(world: World) -> None:
    """A delete waits until the list has proven what came before it."""
    world.declare([product("1"), product("2")])
    world.apply()
    world.declare([product("1", name="New")])
    world.misbehave(
        Fault("reset", method="GET", nth=tuple(range(2, 30))),
    )
    report = world.apply()
    assert fates(report)["2"] is not Fate.APPLIED
    assert world.calls("DELETE") == 0


def test_somebody_elses_product_is_not_adopted(world: World) -> None:
    """A create that was refused leaves alone what somebody else made under its store_id."""
    world.declare([product("1")])
    world.misbehave(Fault("status", method="POST", status=400))
    with world.client() as client:
        send = client._transport.send

        def meddling(method: Method, query: Any = {}, body: bytes | None = None) -> Response:  # noqa: B006
            if method == "POST":
                world.sandbox.store.seed([{"store_id": "1", "name": "Theirs"}])
            return send(method, query, body)

        client._transport.send = meddling  # type: ignore[method-assign]
        report = reconcile.apply(world.store(client))
    assert fates(report) == {"1": Fate.FAILED}
    assert [row.value("name") for row in world.rows()] == ["Theirs"]


def test_delete_that_nobody_can_confirm_is_unknown(world: World) -> None:
    """A 404 to a delete is no proof that the product is gone, where the list cannot be read."""
    world.declare([product("1"), product("2")])
    world.apply()
    world.declare([product("1")])
    world.misbehave(
        Fault("status", method="DELETE", status=404),
        Fault("status", method="GET", status=404, nth=tuple(range(2, 30))),
    )
    report = world.apply()
    assert fates(report) == {"2": Fate.UNKNOWN}
    assert report.exit_code == 5


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_while_creating_then_renamed(world: World, moment: str) -> None:
    """A create that was under way when the run died is renamed, not made a second time."""
    world.declare([product("a")])
    with world.client() as client:
        _arm(client, (1, moment), None, world)
        with pytest.raises(Killed):
            reconcile.apply(world.store(client))
    world.declare([product("b", renamed_from="a")])
    for _ in range(2):
        report = world.apply()
    assert report.converged
    assert [row.store_id for row in world.rows()] == ["b"]


def test_an_empty_list_is_not_believed_once(world: World) -> None:
    """A list that is empty by mistake makes no product a second time."""
    world.declare([product(str(n)) for n in range(4)])
    world.apply()
    body = '{"count": 0, "next": null, "previous": null, "results": []}'
    world.misbehave(Fault("shape", method="GET", nth=(1,), body=body))
    world.apply()
    assert len(world.rows()) == 4
    assert world.calls("POST") == 4


def test_what_landed_in_part_is_exit_five(world: World) -> None:
    """Where some calls of a change landed and others were refused, something was written."""
    world.declare([product(str(n), tags=["a", str(n % 3)]) for n in range(9)])
    world.apply()
    types = ["dress", "coat", "shirt"]
    world.declare([product(str(n), tags=[str(n % 3)], type=types[n // 3]) for n in range(9)])
    world.misbehave(Fault("status", method="PATCH", status=400, containing='"type"'))
    report = world.apply()
    assert report.exit_code == 5


def test_answer_with_a_wrong_id(world: World) -> None:
    """A create that was answered with an id that nobody has is found by its store_id."""
    world.declare([product("1")])
    world.misbehave(
        Fault("shape", method="POST", moment="after", body='{"created": 1, "id": "nonsense"}')
    )
    assert world.apply().converged
    world.misbehave()
    world.declare([product("1", type="dress")])
    assert world.apply().converged
    assert world.remote()["1"]["type"] == "dress"


def test_posting_again_counts_as_a_repeat(world: World) -> None:
    """A create that was throttled and then made is two calls, one of them a repeat."""
    world.declare([product("1")])
    world.misbehave(Fault("status", method="POST", status=429, retry_after="1", nth=(1,)))
    report = world.apply()
    assert (report.requests["POST"], report.requests["retries"]) == (2, 1)


def landing_late(world: World, store_id: str) -> None:
    """Let the product land at the server while the client waits as long as a call may take."""
    wait = world.clock.wait

    def waiting(seconds: float, stop: Event) -> bool:
        if seconds > 1 and not world.rows():
            world.sandbox.store.create({"store_id": store_id, "name": f"Product {store_id}"})
        return wait(seconds, stop)

    world.clock.wait = waiting  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", method="POST", status=500, times=1),
        Fault("status", method="POST", status=503, times=1),
        Fault("status", method="POST", status=524, times=1),
        Fault("status", method="POST", status=202, times=1),
        Fault("html", method="POST", times=1),
        Fault("empty", method="POST", times=1),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_an_answer_that_does_not_tell_is_waited_out(world: World, fault: Fault) -> None:
    """A create answered by an error, or by nothing documented, may land later: it is found then."""
    world.declare([product("1")])
    world.misbehave(fault)
    landing_late(world, "1")
    assert world.apply().converged
    assert world.calls("POST") == 1
    assert len(world.rows()) == 1


def test_a_refusal_tells_nothing_of_the_call_before_it(world: World) -> None:
    """An update whose answer was lost stays unknown, though its second call is refused."""
    world.requests |= {"retries": 0}
    world.declare([product("1")])
    world.apply()
    world.declare([product("1", type="dress")])
    world.misbehave(
        Fault("reset", method="PATCH", moment="after", nth=(1,)),
        Fault("status", method="PATCH", status=400, nth=(2, 3)),
    )
    report = world.apply()
    assert (fates(report), report.exit_code) == ({"1": Fate.UNKNOWN}, 5)
    world.misbehave()
    assert world.apply().converged


def test_a_saved_plan_never_undoes_a_later_apply(world: World) -> None:
    """A value in doubt when the plan was saved, and written since, makes the plan stale."""
    world.declare([product("1", type="top")])
    world.apply()
    world.declare([product("1", type="dress")])
    world.misbehave(Fault("reset", method="PATCH", moment="after"))
    world.apply()
    world.misbehave()
    plans = [world.plan(), world.plan(Options(resend=("type",)))]
    world.declare([product("1", type="skirt")])
    world.apply()
    for plan in plans:
        with pytest.raises(StalePlan) as caught:
            world.apply(saved=plan)
        assert "is 'skirt'" in caught.value.details[0]
    assert world.remote()["1"]["type"] == "skirt"


def test_a_saved_plan_gives_way_to_a_lost_write(world: World) -> None:
    """A value that another apply sent since, its answer lost, is not sent over."""
    world.declare([product("1", type="top")])
    world.apply()
    world.declare([product("1", type="dress")])
    plan = world.plan()
    world.declare([product("1", type="skirt")])
    world.misbehave(Fault("reset", method="PATCH", moment="after"))
    world.apply()
    world.misbehave()
    with pytest.raises(StalePlan, match="not as they were"):
        world.apply(saved=plan)


def test_what_is_protected_by_now_is_not_deleted(world: World) -> None:
    """A saved plan that deletes what the settings have come to protect is stale."""
    world.declare([product("gift-1"), product("2")])
    world.apply()
    world.declare([product("2")])
    plan = world.plan()
    (world.folder / "reconciler.yaml").write_text('protected: ["gift-*"]\n', encoding="utf-8")
    with pytest.raises(StalePlan) as caught:
        world.apply(saved=plan)
    assert caught.value.details == ("gift-1: to be deleted, but it is protected by now",)
    assert "gift-1" in world.remote()


def test_managed_pruning_knows_a_lost_create(world: World) -> None:
    """A product whose create was never answered is this ledger's own, and goes when undeclared."""
    world.declare([product("1"), product("2")])
    world.misbehave(
        Fault("reset", method="POST", moment="after", containing='"1"'),
        Fault("status", method="GET", status=404, nth=tuple(range(2, 40))),
    )
    assert fates(world.apply())["1"] is Fate.UNKNOWN
    world.misbehave()
    world.declare([product("2")])
    assert world.apply(options=Options(prune="managed")).converged
    assert set(world.remote()) == {"2"}
    with world.client() as client:
        assert not world.store(client).ledger.load().creates


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[World]:
    """A store with an empty remote that refuses a store_id which another product has."""
    with Sandbox(page_max=20, unique_store_ids=True) as sandbox:
        yield World(tmp_path, sandbox)


def at(world: World) -> dict[str | None, str | None]:
    """The store_id of each remote id."""
    return {row.id: row.store_id for row in world.rows()}


@pytest.mark.parametrize("way", ["upper", "title", "reverse"])
def test_swap_is_done_once_where_store_ids_are_rewritten(strict: World, way: str) -> None:
    """A server that rewrites store_ids sees one exchange, over a place aside, and no second one."""
    strict.misbehave(Fault("normalise", field="store_id", way=way))
    strict.declare([product("ab"), product("cd")])
    strict.apply()
    before = at(strict)
    strict.declare([product("ab", renamed_from="cd"), product("cd", renamed_from="ab")])
    swapped = dict(zip(before, reversed(before.values()), strict=True))
    for _ in range(3):
        assert strict.apply().exit_code == 0
        assert at(strict) == swapped
    assert not strict.plan().changes


def test_chain_is_sent_in_order_where_store_ids_are_rewritten(strict: World) -> None:
    """Each link waits for the place that the one before it leaves, by whatever name it is listed.

    So does a create; and a saved plan knows the order as well as the run that made it.
    """
    strict.misbehave(Fault("normalise", field="store_id", way="upper"))
    strict.declare([product("ab"), product("cd")])
    strict.apply()
    ids = {row.store_id: row.id for row in strict.rows()}
    strict.declare(
        [
            product("ab", renamed_from="zz"),
            product("cd", renamed_from="ab"),
            product("ef", renamed_from="cd"),
        ]
    )
    text = plan_json(strict.plan(), tool="1", created_at="2026-01-02T03:04:05Z")
    report = strict.apply(saved=parse_plan(text.encode()).plan)
    assert report.exit_code == 0
    now = {row.store_id: row.id for row in strict.rows()}
    assert (now["CD"], now["EF"]) == (ids["AB"], ids["CD"])
    assert len(now) == 3
    assert not strict.plan().changes


def test_create_waits_for_a_rename_that_fails_where_store_ids_are_rewritten(world: World) -> None:
    """Nothing is created in a place that a rename should have left, however that is listed."""
    upper = Fault("normalise", field="store_id", way="upper")
    world.misbehave(upper)
    world.declare([product("ab")])
    world.apply()
    world.declare([product("ab", renamed_from="zz"), product("cd", renamed_from="ab")])
    world.misbehave(upper, Fault("status", method="PATCH", status=400))
    assert fates(world.apply()) == {"ab": Fate.NOT_ATTEMPTED, "cd": Fate.FAILED}
    assert [row.store_id for row in world.rows()] == ["AB"]


def test_what_stood_aside_goes_back_where_store_ids_are_rewritten(strict: World) -> None:
    """A ring whose first link is refused is as before: what is sent back is what was once sent."""
    way = Fault("normalise", field="store_id", way="reverse")
    strict.misbehave(way)
    strict.declare([product("ab"), product("cd")])
    strict.apply()
    before, patches = at(strict), strict.calls("PATCH")
    second = next(str(id) for id, store_id in before.items() if store_id == "ba")
    strict.declare([product("ab", renamed_from="cd"), product("cd", renamed_from="ab")])
    strict.misbehave(way, Fault("status", method="PATCH", status=400, containing=second))
    assert strict.apply().exit_code == 1
    assert strict.calls("PATCH") == patches + 3
    assert at(strict) == before


def test_chain_that_becomes_a_ring_exchanges_the_products(world: World) -> None:
    """A link that is left in the YAML from a chain long done does not hide a new exchange."""
    world.declare([product("a"), product("b")])
    world.apply()
    ids = {row.store_id: row.id for row in world.rows()}
    world.declare([product("b", renamed_from="a"), product("c", renamed_from="b")])
    world.apply()
    world.declare([product("b", renamed_from="c"), product("c", renamed_from="b")])
    for _ in range(3):
        assert world.apply().converged
        assert {row.store_id: row.id for row in world.rows()} == {"b": ids["b"], "c": ids["a"]}
