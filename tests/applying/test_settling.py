"""Lost answers, late effects and servers with a mind of their own, one at a time."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler import reconcile
from reconciler.clock import SystemClock
from reconciler.codes import Code
from reconciler.errors import GuardRefused, KeyRefused, StalePlan
from reconciler.model import State
from reconciler.planning.outcome import Fate, Report
from reconciler.reconcile import Options
from reconciler.remote.calls import Calls
from reconciler.remote.client import Client
from reconciler.report.report_json import report_document
from reconciler.sandbox.faults import Fault
from tests.applying.world import KEY, World, expected, product


def codes(report: Report) -> set[str]:
    """The codes of a report's warnings."""
    return {finding.code for finding in report.warnings}


def test_lost_create_is_found(world: World) -> None:
    """A create whose answer was lost is adopted from the list, and posted only once."""
    world.declare([product("1"), product("2")])
    world.misbehave(Fault("reset", method="POST", moment="after", nth=(1,)))
    report = world.apply()
    assert report.converged
    assert report.summary.applied == 2
    assert world.calls("POST") == 2


def test_lost_create_is_tried_once_more(world: World) -> None:
    """A create that surely did not land is posted a second time, after a whole time limit."""
    world.declare([product("1")])
    world.misbehave(Fault("reset", method="POST", nth=(1,)))
    assert world.apply().converged
    assert world.calls("POST") == 2
    assert max(world.clock.waits) > 4.5


def test_create_lost_twice_fails(world: World) -> None:
    """A create that never lands fails after one more try, and the next run makes it."""
    world.declare([product("1")])
    world.misbehave(Fault("reset", method="POST"))
    report = world.apply()
    assert [outcome.fate for outcome in report.outcomes] == [Fate.FAILED]
    assert report.exit_code == 1
    assert world.calls("POST") == 2
    world.misbehave()
    assert world.apply().converged


def test_failed_list_is_not_an_empty_list(world: World) -> None:
    """Where the list fails after a lost create, its outcome stays unknown and nothing is posted."""
    world.declare([product("1")])
    world.misbehave(
        Fault("reset", method="POST", moment="after", nth=(1,)),
        Fault("status", method="GET", status=404, nth=tuple(range(2, 40))),
    )
    report = world.apply()
    assert [outcome.fate for outcome in report.outcomes] == [Fate.UNKNOWN]
    assert (report.exit_code, report.converged) == (5, None)
    assert world.calls("POST") == 1
    world.misbehave()
    assert world.apply().converged
    assert world.calls("POST") == 1
    assert len(world.rows()) == 1


def test_late_effect_is_not_doubled(world: World) -> None:
    """A create that lands after the client gave up waiting is found, not made again."""
    world.declare([product("1")])
    world.misbehave(Fault("hang", method="POST", seconds=0.6, nth=(1,)))
    with Client(world.sandbox.url, KEY, Calls(timeout=0.4), clock=SystemClock()) as client:
        report = reconcile.apply(world.store(client))
    assert report.converged
    assert world.calls("POST") == 1
    assert len(world.rows()) == 1


def test_created_twice_is_reported(world: World) -> None:
    """A server that makes two products of one call is told of, and neither is touched."""
    world.declare([product("1")])
    world.misbehave(Fault("duplicate_create", nth=(1,)))
    report = world.apply()
    assert Code.CREATED_TWICE in codes(report)
    assert report.converged is False
    assert world.plan().blocked[0].reason is Code.DUPLICATE_REMOTE
    assert world.calls("DELETE") == 0


def test_throttled_creates_wait_as_asked(world: World) -> None:
    """A 429's Retry-After is never undercut, and what it refused is made afterwards."""
    world.declare([product(str(n)) for n in range(5)])
    world.misbehave(Fault("status", method="POST", status=429, retry_after="7", nth=(1, 2)))
    report = world.apply()
    assert report.converged
    assert max(world.clock.waits) > 6.5
    assert len(world.rows()) == 5


def test_doubt_outlives_a_revert(world: World) -> None:
    """A type whose PATCH was lost is sent again even where the YAML has gone back meanwhile."""
    world.declare([product("1", type="top")])
    world.apply()
    world.declare([product("1", type="dress")])
    world.misbehave(Fault("reset", method="PATCH", moment="after"))
    report = world.apply()
    assert [outcome.fate for outcome in report.outcomes] == [Fate.UNKNOWN]
    assert world.remote()["1"]["type"] == "dress"
    world.misbehave()
    world.declare([product("1", type="top")])
    (change,) = world.plan().changes
    assert change.fields["type"].in_doubt
    assert world.apply().converged
    assert world.remote()["1"] == expected(product("1", type="top"))
    assert not world.plan().changes


