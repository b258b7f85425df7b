"""`--metrics FILE`: one run in numbers, for node_exporter's textfile collector."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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

    def left(self) -> "Plan":
        """The plan without what has been applied of it since."""
        assert self.plan is not None  # noqa: S101 - the caller has looked
        if self.report is None:
            return self.plan
        outcomes = self.report.outcomes
        done = Counter(each.action for each in outcomes if each.fate == "applied")
        # A plan that was applied before has no outcomes, and leaves nothing.
        open_ones = {(each.action, each.store_id) for each in outcomes if each.fate != "applied"}
        return replace(
            self.plan,
            changes=tuple(c for c in self.plan.changes if (c.action, c.store_id) in open_ones),
            remote_products=self.plan.remote_products + done["create"] - done["delete"],
        )


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

            meters.planned(measured.left(), at=time.time(), seconds=measured.seconds)
            meters.called(store.name, store.client.outcomes)
            if measured.report is not None:
                meters.applied(measured.report)
            write_file(file, meters.text())
