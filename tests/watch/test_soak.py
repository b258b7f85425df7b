"""A watch for a long time: true at every look, with memory and descriptors that stay flat.

`make soak` runs 2,000 rounds over 50 shops, and 10,000 over one; the suite runs a few of these.
"""

import gc
import os
import threading
from pathlib import Path

import pytest
from hypothesis import settings

from tests.watch.test_rounds import check_turmoil
from tests.watch.world import Make

LONG = settings.default is not None and settings.default.max_examples > 1000
ROUNDS, SHOPS = (int(n) for n in os.environ.get("WATCH_SOAK", "2000x50").split("x"))


ANYTHING = (1 << 50, 1 << 20, 1 << 20)
"""More than any process holds."""


def resident() -> int:
    """The bytes of memory that this process has."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    """The number of open descriptors."""
    return len(list(Path("/proc/self/fd").iterdir()))


def check_flat(before: tuple[int, int, int], growth: float) -> tuple[int, int, int]:
    """What is held now, which must not be more than before, but for some memory."""
    gc.collect()
    now = resident(), descriptors(), threading.active_count()
    assert now[0] <= before[0] * (1 + growth)
    assert now[1] <= before[1] + 4
    assert now[2] <= before[2] + 4
    return now


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells")
def test_rounds_hold_nothing(make: Make) -> None:
    """After the first rounds no round keeps memory, a descriptor or a thread."""
    shops = make(1)
    watch = shops.watch()
    watch.run(rounds=15)
    shops.sandboxes["s0"].store.log.clear()
    before = check_flat(ANYTHING, 0)
    watch.run(rounds=10_000 if LONG else 45)
    after = check_flat(before, 0.1)
    print(f"{watch.rounds} rounds: {before} -> {after}")  # noqa: T201 - shown by pytest -s


@pytest.mark.skipif(not LONG, reason="make soak runs it")
def test_many_shops_for_long(make: Make) -> None:
    """With hands, failing servers and a moving branch every number is true, and nothing leaks."""
    shops = make(SHOPS)
    seen: list[tuple[int, int, int]] = []

    def look(number: int) -> None:
        # What the shops of these tests note for themselves is not the watch's.
        shops.said.clear()
        shops.told.clear()
        if number == ROUNDS // 4:
            seen.append(check_flat(ANYTHING, 0))
        if number == ROUNDS - 1:
            seen.append(check_flat(seen[0], 0.2))

    check_turmoil(shops, ROUNDS, each=look)
    assert len(seen) == 2
    print(f"{ROUNDS} rounds of {SHOPS} shops: {seen[0]} -> {seen[1]}")  # noqa: T201