def test_server_keeps_its_own_value(world: World) -> None:
    """A server that normalises tags is told of once, exits with 0, and is not sent them again."""
    world.declare([product("1", tags=["summer sale"])])
    world.misbehave(Fault("normalise", field="tags", way="title"))
    report = world.apply()
    assert (report.exit_code, report.converged) == (0, False)
    (finding,) = [f for f in report.warnings if f.code is Code.SERVER_KEEPS]
    assert "Summer Sale" in finding.message
    patches = world.calls("PATCH")
    again = world.apply()
    assert (again.exit_code, again.converged, len(again.outcomes)) == (0, False, 0)
    assert Code.SERVER_KEEPS in codes(again)
    assert world.calls("PATCH") == patches
    world.declare([product("1", tags=["winter"])])
    assert [change.action for change in world.plan().changes] == ["update"]
    world.declare([product("1", tags=["Summer Sale"])])
    assert world.apply().converged


def test_normalised_store_id_is_not_created_again(world: World) -> None:
    """A product whose store_id the server rewrites is still the declared one on the next run."""
    world.declare([product("abc")])
    world.misbehave(Fault("normalise", field="store_id", way="upper"))
    world.apply()
    assert [row.store_id for row in world.rows()] == ["ABC"]
    assert not world.plan().changes
    world.declare([product("abc", name="Other")])
    world.apply()
    assert [(row.store_id, row.value("name")) for row in world.rows()] == [("ABC", "Other")]


def test_refused_batch_is_halved(world: World) -> None:
    """One product that the server refuses does not keep the others of its call from landing."""
    world.declare([product(str(n)) for n in range(8)])
    world.apply()
    culprit = next(row.id for row in world.rows() if row.store_id == "5")
    world.declare([product(str(n), type="dress") for n in range(8)])
    world.misbehave(Fault("status", method="PATCH", status=400, containing=str(culprit)))
    report = world.apply()
    assert [o.store_id for o in report.outcomes if o.fate is not Fate.APPLIED] == ["5"]
    assert report.exit_code == 5
    types = {row.store_id: row.value("type") for row in world.rows()}
    assert types == {str(n): "top" if n == 5 else "dress" for n in range(8)}
    world.misbehave()
    (change,) = world.plan().changes
    assert (change.store_id, change.fields["type"].before) == ("5", "top")


def test_batch_in_part_is_mended_alone(world: World) -> None:
    """What a shared call left undone is sent alone, and the report says so."""
    world.declare([product(str(n)) for n in range(6)])
    world.apply()
    world.declare([product(str(n), tags=["new"]) for n in range(6)])
    world.misbehave(Fault("partial_patch", amount=2, nth=(1,)))
    report = world.apply()
    assert report.converged
    assert Code.BATCH_IN_PART in codes(report)
    assert world.calls("PATCH") == 1 + 4


def test_nothing_is_deleted_after_a_failure(world: World) -> None:
    """A failure before the deletes leaves every delete undone, and says why."""
    world.declare([product("1"), product("2")])
    world.apply()
    world.declare([product("1", type="dress")])
    world.misbehave(Fault("status", method="PATCH", status=400))
    report = world.apply()
    fates = {outcome.store_id: outcome.fate for outcome in report.outcomes}
    assert fates == {"1": Fate.FAILED, "2": Fate.NOT_ATTEMPTED}
    assert all(outcome.error for outcome in report.outcomes)
    assert world.calls("DELETE") == 0


def test_refused_key_stops_everything(world: World) -> None:
    """A key that is refused while applying ends the run: no other call is tried."""
    world.declare([product(str(n)) for n in range(40)])
    world.misbehave(Fault("status", method="POST", status=401))
    report = world.apply()
    assert report.exit_code == 1
    assert report.error
    assert "key" in report.error
    assert world.calls("POST") <= 4
    assert report.summary.not_attempted >= 36
    world.misbehave(Fault("status", status=403))
    with pytest.raises(KeyRefused):
        world.plan()


def test_report_counts_what_happened(world: World) -> None:
    """The report's counts are those of the calls that the sandbox recorded, not of the plan."""
    world.declare([product(str(n)) for n in range(12)])
    world.misbehave(Fault("status", method="POST", status=422, every=3))
    report = world.apply()
    document: dict[str, Any] = json.loads(json.dumps(report_document(report)))
    created = [call for call in world.sandbox.store.calls("POST") if call.effect == "created"]
    assert document["summary"] == {
        "applied": len(created),
        "failed": 12 - len(created),
        "not_attempted": 0,
        "unknown": 0,
    }
    assert len(created) == 8
    assert document["requests"]["POST"] == world.calls("POST") == 12


