"""Tunes the interpreter for this tool: garbage collection and thread switching.

Reading a catalogue and a list makes millions of values and no reference cycles. The cyclic
collector would walk all of them again and again and find nothing, for a quarter of the time of a
large plan. Reference counting goes on, so memory is still freed at once.

Only one thread runs at a time. A thread that reads files holds the interpreter for a whole switch
interval, and each thread with an HTTP answer waits for it, several times per call. If several read,
it waits for each of them, and none is done sooner: so they take turns.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

# New values before the collector runs in the command's own process; Python's default is 700.
_VALUES: Final = 1_000_000
# Switch interval in seconds; Python's default of 0.005 is a tenth of a whole call.
_TURN: Final = 0.001
_computing: Final = Lock()


def for_one_command() -> None:
    """Tune this process, which runs one command: collect seldom, switch threads often.

    With the default threshold the imports alone would start the collector two hundred times.
    """
    gc.set_threshold(_VALUES, 20, 20)
    sys.setswitchinterval(_TURN)


def leave_alone() -> None:
    """Skip the collection at the end of this process."""
    # The system frees all memory anyway.
    gc.freeze()


@contextmanager
def in_turn() -> Iterator[None]:
    """Wait until no other thread is in such a block: for what computes for long and waits little.

    To be entered only once by a thread.
    """
    with _computing:
        yield


@contextmanager
def paused() -> Iterator[None]:
    """Disable the cyclic collector until the block ends, if it is enabled."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
