"""Workers: many calls side by side, in order, bounded, and ended by the first error."""

import threading
from collections.abc import Iterator

import pytest

from reconciler.remote.workers import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Two workers."""
    workers = Workers(2)
    yield workers
    workers.close()


def test_results_come_in_order_whatever_ends_first(workers: Workers) -> None:
    """The first item waits for the second, and still comes first."""
    second = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            second.set()
        elif item == 0:
            second.wait(5)
        return item

    assert list(workers.spread(work, range(9))) == [*range(9)]


def test_no_more_is_taken_than_a_few_rounds(workers: Workers) -> None:
    """Items without end are taken as results are asked for, and not before."""
    taken: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            taken.append(len(taken))
            yield taken[-1]

    results = workers.spread(str, endless())
    assert [next(results) for _ in range(3)] == ["0", "1", "2"]
    assert len(taken) <= 8 + 3
    results.close()


def test_the_first_error_ends_all(workers: Workers) -> None:
    """What has not begun when one item fails is not done."""
    done: list[int] = []

    def work(item: int) -> None:
        if item == 3:
            raise ValueError("the third")
        done.append(item)

    with pytest.raises(ValueError, match="the third"):
        list(workers.spread(work, range(1_000)))
    assert len(done) < 20