def saved(world: World) -> Any:
    """A plan with every kind of change, as it was reviewed."""
    world.declare([product("1"), product("2"), product("4"), product("other")])
    world.apply()
    renamed = product("5", renamed_from="4", name="Product 4")
    world.declare([product("1", tags=["new"]), product("other"), product("3"), renamed])
    return world.plan()


def test_saved_plan_is_applied(world: World) -> None:
    """A saved plan does what it says, whatever the catalogue says by now."""
    plan = saved(world)
    world.declare([product("other", name="Not in the plan")])
    report = world.apply(saved=plan)
    assert report.converged
    assert set(world.remote()) == {"1", "3", "5", "other"}
    assert world.remote()["other"]["name"] == "Product other"


@pytest.mark.parametrize(
    ("meddle", "told"),
    [
        (lambda store, ids: store.update([ids["1"]], {"name": "By hand"}), "1: name"),
        (lambda store, ids: store.update([ids["2"]], {"tags": ("x",)}), "2: to be deleted"),
        (lambda store, ids: store.delete(ids["1"]), "1: to be changed, but it is gone"),
        (lambda store, ids: store.delete(ids["2"]), "2: to be deleted, but it is gone"),
        (lambda store, ids: store.seed([{"store_id": "3", "name": "x"}]), "3: to be created"),
        (lambda store, ids: store.seed([{"store_id": "5", "name": "x"}]), "5: another product"),
        # A remote store_id that is there twice blocks both products, also for a delete.
        *(
            (lambda store, ids, it=it: store.seed([{"store_id": it, "name": "x"}]), told)
            for it, told in (
                ("1", "1: the remote has 1 2 times"),
                ("2", "2: the remote has 2 2 times"),
                ("4", "5: the remote has 4 2 times"),
            )
        ),
    ],
)
def test_stale_plan_is_refused(world: World, meddle: Any, told: str) -> None:
    """Any touched product that differs refuses the whole saved plan, and says what changed."""
    plan = saved(world)
    store = world.sandbox.store
    meddle(store, {row.store_id: row.id for row in store.rows()})
    before = world.remote()
    with pytest.raises(StalePlan) as caught:
        world.apply(saved=plan)
    assert caught.value.exit_code == 4
    assert any(detail.startswith(told) for detail in caught.value.details)
    assert world.remote() == before


def test_untouched_products_may_change(world: World) -> None:
    """A change to a product that the plan does not touch keeps no saved plan from being applied."""
    plan = saved(world)
    store = world.sandbox.store
    store.update(
        [str(row.id) for row in store.rows() if row.store_id == "other"], {"name": "By hand"}
    )
    assert world.apply(saved=plan).summary.applied == 4
    assert world.remote()["other"]["name"] == "By hand"


def test_saved_plan_is_applied_once(world: World) -> None:
    """A saved plan that was applied and still holds is done: it is never done twice (P2)."""
    plan = saved(world)
    world.apply(saved=plan)
    sent = [call for call in world.sandbox.store.calls() if call.method != "GET"]
    report = world.apply(saved=plan)
    assert (report.exit_code, report.outcomes) == (0, ())
    assert [call for call in world.sandbox.store.calls() if call.method != "GET"] == sent


def test_guard_refuses_before_any_write(world: World) -> None:
    """A refused plan writes nothing, to the remote or to the ledger."""
    world.declare([product("1")])
    world.apply()
    ledger = (world.folder / ".reconciler" / "ledger" / "default.jsonl").read_bytes()
    world.declare([])
    with pytest.raises(GuardRefused) as caught:
        world.apply(options=Options())
    assert caught.value.exit_code == 3
    assert "--allow-empty" in str(caught.value.hint)
    assert (world.folder / ".reconciler" / "ledger" / "default.jsonl").read_bytes() == ledger
    assert len(world.rows()) == 1


def test_swap_is_done_once(world: World) -> None:
    """Two products exchange store_ids once; `renamed_from` left in the YAML swaps nothing back."""
    world.declare([product("a"), product("b")])
    world.apply()
    ids = {row.store_id: row.id for row in world.rows()}
    world.declare(
        [
            product("a", name="Product b", renamed_from="b"),
            product("b", name="Product a", renamed_from="a"),
        ]
    )
    for _ in range(3):
        assert world.apply().converged
        now = {row.store_id: row.id for row in world.rows()}
        assert now == {"a": ids["b"], "b": ids["a"]}


def test_applied_ledger_knows_all(world: World) -> None:
    """After an apply the ledger confirms what was sent, and a crash leaves it in doubt."""
    world.declare([product("1")])
    world.apply()
    with world.client() as client:
        ledger = world.store(client).ledger.load()
    (remembered,) = ledger.products.values()
    assert {entry.state for entry in remembered.entries if entry} == {State.CONFIRMED}
    assert not ledger.creates
    assert replace(ledger) == ledger
