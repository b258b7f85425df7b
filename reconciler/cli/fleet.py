"""`reconciler fleet`: a group of commands for many stores."""

from collections.abc import Mapping
from typing import Final

from reconciler.cli.command import CommandEntry, subcommands

_HERE: Final = "reconciler.cli"
FLEET_COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "plan": CommandEntry(f"{_HERE}.fleet_plan", "Show what would change in each store."),
    "apply": CommandEntry(f"{_HERE}.fleet_apply", "Make each remote equal to its catalogue."),
    "status": CommandEntry(f"{_HERE}.fleet_status", "Show each remote catalogue at a glance."),
    "list": CommandEntry(f"{_HERE}.fleet_list", "List the stores, or make a matrix of jobs."),
    "show": CommandEntry(f"{_HERE}.fleet_show", "Show the results of several runs as one."),
    "unlock": CommandEntry(f"{_HERE}.fleet_unlock", "Free the locks that dead runs left."),
}


command = subcommands(
    "fleet",
    "Plan or apply many stores side by side, on this machine or on a Dask scheduler.",
    FLEET_COMMANDS,
)
