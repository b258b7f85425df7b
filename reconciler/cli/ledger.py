"""`reconciler ledger`: a group of two commands."""

from collections.abc import Mapping
from typing import Final

import click

from reconciler.cli.command import CommandEntry, Group

_HERE: Final = "reconciler.cli"
LEDGER_COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "show": CommandEntry(f"{_HERE}.ledger_show", "Show what the ledger holds."),
    "move": CommandEntry(f"{_HERE}.ledger_move", "Move the ledger from file to git, or back."),
}


@click.command("ledger", cls=Group, entries=LEDGER_COMMANDS, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Show what the ledger holds, or move it from file to git or back."""
    # An error, not help: a script that forgot the command should fail.
    if context.invoked_subcommand is None:
        raise click.UsageError(f"Which command? One of {', '.join(LEDGER_COMMANDS)}.", ctx=context)
