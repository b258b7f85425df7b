"""`--metrics FILE`: one run in numbers, for node_exporter's textfile collector."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.options import FILE, Decorator

if TYPE_CHECKING:
    from reconciler.planning.outcome import Report
    from reconciler.planning.plan import Plan
    from reconciler.reconcile.store import Store

metrics_option: Final[Decorator] = click.option(
    "--metrics",
    type=FILE,
    metavar="FILE",
    help="Write metrics of this run, in the text format of Prometheus.",
)


@dataclass
class Measured:
    """The results of a run so far; `seconds` is how long its plan took."""

    begun: float
    plan: "Plan | None" = None
    seconds: float = 0.0
    report: "Report | None" = None

    def note(self, plan: "Plan") -> None:
        """Note the plan, which is made now."""
        # Monotonic, since the time of day may be set while a plan is made.
        self.plan, self.seconds = plan, time.monotonic() - self.begun


@contextmanager
def measuring(file: Path | None, store: "Store") -> Iterator[Measured]:
    """Write the metrics of the block to `file` when it ends, also with an error.

    A run that came to no plan leaves the file as it is: its last success is the one before.
    """
    meters = None
    if file is not None:
        # Imported before the run, so that a missing extra is told before anything is sent.
        from reconciler.watch.metrics import Meters

        meters = Meters()
    measured = Measured(time.monotonic())
    try:
        yield measured
    finally:
        # In `finally`: a failed apply is what an alarm waits for.
        if file is not None and meters is not None and measured.plan is not None:
            from reconciler.report.output import write_file

            meters.planned(measured.plan, at=time.time(), seconds=measured.seconds)
            meters.called(store.name, store.client.outcomes)
            if measured.report is not None:
                meters.applied(measured.report)
            write_file(file, meters.text())
