"""The story of a fleet with made-up workers: what is begun when, and what is told of it."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from reconciler.codes import Code
from reconciler.fleet import run as story
from reconciler.fleet import work
from reconciler.fleet.place import Place, WorkerLost
from reconciler.fleet.run import run_fleet
from reconciler.fleet.task import Checkout, StoreTask
from reconciler.fleet.versions import check_versions, versions
from reconciler.report.fleet_results import FleetAction, StoreResult
from tests.remote.servers import FakeClock

HERE = Checkout(Path())
Answer = Callable[[StoreTask], StoreResult]


class AtOnce(Executor):
    """An executor that runs each task as it is submitted."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass
class Told:
    """What a made-up place was asked for."""

    begun: list[StoreTask] = field(default_factory=list)
    broadcasts: list[tuple[str, Any]] = field(default_factory=list)


def fleet_of(
    answer: Answer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    stores: int = 4,
    slots: int = 2,
    action: FleetAction = "apply",
    stop: Event | None = None,
    **options: Any,
) -> tuple[list[StoreResult], Told]:
    """The results of a fleet whose workers give these answers."""
    told = Told()

    def working(task: StoreTask) -> StoreResult:
        told.begun.append(task)
        return answer(task)

    def broadcast(function: Callable[..., object], *arguments: Any) -> None:
        told.broadcasts.append((function.__name__, arguments[-1]))

    monkeypatch.setattr(story, "work", working)
    place = Place(AtOnce(), slots, broadcast)
    tasks = [StoreTask("run", action, f"s{n}", HERE) for n in range(stores)]
    results = list(run_fleet(place, tasks, stop=stop or Event(), **options))
    return results, told


def done(task: StoreTask) -> StoreResult:
    """A store without a fault."""
    return StoreResult(task.store, 0, summary={"applied": 1})


def test_each_store_is_begun_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All stores are begun, in their order, and have one result each."""
    results, told = fleet_of(done, monkeypatch)
    assert sorted(result.store for result in results) == ["s0", "s1", "s2", "s3"]
    assert [task.store for task in told.begun] == ["s0", "s1", "s2", "s3"]


def test_no_more_stores_are_under_way_than_there_are_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is this side's: an executor never has more than its slots."""
    under_way: list[int] = [0, 0]
    turn = Event()

    def counting(task: StoreTask) -> StoreResult:
        under_way[0] += 1
        under_way[1] = max(under_way[1], under_way[0])
        turn.wait(0.01)
        under_way[0] -= 1
        return done(task)

    monkeypatch.setattr(story, "work", counting)
    tasks = [StoreTask("run", "plan", f"s{n}", HERE) for n in range(9)]
    with ThreadPoolExecutor(8) as executor:
        place = Place(executor, 3, lambda *_: None)
        assert len(list(run_fleet(place, tasks, stop=Event()))) == 9
    assert under_way[1] <= 3


def test_the_rate_is_shared_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each store under way has an equal part; as the queue runs dry the rest is shared anew."""
    monkeypatch.setattr(story, "_LOOK", 0)
    held: list[Future[StoreResult]] = []

    class Holding(Executor):
        def submit(self, function: Callable[..., Any], /, *args: Any, **_: Any) -> "Future[Any]":
            future: Future[Any] = Future()
            shares.append(args[0].share)
            held.append(future)
            if len(held) == 2:
                for number, each in enumerate(held):
                    each.set_result(StoreResult(f"s{number}", 0))
            if len(held) == 3:
                held[2].set_result(StoreResult("s2", 0))
            return future

    shares: list[float | None] = []
    sent: list[Any] = []
    place = Place(Holding(), 2, lambda function, *arguments: sent.append(arguments))
    tasks = [StoreTask("run", "plan", f"s{n}", HERE) for n in range(3)]
    assert len(list(run_fleet(place, tasks, stop=Event(), rate=10))) == 3
    assert shares == [5, 5, 10]


def test_what_a_stop_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a stop no store is begun, and the rest is not attempted: 130."""
    stop = Event()

    def stopping(task: StoreTask) -> StoreResult:
        stop.set()
        return done(task)

    results, told = fleet_of(stopping, monkeypatch, slots=1, stop=stop)
    assert [task.store for task in told.begun] == ["s0"]
    assert {r.store: (r.exit_code, r.code) for r in results if r.store != "s0"} == {
        f"s{n}": (130, Code.NOT_ATTEMPTED) for n in (1, 2, 3)
    }


