"""`reconciler watch`."""

import os
import random
import re
import signal
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from reconciler.cli import INTERRUPTED
from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import pass_invocation
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.planning.plan import Origin
    from reconciler.settings import Settings
    from reconciler.watch.loop import Signals, Watch, Wishes
    from reconciler.watch.metrics import Meters
    from reconciler.watch.supervisor import Supervisor

_DURATION: Final = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)\s*(s|m|h|d|)", re.ASCII)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SHORTEST: Final = 1.0


class _Duration(click.ParamType[float]):
    """A time such as 90s, 15m, 1h; a plain number is seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The time in seconds."""
        match = _DURATION.fullmatch(str(value).strip())
        seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
        # Each round lists the whole remote, so rounds without a pause would flood it.
        if seconds < _SHORTEST:
            self.fail(f"{value!r} is not a time of a second or more, such as 90s, 15m or 1h.")
        return seconds


class _Address(click.ParamType[tuple[str, int]]):
    """An address to listen on, with its port."""

    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """The host and the port."""
        from reconciler.watch.serve import parse_address

        try:
            return parse_address(str(value))
        except ValueError:
            return self.fail(f"{value!r} is not an address with a port, such as 127.0.0.1:9464.")


@named("watch")
@click.option(
    "--store", multiple=True, metavar="GLOB", help="Only stores with such a name. Repeatable."
)
@click.option(
    "--every",
    type=_Duration(),
    default="15m",
    show_default=True,
    metavar="TIME",
    help="The time between two rounds: 90s, 15m, 1h.",
)
@click.option(
    "--ref", default="main", show_default=True, metavar="BRANCH", help="The branch to watch."
)
@click.option(
    "--listen",
    type=_Address(),
    default="127.0.0.1:9464",
    show_default=True,
    metavar="HOST:PORT",
    help="The address that serves pages, metrics and health.",
)
@click.option(
    "--url", metavar="URL", help="The address of the page for others, for links in messages."
)
@click.option("--apply", "heal", is_flag=True, help="Apply what is planned, within the limits.")
@click.option(
    "--only",
    multiple=True,
    type=Choice(["edit", "drift", "both"]),
    help="Apply only changes of this origin; needs --apply. Repeatable.",
)
@pass_invocation
def command(
    invocation: Invocation,
    store: tuple[str, ...],
    every: float,
    ref: str,
    listen: tuple[str, int],
    url: str | None,
    heal: bool,
    only: "tuple[Origin, ...]",
) -> int:
    """Plan every store again and again, and tell what happens.

    Fetches the branch before each round and reads the catalogues at its commit; the work tree is
    left alone. Serves a page of all stores, /metrics for Prometheus, /healthz and /readyz. With
    --apply it also makes the remotes equal to the catalogues, within the same limits as `apply`.
    SIGHUP reads the settings anew; SIGTERM ends it once calls under way are recorded. Needs the
    extra `watch`.
    """
    from reconciler.report.words import plural
    from reconciler.signals import handled_by
    from reconciler.watch.loop import Signals, Wishes
    from reconciler.watch.metrics import Meters
    from reconciler.watch.pages import WatchPages
    from reconciler.watch.serve import Served
    from reconciler.watch.sight import Healing
    from reconciler.watch.supervisor import Supervisor

    # Else somebody may believe that edits are applied.
    if only and not heal:
        raise UsageError(
            "--only needs --apply: without it nothing is applied.", hint="Give --apply too."
        )
    wishes = Wishes(store, every, Healing(only) if heal else None)
    signals, meters, supervisor = Signals(), Meters(), Supervisor(invocation.environ)
    pages = WatchPages(meters)
    with (
        Served(*listen, pages) as served,
        handled_by(lambda number, frame: _handle(number, frame, signals, invocation)),
    ):
        # Behind a proxy the address that is served is not the one that people reach.
        address = (url or served.url).rstrip("/")
        watch = _watch(invocation, wishes, ref, address, meters, signals, supervisor)
        pages.show(watch)
        stores = plural(len(watch.stores), "store")
        invocation.console.say("info", f"Watching {stores} on {ref}; the page is at {served.url}")
        # systemd counts the service as started from here, with its page answering.
        supervisor.tell("READY=1")
        watch.run()
        supervisor.tell("STOPPING=1")
    return INTERRUPTED


def _watch(
    invocation: Invocation,
    wishes: "Wishes",
    ref: str,
    address: str,
    meters: "Meters",
    signals: "Signals",
    supervisor: "Supervisor",
) -> "Watch":
    """The watch of the branch `ref`, whose pages people reach at `address`."""
    from reconciler.clock import SystemClock
    from reconciler.reconcile.store import DATA
    from reconciler.watch.branch import Branch
    from reconciler.watch.loop import Watch
    from reconciler.watch.notify import Notifier
    from reconciler.watch.state import WatchState

    console, settings = invocation.console, invocation.settings

    def complain(message: str) -> None:
        console.say("warning", message)

    def say(level: str, message: str) -> None:
        if level != "debug" or console.verbose:
            console.say("warning" if level == "warning" else "info", message)

    return Watch(
        wishes,
        lambda: _load(invocation),
        lambda settings: Notifier(settings, lambda store: f"{address}/store/{store}", complain),
        branch=Branch(settings.folder, ref, settings.ledger_remote),
        state=WatchState(settings.folder / DATA / "watch.json", complain),
        meters=meters,
        clock=SystemClock(),
        jitter=random.random,
        signals=signals,
        say=say,
        beat=lambda: supervisor.tell("WATCHDOG=1"),
    )


def _load(invocation: Invocation) -> "Settings":
    """The settings as they are now; their keys are masked from now on."""
    from reconciler.settings import load_settings

    settings = load_settings(
        config=invocation.config, environ=invocation.environ, folder=invocation.folder
    )
    invocation.console.mask(settings.keys())
    return settings


def _handle(
    number: int, frame: FrameType | None, signals: "Signals", invocation: Invocation
) -> None:
    """Read settings anew on SIGHUP; end on the other signals, at once on the second."""
    # Windows has no SIGHUP.
    if number == getattr(signal, "SIGHUP", None):
        signals.read_anew()
        return
    if signals.stop.is_set():
        # Whoever asks twice does not want to wait for calls.
        os._exit(INTERRUPTED)
    signals.end()
    invocation.console.say(
        "warning", "Stopping: finishing the calls in flight. A second signal ends at once."
    )
