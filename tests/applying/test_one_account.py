"""What an answer to a create is worth, and what a list is worth that lags (issue 12, rows 1-4, 13).

Names of the rows are those of the table there; the rest of each kind stands beside it.
"""

from collections.abc import Callable
from typing import Any, Literal

import pytest

from reconciler import reconcile
from reconciler.codes import Code
from reconciler.reconcile import Options
from reconciler.sandbox.faults import Fault
from tests.applying.checks import (
    DAY,
    HOUR,
    SETTLE,
    account_is_true,
    blocked,
    converges,
    exactly,
    fates,
    kept_in_journal,
    writes,
)
from tests.applying.test_machine import Killed, _arm
from tests.applying.world import World, product

Moment = Literal["before", "after"]
MOMENTS = pytest.mark.parametrize("moment", ["before", "after"])

NEVER = Fault("wrong_id", method="POST", way="never", times=1)
LOST = Fault("status", method="POST", moment="after", status=502, times=1)


# Row 1: an id that was listed before, or that another create got, is no answer ------------------

CHART = {"M": {"chest": 98}}
OTHERS = ["gift-1", "same", "twice", "gone", "edited", "moved", None]


def shop_of_others(world: World) -> list[dict[str, Any]]:
    """A remote with a product of each kind that an answer could name; returns the catalogue."""
    (world.folder / "reconciler.yaml").write_text('protected: ["gift-*"]\n', encoding="utf-8")
    declared = [product("same"), product("edited"), product("moved")]
    world.declare([*declared, product("gone")])
    world.apply()
    store = world.sandbox.store
    store.insert([{"store_id": None, "name": "nameless", "size_chart": CHART}], front=True)
    store.seed(product(store_id) for store_id in ("gift-1", "twice", "twice"))
    for row in world.rows():
        store.update([str(row.id)], {"name": f"{row.value('name')}"})
    declared[1] |= {"tags": ["new"]}
    declared[2] |= {"store_id": "moved-on", "renamed_from": "moved"}
    declared.append(product("new", type="dress"))
    world.declare(declared)
    return declared


@MOMENTS
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("saved", [False, True])
def test_a_listed_id_is_no_answer(
    world: World, other: str | None, moment: Moment, saved: bool
) -> None:
    """Row 1, P3: a create that is answered with a listed product's id writes nothing to that one.

    It is made once, whether it had landed or not, and everything else happens as planned.
    """
    shop_of_others(world)
    before = {row.id: row for row in world.rows()}
    plan = world.plan() if saved else None
    world.sandbox.store.log.clear()
    world.misbehave(Fault("wrong_id", store_id=other, moment=moment, times=1))
    report = world.apply(saved=plan)
    assert (report.exit_code, set(fates(report).values())) == (0, {"applied"})
    assert world.calls("POST") == (2 if moment == "before" else 1)
    after = {row.id: row for row in world.rows()}
    planned = {"edited", "moved", "gone"}
    for id, row in before.items():
        if row.store_id not in planned:
            assert after[id] == row
    (made,) = (row for row in after.values() if row.id not in before)
    assert (made.store_id, made.value("type")) == ("new", "dress")
    account_is_true(world, report)
    assert not world.plan().changes


@MOMENTS
def test_an_id_that_another_create_got_is_no_answer(world: World, moment: Moment) -> None:
    """Row 1, P2: creates that are answered with one id become as many products as were declared."""
    declared = [product(str(n), type=f"type {n}", tags=[f"tag {n}"]) for n in range(6)]
    world.declare(declared)
    world.misbehave(Fault("wrong_id", way="earlier", moment=moment, nth=(2, 4, 5)))
    report = world.apply()
    assert (report.exit_code, report.converged) == (0, True)
    exactly(world, declared)
    assert world.calls("POST") == (9 if moment == "before" else 6)
    assert not world.plan().changes


