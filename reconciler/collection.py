"""Garbage collection, handled with thought.

Reading a catalogue and a list makes millions of values and no cycles. The collector, which looks
for cycles each time that so many values were made, would walk all of them again and again and find
nothing: a quarter of the time of a large plan. References are counted all the while, so that what
is dropped is freed at once, with or without it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
