"""Ctrl-C, SIGTERM and SIGHUP: the first asks to stop, the second ends at once."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.cli import INTERRUPTED
from reconciler.cli.console import Console
from reconciler.signals import handled_by


class Stopping:
    """What a signal does: set `stop`, and interrupt at once unless the work asked for patience."""

    def __init__(self, stop: threading.Event, console: Console) -> None:
        self._stop = stop
        self._console = console
        self._patient = False

    def finish_first(self) -> None:
        """From now on the work looks at `stop` itself and comes to its end, records included."""
        self._patient = True

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler. The second signal ends the process, whatever is under way."""
        if self._stop.is_set():
            os._exit(INTERRUPTED)
        self._stop.set()
        if not self._patient:
            raise KeyboardInterrupt
        self._console.say(
            "warning", "Stopping: finishing the calls under way. A second signal ends at once."
        )


@contextmanager
def stopping(stop: threading.Event, console: Console) -> Iterator[Stopping]:
    """Set `stop` on the first signal and end with 130 on the second, until the block ends.

    KeyboardInterrupt is raised too, until `finish_first` is called. Only the main thread can be
    told by signals; in any other this does nothing.
    """
    stops = Stopping(stop, console)
    with handled_by(stops.handle):
        yield stops
