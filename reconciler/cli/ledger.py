"""`reconciler ledger`: a group of two commands."""

from collections.abc import Mapping
from typing import Final

from reconciler.cli.command import CommandEntry, subcommands

_HERE: Final = "reconciler.cli"
LEDGER_COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "show": CommandEntry(f"{_HERE}.ledger_show", "Show what the ledger holds."),
    "move": CommandEntry(f"{_HERE}.ledger_move", "Move the ledger from file to git, or back."),
}


command = subcommands(
    "ledger",
    "Show what the ledger holds, or move it from file to git or back.",
    LEDGER_COMMANDS,
)