def test_an_id_given_to_another_create_that_never_lands(world: World) -> None:
    """Row 1, P1: two creates are answered with one id that never exists; both are made in the end.

    Neither is told as applied before that.
    """
    declared = [product("1"), product("2")]
    world.declare(declared)
    body = '{"created": 1, "id": "0123456789abcdef01234567"}'
    world.misbehave(
        Fault("status", method="POST", status=201, body=body, times=2),
    )
    report = world.apply()
    assert "applied" not in fates(report).values() or len(world.rows()) == 2
    account_is_true(world, report)
    converges(world, declared)


@pytest.mark.parametrize("id", ['""', "null", "7", "true", "[]", '"  "', '"a/b?c"'])
@MOMENTS
def test_an_answer_without_a_usable_id(world: World, id: str, moment: Moment) -> None:
    """Row 1, P2: an id that is none is an answer that tells nothing; the create is made once."""
    declared = [product("1"), product("2")]
    world.declare(declared)
    world.misbehave(
        Fault(
            "status",
            method="POST",
            status=201,
            moment=moment,
            body=f'{{"created": 1, "id": {id}}}',
            times=1,
        )
    )
    report = world.apply()
    account_is_true(world, report)
    assert report.exit_code in (0, 5)
    converges(world, declared)


def test_a_listed_id_and_a_list_that_lags(world: World) -> None:
    """Rows 1 and 4, P2: a wrong id and a list that lags together make no double."""
    world.sandbox.store.seed([product("other")])
    declared = [product("other"), product("new")]
    world.declare(declared)
    world.misbehave(
        Fault("wrong_id", moment="after", store_id="other", times=1),
        Fault("lag", method="POST", seconds=SETTLE - 2),
    )
    report = world.apply()
    assert report.exit_code == 0
    assert world.calls("POST") == 1
    converges(world, declared)


# Row 2: an id that was answered is never thrown away ----------------------------------------------


def lagging_create(world: World, *faults: Fault) -> None:
    """An apply whose one create is answered with its id and shown by no list."""
    world.declare([product("1"), product("2", type="dress")])
    world.misbehave(*(faults or (Fault("lag", method="POST", containing='"2"', lists=10_000),)))
    report = world.apply()
    assert fates(report) == {"1": "applied", "2": "unknown"}
    assert report.exit_code == 5
    assert world.calls("POST") == 2


def test_a_known_create_is_not_posted_again(world: World) -> None:
    """Row 2, P2: a create with an id that no list shows is blocked, not made again, by later runs.

    Once it is listed it is the product that was made, and everything of it is known.
    """
    lagging_create(world)
    for _ in range(3):
        world.clock.skip(2 * SETTLE)
        plan = world.plan()
        assert blocked(plan) == {"2": "not_listed_yet"}
        report = world.apply()
        assert (report.exit_code, report.converged) == (0, False)
    assert world.calls("POST") == 2
    world.sandbox.store.catch_up()
    assert not world.plan().changes
    assert world.plan().summary.unconfirmed == 0
    assert world.apply().converged
    exactly(world, [product("1"), product("2", type="dress")])


def test_other_changes_go_on_beside_it(world: World) -> None:
    """Row 2: what is not listed yet keeps no other product waiting."""
    lagging_create(world)
    declared = [product("1", tags=["new"]), product("2", type="dress"), product("3")]
    world.declare(declared)
    world.misbehave()
    report = world.apply()
    assert fates(report) == {"1": "applied", "3": "applied"}
    assert report.exit_code == 0
    assert world.calls("POST") == 3
    converges(world, declared)


def test_edits_of_what_is_not_listed_yet(world: World) -> None:
    """Row 2, P1: a product that is edited while no list shows it is updated once one does."""
    lagging_create(world)
    declared = [product("1"), product("2", type="top", name="Edited")]
    world.declare(declared)
    assert blocked(world.plan()) == {"2": "not_listed_yet"}
    world.sandbox.store.catch_up()
    (change,) = world.plan().changes
    assert set(change.fields) == {"name", "type"}
    assert world.apply().converged
    exactly(world, declared)
    assert world.calls("POST") == 2


