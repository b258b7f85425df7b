"""Place: where the stores of a fleet are worked on."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol


class WorkerLost(Exception):
    """The worker ended before it had answered: killed, out of memory, or its machine is gone."""


class Broadcast(Protocol):
    """Calls a function in every worker, beside its tasks. The function must be quick."""

    def __call__(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call `function(*arguments)` in every worker."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """An executor, how many stores it works on at once, and a way to reach all of its workers.

    A future of the executor that ends with one of `lost` says nothing of what the worker did.
    `alive` tells whether there is any worker, who could still answer.
    """

    executor: Executor
    slots: int
    broadcast: Broadcast
    lost: tuple[type[BaseException], ...] = (WorkerLost,)
    alive: Callable[[], bool] = lambda: True
