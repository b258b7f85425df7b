"""`reconciler ledger`: a group of two commands."""

from collections.abc import Mapping
from typing import Final

import click

from reconciler.cli.command import CommandEntry, Group

_HERE: Final = "reconciler.cli"
COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "show": CommandEntry(f"{_HERE}.ledger_show", "Show what is remembered."),
    "move": CommandEntry(
        f"{_HERE}.ledger_move", "Carry what is remembered from file to git, or back."
    ),
}


@click.command("ledger", cls=Group, entries=COMMANDS, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Show what is remembered, or move it from file to git or back."""
    if context.invoked_subcommand is None:
        raise click.UsageError(f"Which command? One of {', '.join(COMMANDS)}.", ctx=context)