def test_a_create_that_is_declared_no_more(world: World) -> None:
    """Row 2, P3: with `prune: managed` a product that this tool made is deleted, however late."""
    lagging_create(world)
    world.declare([product("1")])
    world.misbehave()
    assert not world.plan(Options(prune="managed")).changes
    world.sandbox.store.catch_up()
    (made,) = (str(row.id) for row in world.rows() if row.store_id == "2")
    report = world.apply(options=Options(prune="managed"))
    assert fates(report) == {"2": "applied"}
    assert kept_in_journal(world, made)
    exactly(world, [product("1")])


def test_a_create_that_never_was_is_made_after_an_hour(world: World) -> None:
    """Row 2, P1: an answered create that did not land is made again when an hour has passed."""
    lagging_create(world, Fault("wrong_id", way="never", containing='"2"', times=1))
    world.clock.skip(HOUR / 2)
    assert blocked(world.plan()) == {"2": "not_listed_yet"}
    world.clock.skip(HOUR / 2)
    report = world.apply()
    assert (fates(report), report.converged) == ({"2": "applied"}, True)
    exactly(world, [product("1"), product("2", type="dress")])


def test_a_create_of_an_interrupted_run_is_made_after_an_hour(world: World) -> None:
    """Row 2, P1: a run that was stopped before its closing list remembers when it was answered."""
    world.declare([product("1")])
    with world.client() as client:
        _arm(client, None, 1, world)
        assert reconcile.apply(world.store(client), Options()).exit_code == 130
    world.stop.clear()
    world.sandbox.store.clear()
    assert blocked(world.plan()) == {"1": "not_listed_yet"}
    world.clock.skip(HOUR)
    assert world.apply().converged
    exactly(world, [product("1")])


def test_a_create_can_be_allowed_before(world: World) -> None:
    """Row 2: `--allow-recreate` permits at once what an hour would, for the one that is named."""
    lagging_create(world, Fault("wrong_id", way="never", containing='"2"', times=1))
    other: Any = {"allow_recreate": ("1",)}
    assert blocked(world.plan(Options(**other))) == {"2": "not_listed_yet"}
    named: Any = {"allow_recreate": ("2",)}
    report = world.apply(options=Options(**named))
    assert (fates(report), report.converged) == ({"2": "applied"}, True)
    exactly(world, [product("1"), product("2", type="dress")])


@pytest.mark.parametrize("call", [1, 2, 3])
@MOMENTS
def test_killed_while_creates_are_not_listed(world: World, call: int, moment: Any) -> None:
    """Row 2, P2: a run that dies at a create, on a list that lags, leaves nothing that doubles."""
    declared = [product(str(n)) for n in range(4)]
    world.declare(declared)
    world.misbehave(Fault("lag", method="POST", seconds=SETTLE - 2))
    with world.client() as client:
        _arm(client, (call, moment), None, world)
        with pytest.raises(Killed):
            reconcile.apply(world.store(client), Options())
    for _ in range(3):
        account_is_true(world, world.apply())
    converges(world, declared)


# Row 3: no POST for a product whose id is known -------------------------------------------------


@pytest.mark.parametrize("age", [0.0, HOUR, 30 * DAY])
def test_a_stale_list_is_no_reason_to_create(world: World, age: float) -> None:
    """Row 3, P2: a product that the ledger knows and a list lacks for a while is not made again."""
    declared = [product("1"), product("2")]
    world.declare(declared)
    world.apply()
    world.clock.skip(age)
    world.misbehave(Fault("unlist", store_id="2", seconds=SETTLE - 2, nth=(1,)))
    account_is_true(world, world.apply())
    assert world.calls("POST") == 2
    converges(world, declared)


@pytest.mark.parametrize("nth", [(1,), (2,), (3,), (1, 3), (2, 4)])
def test_lists_that_come_and_go(world: World, nth: tuple[int, ...]) -> None:
    """Row 3, P2: whichever of a run's lists lacks a known product, it is not made again."""
    declared = [product("1"), product("2"), product("3")]
    world.declare(declared[:2])
    world.apply()
    declared[0] |= {"tags": ["new"]}
    world.declare(declared)
    world.misbehave(Fault("unlist", store_id="2", lists=1, nth=nth))
    report = world.apply()
    assert {key: fates(report)[key] for key in "13"} == {"1": "applied", "3": "applied"}
    account_is_true(world, report)
    assert world.calls("POST") == 3
    converges(world, declared)


