"""Command and Group: click's classes with global options and suggestions.

The global options may stand before or after the command's name.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click

from reconciler.cli.invocation import invocation_of
from reconciler.errors import Interrupted
from reconciler.version import version_text
from reconciler.wording import did_you_mean


class Choice(click.Choice[str]):
    """A choice that suggests the nearest value for a misspelled one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The value, if it is among the choices."""
        if value in self.choices:
            return str(value)
        choices = ", ".join(self.choices)
        near = did_you_mean(str(value), self.choices)
        return self.fail(f"{value!r} is not one of {choices}. {near}".rstrip(), param, ctx)


def _set_global(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Store a global option that was given; the last one on the line wins."""
    # Unset, it must not undo the same option before the command's name.
    if value is not None and parameter.name is not None:
        setattr(invocation_of(context), parameter.name, value)


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from reconciler.report.output import write_stdout

        write_stdout(f"reconciler {version_text()}\n")
        context.exit()


def _print_help(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from reconciler.report.output import write_stdout

        write_stdout(context.get_help() + "\n")
        context.exit()


def global_options() -> list[click.Parameter]:
    """The options that every command takes, before or after its name."""
    shared: Mapping[str, Any] = {
        "callback": _set_global,
        "expose_value": False,
        "default": None,
    }
    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The settings file, in place of reconciler.yaml.",
            **shared,
        ),
        click.Option(
            ["--color"],
            type=Choice(["auto", "always", "never"]),
            help="Colour; auto looks at the terminal and at NO_COLOR.",
            **shared,
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            help="Say more: logs, and tracebacks.",
            **shared,
        ),
        click.Option(["-q", "--quiet"], is_flag=True, help="No progress.", **shared),
        click.Option(
            ["--log-format"],
            type=Choice(["text", "json"]),
            help="Format of stderr: for people, or one JSON object per line.",
            **shared,
        ),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Show the version.",
        ),
    ]


class _OwnHelp(click.Command):
    """Prints help with `write_stdout`, so that a full disk is reported."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The --help option."""
        if not hasattr(self, "_own_help"):
            self._own_help = click.Option(
                ["-h", "--help"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_help,
                help="Show this help.",
            )
        return self._own_help


class Command(_OwnHelp):
    """A command that also takes the global options, which the help of `reconciler` lists."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._global = global_options()
        self.params += self._global

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options."""
        own = [p for p in self.params if isinstance(p, click.Option) and p not in self._global]
        records = [r for p in own if (r := p.get_help_record(ctx)) is not None]
        if records:
            with formatter.section("Options"):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's examples, and which command tells the global options."""
        _write_examples(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Check the global options, set up logging, and run the command."""
        from reconciler.cli.logs import start_logging

        invocation = invocation_of(ctx)
        # After parsing, since options may stand on both sides of the command's name.
        invocation.check()
        start_logging(invocation.console)
        return super().invoke(ctx)


def _write_examples(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    from reconciler.cli.examples import EXAMPLES

    path = ctx.command_path.removeprefix(ctx.find_root().command_path).strip()
    if examples := EXAMPLES.get(path):
        _write_lines("Examples", examples, formatter)
    formatter.write_paragraph()
    formatter.write_text("`reconciler --help` lists the options that all commands take.")


def _write_lines(
    title: str, lines: Sequence[tuple[str, str]], formatter: click.HelpFormatter
) -> None:
    """Write commands with what they do: beside them, or above them if there is no room."""
    longest = max(len(line) for line, _ in lines)
    fits = all(longest + len(what) + 8 <= formatter.width for _, what in lines)
    with formatter.section(title):
        for line, what in lines:
            if fits:
                formatter.write(f"  {line.ljust(longest)}  # {what}\n")
            else:
                formatter.write_text(f"# {what}")
                formatter.write(f"  {line}\n")


class CommandEntry(NamedTuple):
    """A command's module, and its line in the list of commands."""

    module: str
    summary: str


class Group(_OwnHelp, click.Group):
    """A group that loads only the module of the command to run."""

    def __init__(self, *args: Any, entries: Mapping[str, CommandEntry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries
        self.params += global_options()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, which all commands take; a group within another has none to tell."""
        if ctx.parent is None:
            click.Command.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands to start with, or a group's examples."""
        from reconciler.cli.examples import FIRST_COMMANDS

        if ctx.parent is None:
            _write_lines("Start with", FIRST_COMMANDS, formatter)
        else:
            _write_examples(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Interrupted on Ctrl-C."""
        # click would print an empty line and raise Abort.
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("Interrupted.") from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order of the table."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported from its module."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        # Only now, so that no command pays for the imports of another.
        command: click.Command = import_module(entry.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; UsageError with a suggestion if unknown."""
        name = args[0]
        if name not in self.entries and not name.startswith("-"):
            ctx.fail(f"There is no command {name!r}. {did_you_mean(name, self.entries)}".rstrip())
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without loading their modules."""
        with formatter.section("Commands"):
            # click would import every module to ask for its help.
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])


def subcommands(name: str, summary: str, entries: Mapping[str, CommandEntry]) -> Group:
    """A group within `reconciler`, which has to be given one of its commands."""

    @click.command(name, cls=Group, entries=entries, help=summary, invoke_without_command=True)
    @click.pass_context
    def group(context: click.Context) -> None:
        # An error, not help: a script that forgot the command should fail.
        if context.invoked_subcommand is None:
            raise click.UsageError(f"Which command? One of {', '.join(entries)}.", ctx=context)

    return group


def command(name: str) -> Callable[[Callable[..., int]], Command]:
    """Make a function that returns an exit code the command `name`."""

    def decorate(function: Callable[..., int]) -> Command:
        return click.command(name, cls=Command)(function)

    return decorate