def test_a_stop_is_told_to_those_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers hear of a stop once, and the run waits for what they come to."""
    stop, heard = Event(), []
    waiting: Future[Any] = Future()

    class Slow(Executor):
        def submit(self, function: Callable[..., Any], /, *args: Any, **_: Any) -> "Future[Any]":
            stop.set()
            return waiting

    def broadcast(function: Callable[..., object], *arguments: Any) -> None:
        heard.append((function, arguments))
        waiting.set_result(StoreResult("s0", 130))

    tasks = [StoreTask("run", "apply", "s0", HERE)]
    (result,) = run_fleet(Place(Slow(), 1, broadcast), tasks, stop=stop)
    assert (result.exit_code, heard) == (130, [(work.stop_run, ("run",))])


@pytest.mark.parametrize(("action", "code"), [("apply", 5), ("plan", 1)])
def test_a_store_that_kills_its_workers_is_given_up(
    monkeypatch: pytest.MonkeyPatch, action: FleetAction, code: int
) -> None:
    """After six lost workers it is told; for an apply that may have written something: 5."""

    def dying(task: StoreTask) -> StoreResult:
        if task.store == "s1":
            raise WorkerLost("killed")
        return done(task)

    results, told = fleet_of(dying, monkeypatch, action=action)
    lost = next(result for result in results if result.store == "s1")
    assert (lost.exit_code, lost.code, lost.takeovers) == (code, Code.WORKER_LOST, 6)
    patience = [task.lock_timeout for task in told.begun if task.store == "s1"]
    assert patience == [0] + [330 if action == "apply" else 0] * 5
    assert len(results) == 4


@pytest.mark.parametrize(("second", "code"), [(0, 0), (1, 5), (4, 5), (5, 5), (130, 130)])
def test_what_a_lost_worker_may_have_written_counts(
    monkeypatch: pytest.MonkeyPatch, second: int, code: int
) -> None:
    """A second worker that sent nothing cannot say that nothing took effect."""
    lost: list[StoreTask] = []

    def dying(task: StoreTask) -> StoreResult:
        if task.store == "s1" and not lost:
            lost.append(task)
            raise WorkerLost("killed")
        return StoreResult(task.store, second if task.store == "s1" else 0)

    results, _ = fleet_of(dying, monkeypatch)
    result = next(result for result in results if result.store == "s1")
    assert (result.exit_code, result.takeovers) == (code, 1)


def test_a_lost_store_that_is_not_begun_again_is_told_as_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stop after the death of a worker does not make an apply `not attempted`."""
    stop = Event()

    def dying(task: StoreTask) -> StoreResult:
        stop.set()
        raise WorkerLost("killed")

    results, _ = fleet_of(dying, monkeypatch, stores=2, slots=1, stop=stop)
    assert {r.store: r.code for r in results} == {
        "s0": Code.WORKER_LOST,
        "s1": Code.NOT_ATTEMPTED,
    }


@pytest.mark.parametrize("stopping", [True, False])
def test_a_fleet_whose_workers_are_gone_ends(
    monkeypatch: pytest.MonkeyPatch, stopping: bool
) -> None:
    """Without any worker the stores under way are lost, and the rest is not attempted."""
    for name in ("_LOOK", "_ASK", *(() if stopping else ("_PATIENCE",))):
        monkeypatch.setattr(story, name, 0.0)
    stop = Event()

    class Silent(Executor):
        def submit(self, function: Callable[..., Any], /, *args: Any, **_: Any) -> "Future[Any]":
            if stopping:
                stop.set()
            return Future()

    place = Place(Silent(), 1, lambda *_: None, alive=lambda: False)
    tasks = [StoreTask("run", "apply", f"s{n}", HERE) for n in range(2)]
    results = {r.store: (r.exit_code, r.code) for r in run_fleet(place, tasks, stop=stop)}
    assert results == {
        "s0": (5, Code.WORKER_LOST),
        "s1": (130 if stopping else 1, Code.NOT_ATTEMPTED),
    }


def test_an_answer_that_cannot_be_read_is_one_store_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """An executor's own error concerns one store; the others have their results."""

    def broken(task: StoreTask) -> StoreResult:
        if task.store == "s2":
            raise ValueError("cannot be unpickled")
        return done(task)

    results, _ = fleet_of(broken, monkeypatch)
    assert {r.store: r.exit_code for r in results} == {"s0": 0, "s1": 0, "s2": 5, "s3": 0}


def test_a_bug_is_one_store_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the authors did not think of ends one store with 1, and says so."""

    def bug(store: Any, task: StoreTask) -> StoreResult:
        raise KeyError("tags")

    monkeypatch.setitem(work._STORIES, "plan", bug)
    monkeypatch.setenv("ROBOSIZE_API_KEY", "hush-hush-key")
    task = StoreTask("bug", "plan", "default", Checkout(tmp_path))
    result = work.work(task)
    assert (result.exit_code, result.code) == (1, Code.BUG)
    assert "KeyError" in str(result.error)


def test_a_worker_hears_of_a_stop_before_it_begins(tmp_path: Path) -> None:
    """A store that reaches its worker after the stop is not attempted."""
    work.stop_run("stopped")
    task = StoreTask("stopped", "plan", "default", Checkout(tmp_path))
    assert work.work(task).code is Code.NOT_ATTEMPTED


def test_other_versions_are_refused_by_name() -> None:
    """A worker with another version says its name, and what is to be installed."""
    check_versions(versions())
    with pytest.raises(Exception, match=r"The worker .+ has reconciler .+ has 0\.1"):
        check_versions({"reconciler": "0.1"})
    with pytest.raises(Exception, match="not at all"):
        check_versions({"no such package": "1"})


def test_runs_of_long_ago_are_forgotten() -> None:
    """A worker that lives on keeps a few runs only."""
    for number in range(40):
        work.share_out(f"old-{number}", 1.0)
    assert len(work._runs) <= 17


def test_a_pace_is_shared() -> None:
    """All members together keep the sum of their parts, and whoever leaves frees its part."""
    from reconciler.remote.pace import Pace
    from reconciler.remote.pacing import Governor

    clock, pace = FakeClock(), Pace(share=2.0)
    governors = [Governor(concurrency=4, clock=clock, stop=Event(), pace=pace) for _ in range(2)]
    starts = []
    for _ in range(3):
        for governor in governors:
            with governor.slot():
                starts.append(clock.now() - 1000.0)
    assert starts == pytest.approx([0, 0.25, 0.5, 0.75, 1.0, 1.25])
    governors[0].close()
    with governors[1].slot():
        assert clock.now() - 1000.0 == pytest.approx(1.5)
    pace.share = None
    before = clock.now()
    for _ in range(3):
        with governors[1].slot():
            continue
    assert clock.now() - before <= 0.5