def test_what_an_update_adopted_is_known_too(world: World) -> None:
    """Row 3, P2: a product that an apply found, and did not make, is not made beside itself."""
    world.sandbox.store.seed([product("1", name="By hand")])
    declared = [product("1")]
    world.declare(declared)
    world.apply()
    world.misbehave(Fault("unlist", seconds=SETTLE - 2, nth=(1,)))
    world.apply()
    assert world.calls("POST") == 0
    converges(world, declared)


def test_what_is_really_gone_is_made_again(world: World) -> None:
    """Row 3, P1: a known product that somebody deleted is looked for again, then made, in one run.

    Between the first list and the create lie `settle` seconds.
    """
    declared = [product("1"), product("2")]
    world.declare(declared)
    world.apply()
    world.sandbox.store.delete(str({row.store_id: row.id for row in world.rows()}["2"]))
    began = world.clock.now()
    report = world.apply()
    assert (fates(report), report.converged) == ({"2": "applied"}, True)
    assert world.clock.now() - began >= SETTLE
    exactly(world, declared)
    assert world.calls("POST") == 3


@pytest.mark.parametrize("wait", [0.0, SETTLE - 4])
def test_what_nobody_declares_for_a_while_is_still_known(world: World, wait: float) -> None:
    """Row 3, P2: an undeclared product that several lists lack is not made again beside itself."""
    declared = [product("1"), product("2")]
    world.declare(declared)
    world.apply()
    world.misbehave(Fault("unlist", store_id="2", seconds=SETTLE - 2, nth=(1,)))
    world.declare([product("3")])
    world.apply()
    world.clock.skip(wait)
    world.declare([product("4")])
    world.apply()
    world.declare(declared)
    account_is_true(world, world.apply())
    assert [row.store_id for row in world.rows()].count("2") == 1
    converges(world, declared)


@pytest.mark.parametrize("seconds", [1.0, SETTLE - 2])
def test_a_chain_whose_middle_a_list_lacks(world: World, seconds: float) -> None:
    """Row 3, P2: no rename and no create takes what a product has that the list leaves out."""
    world.declare([product("1"), product("2")])
    world.apply()
    before = {row.store_id: row.id for row in world.rows()}
    declared = [product("2", renamed_from="1"), product("3", renamed_from="2")]
    world.declare(declared)
    world.misbehave(Fault("unlist", store_id="2", seconds=seconds, nth=(1,)))
    report = world.apply()
    assert set(fates(report).values()) == {"failed"}
    account_is_true(world, report)
    converges(world, declared)
    after = {row.store_id: row.id for row in world.rows()}
    assert after == {"2": before["1"], "3": before["2"]}


@pytest.mark.parametrize("wait", [0.0, 3 * SETTLE])
def test_a_rename_to_what_a_create_was_answered_with(world: World, wait: float) -> None:
    """Row 2, P2: no product is renamed to what an answered create made and no list shows yet."""
    world.declare([product("1")])
    world.apply()
    world.declare([product("1"), product("2")])
    world.misbehave(Fault("lag", method="POST", seconds=10 * SETTLE))
    assert world.apply().exit_code == 5
    world.misbehave()
    world.clock.skip(wait)
    world.declare([product("2", renamed_from="1")])
    world.apply()
    assert blocked(world.plan())["2"] == Code.NOT_LISTED_YET
    assert sorted(str(row.store_id) for row in world.rows()) == ["1", "2"]


def test_a_rename_to_what_a_lost_create_may_have_made(world: World) -> None:
    """Row 4, P2: no product is renamed to what was posted a moment ago, until a list must tell."""
    world.declare([product("1")])
    world.apply()
    world.declare([product("1"), product("2")])
    world.misbehave(Fault("lag", method="POST", seconds=SETTLE - 2))
    with world.client() as client:
        _arm(client, (1, "after"), None, world)
        with pytest.raises(Killed):
            reconcile.apply(world.store(client), Options())
    world.misbehave()
    world.declare([product("2", renamed_from="1")])
    account_is_true(world, world.apply())
    assert sorted(str(row.store_id) for row in world.rows()) == ["1", "2"]


