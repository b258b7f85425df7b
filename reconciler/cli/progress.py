"""Progress on stderr: a bar on a terminal, a line every few seconds in a pipeline's log."""

import threading
from typing import TYPE_CHECKING, Final

from reconciler.cli.console import Console
from reconciler.clock import Clock, SystemClock
from reconciler.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

# Seconds between two lines about one phase.
_EVERY: Final = 5.0


def progress_for(console: Console, clock: Clock | None = None) -> Progress:
    """The display for this console: none with --quiet, otherwise a bar or lines."""
    if console.quiet:
        return Silent()
    return Bar(console) if console.animated else ProgressLines(console, clock or SystemClock())


class ProgressLines:
    """Prints the progress of a phase every few seconds; nothing for short phases."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._lock = threading.Lock()
        self._phase = ""
        self._total: int | None = None
        self._done = 0
        self._said = 0.0

    def start(self, phase: str, total: int | None) -> None:
        """Begin a phase."""
        with self._lock:
            if phase != self._phase:
                self._phase, self._done, self._said = phase, 0, self._clock.now()
            self._total = total

    def advance(self, count: int = 1) -> None:
        """Add to the count, and print it if the last line is old enough."""
        with self._lock:
            self._done += count
            # A pipeline keeps every line, so a bar's would bury the rest.
            if self._clock.now() - self._said < _EVERY or not self._phase:
                return
            self._said = self._clock.now()
            # Copied, so that the slow part, writing, is done without the lock.
            phase, done, total = self._phase, self._done, self._total
        whole = "" if total is None else f" of {total:,}"
        self._console.say("info", f"{phase}: {done:,}{whole}", phase=phase, done=done, total=total)

    def finish(self) -> None:
        """End the phase."""
        with self._lock:
            self._phase = ""


class Bar:
    """A moving bar that is removed at the end; rich is imported when the first phase starts."""

    def __init__(self, console: Console) -> None:
        self._color = console.stderr_color
        self._lock = threading.Lock()
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def start(self, phase: str, total: int | None) -> None:
        """Show the bar of a phase instead of the one before."""
        with self._lock:
            self._stop()
            bars = self._bars = _bars(self._color)
            self._task = bars.add_task(phase, total=total)
            bars.start()

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        with self._lock:
            if self._bars is not None and self._task is not None:
                self._bars.advance(self._task, count)

    def finish(self) -> None:
        """Remove the bar."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._task = None


def _bars(color: bool) -> "Bars":
    from rich.console import Console as Terminal
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        # Text in brackets would be taken for rich's own markup.
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Terminal(stderr=True, no_color=not color, highlight=False),
        # What stays on the screen should be the result.
        transient=True,
        # rich would else take over streams whose output is masked and escaped elsewhere.
        redirect_stdout=False,
        redirect_stderr=False,
    )
