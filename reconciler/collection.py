"""Garbage collection, handled with thought.

Reading a catalogue and a list makes millions of values and no cycles. The collector, which looks
for cycles each time that so many values were made, would walk all of them again and again and find
nothing: a quarter of the time of a large plan. References are counted all the while, so that what
is dropped is freed at once, with or without it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_VALUES: Final = 100_000
"""New values after which a process of this tool's own looks for cycles; Python does after 700."""


def make_rare() -> None:
    """Let this process, which lives for one command, look for cycles seldom.

    Loading modules alone makes as many values as would have it look two hundred times.
    """
    gc.set_threshold(_VALUES, 20, 20)


def leave_alone() -> None:
    """Let the end of this process, which frees everything, not look for cycles first."""
    gc.freeze()


@contextmanager
def paused() -> Iterator[None]:
    """No search for cycles until the block ends; where there is none already, nothing changes."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