def test_a_rename_to_what_is_really_gone(world: World) -> None:
    """Row 3, P1: a rename to the store_id of a product that somebody deleted is made in one run."""
    world.declare([product("1"), product("2")])
    world.apply()
    world.sandbox.store.delete(str({row.store_id: row.id for row in world.rows()}["2"]))
    declared = [product("2", renamed_from="1")]
    world.declare(declared)
    report = world.apply()
    assert (fates(report), report.converged) == ({"2": "applied"}, True)
    exactly(world, declared)


@pytest.mark.parametrize("status", [400, 500])
def test_a_delete_that_only_a_stale_list_proves(world: World, status: int) -> None:
    """Row 3, P2: what a refused delete left, and the list lacks for a while, is still known."""
    world.declare([product("1"), product("2")])
    world.apply()
    world.declare([product("1")])
    world.misbehave(
        Fault("status", method="DELETE", status=status, moment="before"),
        Fault("unlist", store_id="2", seconds=SETTLE - 2, nth=(2,)),
    )
    world.apply()
    world.misbehave()
    declared = [product("1"), product("2")]
    world.declare(declared)
    world.apply()
    assert sorted(str(row.store_id) for row in world.rows()) == ["1", "2"]
    converges(world, declared)


# Row 4: unknown until `settle` has passed since it was sent -----------------------------------


