"""The options that the commands of the fleet share."""

from dataclasses import dataclass
from typing import Final

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Decorator, gathered
from reconciler.errors import UsageError


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """The stores that a command is for: globs of names, and labels."""

    names: tuple[str, ...]
    labels: tuple[str, ...]

    def of(self, invocation: Invocation) -> list[str]:
        """The names of the stores; UnmatchedPattern if there are none."""
        from reconciler.fleet.choose import chosen_stores

        return chosen_stores(invocation.settings, self.names, self.labels)


@dataclass(frozen=True, slots=True)
class Running:
    """What works on the stores, and on which; and whether a failure keeps others from beginning."""

    scheduler: str | None
    sandbox: bool
    fail_fast: bool

    def __post_init__(self) -> None:
        if self.sandbox and self.scheduler is not None:
            raise UsageError(
                "--sandbox works on this machine only: each worker of a scheduler would have "
                "shops of its own.",
                hint="Leave out --scheduler, and unset DASK_SCHEDULER_ADDRESS.",
            )


def choosing() -> Decorator:
    """--store and --label, as `stores`."""
    return gathered(
        "stores",
        StoreChoice,
        {
            "names": click.option(
                "--store",
                "names",
                multiple=True,
                metavar="GLOB",
                help="Only stores with such a name. Repeatable.",
            ),
            "labels": click.option(
                "--label",
                "labels",
                multiple=True,
                metavar="KEY=VALUE",
                help="Only stores with this label; the value is a glob. Repeatable: all must hold.",
            ),
        },
    )


def running() -> Decorator:
    """--scheduler, --sandbox and --fail-fast, as `running`."""
    return gathered(
        "running",
        Running,
        {
            "scheduler": click.option(
                "--scheduler",
                metavar="ADDRESS",
                # Dask's own variable, which a cluster sets already.
                envvar="DASK_SCHEDULER_ADDRESS",
                help="Work on the workers of this Dask scheduler.",
            ),
            "sandbox": click.option(
                "--sandbox",
                is_flag=True,
                help="Use a local server for each store instead, with its data in .reconciler; "
                "needs no keys.",
            ),
            "fail_fast": click.option(
                "--fail-fast", is_flag=True, help="Begin no further store after the first failure."
            ),
        },
    )


details_option: Final[Decorator] = click.option(
    "--details",
    is_flag=True,
    help="With --format json: also what `fleet show` needs to tell of each change.",
)
