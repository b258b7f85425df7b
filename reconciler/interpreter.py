"""How the interpreter runs this tool's work: when it looks for garbage, how it shares out its time.

Reading a catalogue and a list makes millions of values and no cycles. The collector, which looks
for cycles each time that so many values were made, would walk all of them again and again and find
nothing: a quarter of the time of a large plan. References are counted all the while, so that what
is dropped is freed at once, with or without it.

One thread runs at a time. A thread that reads files keeps its turn for as long as the interpreter
allows, and each thread that has an answer waits for it, several times a call.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_VALUES: Final = 1_000_000
"""New values after which a process of this tool's own looks for cycles; Python does after 700."""
_TURN: Final = 0.001
"""Seconds that a thread keeps its turn while others wait; Python's own 0.005 is a tenth of what a
whole call takes."""


def for_one_command() -> None:
    """Suit this process, which lives for one command: look for cycles seldom, take short turns.

    Loading modules alone makes as many values as would have it look two hundred times.
    """
    gc.set_threshold(_VALUES, 20, 20)
    sys.setswitchinterval(_TURN)


def leave_alone() -> None:
    """Let the end of this process, which frees everything, not look for cycles first."""
    gc.freeze()


@contextmanager
def paused() -> Iterator[None]:
    """No search for cycles until the block ends; if there is none already, nothing changes."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
