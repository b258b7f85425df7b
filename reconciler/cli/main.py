"""The table of commands, and `run`, which turns every outcome into an exit code."""

from collections.abc import Mapping, Sequence
from typing import Final

import click

from reconciler.cli.command import Choice, CommandEntry, Group
from reconciler.cli.console import prepare_streams
from reconciler.cli.failures import shortage, tell, tell_bug, tell_usage
from reconciler.cli.invocation import Invocation, invocation_of
from reconciler.errors import Interrupted, ReconcilerError

_HERE: Final = "reconciler.cli"
# Modules by name, not imported: `--help` and most commands must stay quick to start.
COMMANDS: Final[Mapping[str, CommandEntry]] = {
    "init": CommandEntry(f"{_HERE}.init", "Make a catalogue, settings and CI files to start from."),
    "validate": CommandEntry(f"{_HERE}.validate", "Check the catalogue; needs no network."),
    "fmt": CommandEntry(f"{_HERE}.fmt", "Bring the catalogue's files into canonical form."),
    "plan": CommandEntry(f"{_HERE}.plan", "Show what would change at the remote."),
    "apply": CommandEntry(f"{_HERE}.apply", "Make the remote equal to the catalogue."),
    "rehearse": CommandEntry(
        f"{_HERE}.rehearse", "Apply a plan to a copy of the remote, in a sandbox."
    ),
    "watch": CommandEntry(
        f"{_HERE}.watch", "Plan every store again and again, and tell what happens."
    ),
    "show": CommandEntry(
        f"{_HERE}.show",
        "Show a saved plan in any format, or a journal: what an apply did, and what it removed.",
    ),
    "pull": CommandEntry(f"{_HERE}.pull", "Bring the catalogue's files up to the remote."),
    "import": CommandEntry(
        f"{_HERE}.import_",
        "Bring a shop's own export into the catalogue's files; offline, without a key.",
    ),
    "status": CommandEntry(f"{_HERE}.status", "Show the remote catalogue at a glance."),
    "schema": CommandEntry(f"{_HERE}.schema", "Print a JSON Schema, for editors and other tools."),
    "explain": CommandEntry(f"{_HERE}.explain", "Say what a code means and what to do about it."),
    "diff": CommandEntry(
        f"{_HERE}.diff",
        "Show what the catalogue changes between git revisions; needs no key and no network.",
    ),
    "log": CommandEntry(f"{_HERE}.log", "Show what was applied, when, and from which commit."),
    "ledger": CommandEntry(
        f"{_HERE}.ledger", "Show what the ledger holds, or move it from file to git or back."
    ),
    "restore": CommandEntry(
        f"{_HERE}.restore", "Bring what deletes removed back into the catalogue's files."
    ),
    "unlock": CommandEntry(f"{_HERE}.unlock", "Free a lock that a dead run left."),
    "fleet": CommandEntry(
        f"{_HERE}.fleet",
        "Plan or apply many stores side by side, on this machine or on a Dask scheduler.",
    ),
    "sandbox": CommandEntry(f"{_HERE}.sandbox", "Run a local server that speaks the API."),
}
"""Each command with the first sentence of its help."""


def _install_completion(context: click.Context, _: click.Parameter, shell: str | None) -> None:
    # While completing, click parses half a line, which must install nothing.
    if shell is None or context.resilient_parsing:
        return
    from reconciler.cli.completion import install
    from reconciler.report.output import write_stdout

    write_stdout(install(shell, context.command, invocation_of(context).environ))
    context.exit()


@click.command(cls=Group, entries=COMMANDS, invoke_without_command=True)
@click.option(
    "--install-completion",
    is_flag=False,
    flag_value="auto",
    default=None,
    type=Choice(["bash", "zsh", "fish", "auto"]),
    metavar="[bash|zsh|fish]",
    is_eager=True,
    expose_value=False,
    callback=_install_completion,
    help="Install completion of commands and options for this shell, or for the one named.",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Keep a Robosize product catalogue equal to YAML files in git."""
    # click's own help for this case goes round `write_stdout`, so a full disk would go unseen.
    if context.invoked_subcommand is None:
        from reconciler.report.output import write_stdout

        write_stdout(context.get_help() + "\n")


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code, also if it crashes."""
    prepare_streams()
    invocation = Invocation()
    try:
        # Without standalone mode click raises its errors instead of exiting with codes of its own.
        code = cli.main(
            list(arguments), prog_name="reconciler", standalone_mode=False, obj=invocation
        )
    except click.ClickException as error:
        # click exits with 2, which here means "there are changes".
        return tell_usage(error, invocation.console)
    except ReconcilerError as error:
        return tell(error, invocation.console)
    except (click.Abort, KeyboardInterrupt):
        return tell(Interrupted("Interrupted."), invocation.console)
    except SystemExit as end:
        # click ends like this when a shell asks for completions.
        return end.code if isinstance(end.code, int) else 1
    except (MemoryError, RuntimeError) as error:
        short = shortage(error)
        return tell(short, invocation.console) if short else tell_bug(error, invocation.console)
    except Exception as error:  # anything else is a bug, and is never shown as a bare traceback
        return tell_bug(error, invocation.console)
    finally:
        # A bar would else stay on the terminal after the command.
        invocation.end()
    return code if isinstance(code, int) else 0
