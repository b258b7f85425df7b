"""The story of a fleet: its stores one after the other, as many at once as there are slots."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from threading import Event
from time import monotonic
from typing import Final

from reconciler.codes import Code
from reconciler.fleet.place import Place
from reconciler.fleet.task import StoreTask
from reconciler.fleet.work import share_out, stop_run, work
from reconciler.ledger.lease import TAKEN_OVER_AFTER
from reconciler.report.fleet_results import StoreResult

_MOST_TAKEOVERS: Final = 5
"""Workers that may die at one store: then it is the store that kills them."""
_LOCK_TIMEOUT: Final = TAKEN_OVER_AFTER + 30.0
"""Seconds that a second worker waits for the lease of the one that died."""
_LOOK: Final = 0.2
"""Seconds between two looks at whether the run is to stop."""
_ASK: Final = 5.0
"""Seconds between two questions whether there is any worker, while none answers."""
_PATIENCE: Final = 120.0
"""Seconds without any worker after which none is waited for; none at all once the run stops."""


def run_fleet(
    place: Place,
    tasks: Sequence[StoreTask],
    *,
    stop: Event,
    fail_fast: bool = False,
    rate: float | None = None,
) -> Iterator[StoreResult]:
    """The result of every store, as it ends.

    `rate` is the calls a second of all stores together. Once `stop` is set no store is begun, and
    those under way end as an interrupted apply does; with `fail_fast` the first failure only keeps
    others from being begun.
    """
    run = _Run(place, deque(tasks), rate)
    failed = False
    while run.waiting or run.under_way:
        if stop.is_set():
            run.interrupt()
        if stop.is_set() or failed:
            yield from run.give_up(130 if stop.is_set() else 1)
        run.begin()
        for result in run.ended(stopping=stop.is_set()):
            failed = failed or (fail_fast and result.failed)
            yield result


@dataclass
class _Run:
    place: Place
    waiting: deque[StoreTask]
    rate: float | None
    under_way: dict["Future[StoreResult]", StoreTask] = field(default_factory=dict)
    takeovers: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False
    shared_by: int = 0
    asked: float = field(default_factory=monotonic)
    answered: float = field(default_factory=monotonic)

    def begin(self) -> None:
        """Begin as many stores as there are slots."""
        # The share first: a store that begins must find the others' share reduced.
        self._share_out()
        while self.waiting and len(self.under_way) < self.place.slots:
            task = replace(self.waiting.popleft(), share=self._share())
            self.under_way[self.place.executor.submit(work, task)] = task

    def ended(self, *, stopping: bool) -> list[StoreResult]:
        """The results that have come within a short time; those of lost workers begin anew."""
        done, _ = wait(self.under_way, timeout=_LOOK, return_when=FIRST_COMPLETED)
        if not done and not self._hopeful(0.0 if stopping else _PATIENCE):
            return self._abandoned(130 if stopping else 1)
        results = [self._result(future, self.under_way.pop(future)) for future in done]
        return [result for result in results if result is not None]

    def _hopeful(self, patience: float) -> bool:
        """Whether a worker may still answer: there was one within `patience` seconds."""
        now = monotonic()
        if now - self.asked >= _ASK:
            self.asked = now
            if self.place.alive():
                self.answered = now
        return self.asked - self.answered <= patience

    def _abandoned(self, code: int) -> list[StoreResult]:
        """The results of all stores, since no worker is left; those not begun are not attempted."""
        gone = [
            StoreResult(
                task.store,
                _unknown_code(task),
                error="No worker is left, or the scheduler has gone.",
                code=Code.WORKER_LOST,
                hint="Look at the scheduler and its workers. The next apply goes on by itself.",
            )
            for task in self.under_way.values()
        ]
        self.under_way.clear()
        return [*gone, *self.give_up(code)]

    def interrupt(self) -> None:
        """Let the stores under way come to an orderly end."""
        if not self.interrupted and self.under_way:
            self.place.broadcast(stop_run, next(iter(self.under_way.values())).run)
        self.interrupted = True

    def give_up(self, code: int) -> Iterator[StoreResult]:
        """The results of the stores that will not be begun."""
        while self.waiting:
            task = self.waiting.popleft()
            lost = self._lost(task) if self.takeovers.get(task.store) else None
            yield lost or StoreResult(
                task.store, code, error="Not attempted.", code=Code.NOT_ATTEMPTED
            )

    def _result(self, future: "Future[StoreResult]", task: StoreTask) -> StoreResult | None:
        try:
            result = future.result()
        except self.place.lost:
            return self._taken_over(task)
        except Exception as error:  # of the executor: the worker itself raises none
            message = f"The worker's answer cannot be read: {type(error).__name__}: {error}"
            return StoreResult(
                task.store, _unknown_code(task), error=message, code=Code.WORKER_LOST
            )
        takeovers = self.takeovers.get(task.store, 0)
        if not takeovers:
            return result
        # What the lost worker wrote took effect, whatever the second one came to.
        code = 5 if task.action == "apply" and result.exit_code in (1, 3, 4) else result.exit_code
        return replace(result, takeovers=takeovers, exit_code=code)

    def _taken_over(self, task: StoreTask) -> StoreResult | None:
        """Put a store back that a lost worker had; its result if that has happened too often."""
        self.takeovers[task.store] = self.takeovers.get(task.store, 0) + 1
        if self.takeovers[task.store] > _MOST_TAKEOVERS:
            return self._lost(task)
        # The dead worker's lease is not renewed any more, but it must first run out.
        patience = max(task.lock_timeout, _LOCK_TIMEOUT) if task.action == "apply" else 0.0
        self.waiting.append(replace(task, lock_timeout=patience))
        return None

    def _lost(self, task: StoreTask) -> StoreResult:
        takeovers = self.takeovers[task.store]
        return StoreResult(
            task.store,
            _unknown_code(task),
            error=f"{takeovers} workers died while they worked on this store.",
            code=Code.WORKER_LOST,
            hint="Look at the memory that workers may take, and at their logs. The next apply goes "
            "on by itself.",
            takeovers=takeovers,
        )

    def _share(self) -> float | None:
        return None if self.rate is None else self.rate / max(1, self.shared_by)

    def _share_out(self) -> None:
        """Give each store under way its part of the rate, once their number is another."""
        sharing = min(self.place.slots, len(self.waiting) + len(self.under_way))
        if self.rate is None or sharing == self.shared_by or not sharing:
            return
        self.shared_by = sharing
        if self.under_way:
            run = next(iter(self.under_way.values())).run
            self.place.broadcast(share_out, run, self._share())


def _unknown_code(task: StoreTask) -> int:
    """The exit code of a store if nothing is known of it: an apply may have written."""
    return 5 if task.action == "apply" else 1
