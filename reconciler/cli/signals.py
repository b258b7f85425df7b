"""Stops a command on Ctrl-C, SIGTERM and SIGHUP: the first signal in order, the second at once."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.cli import INTERRUPTED
from reconciler.cli.console import Console
from reconciler.signals import handled_by


class Stopping:
    """A signal handler: sets `stop`, and interrupts at once unless `finish_first` was called."""

    def __init__(self, stop: threading.Event, console: Console) -> None:
        self._stop = stop
        self._console = console
        self._patient = False

    def finish_first(self) -> None:
        """From now on the work checks `stop` itself, and ends after it has recorded its calls."""
        self._patient = True

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal; the second one ends the process at once."""
        if self._stop.is_set():
            os._exit(INTERRUPTED)
        self._stop.set()
        if not self._patient:
            # Nothing was written yet, so waiting for calls would gain nothing.
            raise KeyboardInterrupt
        self._console.say(
            "warning", "Stopping: finishing the calls in flight. A second signal ends at once."
        )


@contextmanager
def stopping(stop: threading.Event, console: Console) -> Iterator[Stopping]:
    """Set `stop` on the first signal and end with 130 on the second, until the block ends.

    KeyboardInterrupt is raised too, until `finish_first` is called. Outside the main thread this
    does nothing.
    """
    stops = Stopping(stop, console)
    with handled_by(stops.handle):
        yield stops