@pytest.mark.parametrize(
    "lost",
    [
        LOST,
        Fault("status", method="POST", moment="after", status=500, times=1),
        Fault("status", method="POST", moment="after", status=202, body="{}", times=1),
        Fault("reset", method="POST", moment="after", times=1),
        Fault("html", method="POST", moment="after", times=1),
        Fault("empty", method="POST", moment="after", times=1),
        Fault("truncate", method="POST", moment="after", times=1),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_lost_create_that_lists_late(world: World, lost: Fault) -> None:
    """Row 4, P2: a create that landed, without an answer that says so, is found when it is listed.

    The list lags longer than the time limit, and less than `settle`.
    """
    declared = [product("1"), product("2")]
    world.declare(declared)
    world.misbehave(lost, Fault("lag", method="POST", seconds=SETTLE - 2))
    report = world.apply()
    assert (report.exit_code, set(fates(report).values())) == (0, {"applied"})
    assert world.calls("POST") == 2
    converges(world, declared)


def interrupted(world: World, at: Callable[[list[float]], bool]) -> Any:
    """An apply that is asked to stop at the first wait that `at` is true for."""
    clock = world.clock
    usual = clock.wait

    def wait(seconds: float, stop: Any) -> bool:
        if at([*clock.waits, seconds]):
            world.stop.set()
            return True
        return usual(seconds, stop)

    clock.wait = wait  # type: ignore[method-assign]
    try:
        return world.apply()
    finally:
        clock.wait = usual  # type: ignore[method-assign]
        world.stop.clear()


def test_the_next_run_takes_the_same_care(world: World) -> None:
    """Row 4, P2 and P6: a run that ends before `settle` leaves the create unknown, never failed.

    The next one waits for what is left of it since the create was sent.
    """
    declared = [product("1")]
    world.declare(declared)
    world.misbehave(LOST, Fault("lag", method="POST", seconds=SETTLE - 1))
    report = interrupted(world, lambda waits: waits[-1] > 1)
    assert fates(report) == {"1": "unknown"}
    began = world.clock.now()
    report = world.apply()
    assert report.exit_code == 0
    assert world.clock.now() - began <= SETTLE + 5
    assert world.calls("POST") == 1
    converges(world, declared)


def test_a_create_that_did_not_land_is_tried_after_settle(world: World) -> None:
    """Row 4, P1: the second POST comes no sooner than `settle` seconds after the first."""
    declared = [product("1")]
    world.declare(declared)
    world.misbehave(Fault("status", method="POST", status=502, times=1))
    assert world.apply().converged
    first, second = (call.time for call in world.sandbox.store.calls("POST"))
    assert second - first >= SETTLE
    exactly(world, declared)


def test_settle_can_be_set(world: World) -> None:
    """Row 4: `requests.settle` says how long; a list may lag that long without a double."""
    patient = World(
        world.folder, world.sandbox, clock=world.clock, **{"settle": 120.0, "timeout": 5}
    )
    declared = [product("1")]
    patient.declare(declared)
    patient.misbehave(LOST, Fault("lag", method="POST", seconds=110))
    assert patient.apply().converged
    assert patient.calls("POST") == 1
    exactly(patient, declared)


# Row 13: the closing list is read again while an answered write is not in it ------------------


def busy(world: World) -> list[dict[str, Any]]:
    """A catalogue that asks for every kind of change; returns it."""
    world.declare([product(letter) for letter in "abcdfgh"])
    world.apply()
    declared = [
        product("a", type="dress"),
        product("b", type="dress", name="Own call"),
        product("d", renamed_from="c", name="Product c"),
        product("e", renamed_from="d", name="Product d"),
        product("f", renamed_from="g", name="Product g"),
        product("g", renamed_from="f", name="Product f"),
        product("i"),
    ]
    world.declare(declared)
    world.sandbox.store.log.clear()
    return declared


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", None])
@pytest.mark.parametrize("seconds", [1.0, SETTLE - 2])
def test_lists_that_lag_behind_answered_writes(
    world: World, method: str | None, seconds: float
) -> None:
    """Row 13, P6: what was answered and is listed a little later is applied, and not sent again.

    Renames wait for each other, so only for these the lag may leave something to the next run.
    """
    declared = busy(world)
    planned = world.plan()
    world.misbehave(Fault("lag", method=method, seconds=seconds))
    report = world.apply()
    told = fates(report)
    assert "failed" not in told.values()
    account_is_true(world, report)
    if method in ("POST", "DELETE"):
        assert (report.exit_code, report.converged) == (0, True)
        assert set(told.values()) == {"applied"}
    assert world.calls("POST") == planned.summary.create
    converges(world, declared)


def test_plain_writes_that_list_late_converge(world: World) -> None:
    """Row 13, P1 and P6: creates, updates and deletes are applied by one run, each by one call."""
    world.declare([product(str(n)) for n in range(6)])
    world.apply()
    world.sandbox.store.log.clear()
    declared = [product(str(n), tags=["new"] if n < 4 else ["linen"]) for n in range(2, 9)]
    world.declare(declared)
    world.misbehave(Fault("lag", seconds=1))
    report = world.apply()
    assert (report.exit_code, report.converged) == (0, True)
    assert set(fates(report).values()) == {"applied"}
    assert writes(world) == 3 + 1 + 2
    assert not world.plan().changes
    exactly(world, declared)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_what_no_list_shows_in_time_did_not_fail(world: World, method: str) -> None:
    """Row 13, P6: an answered write that no list shows within `settle` seconds did not fail."""
    world.declare([product("a"), product("b")])
    world.apply()
    world.sandbox.store.log.clear()
    world.declare(
        {
            "POST": [product("a"), product("b"), product("c")],
            "PATCH": [product("a", name="New"), product("b")],
            "DELETE": [product("a")],
        }[method]
    )
    began = world.clock.now()
    world.misbehave(Fault("lag", method=method, lists=10_000))
    report = world.apply()
    (fate,) = fates(report).values()
    assert fate != "failed"
    if method != "PATCH":
        # What is sent and not stored looks the same: the server keeps another value (row 5).
        assert (fate, report.exit_code) == ("unknown", 5)
    assert world.clock.now() - began >= SETTLE
    assert writes(world) <= 2
    world.sandbox.store.catch_up()
    assert not world.plan().changes
    again = world.apply()
    assert (again.exit_code, again.converged, world.plan().changes) == (0, True, ())
