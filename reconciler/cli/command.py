"""Command and Group as this tool has them.

They are click's, with the global options on either side of the command's name, and with a
suggestion where something is misspelled.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click

from reconciler.cli.invocation import invocation_of
from reconciler.errors import Interrupted
from reconciler.version import version_text
from reconciler.wording import nearest_word


class Choice(click.Choice[str]):
    """A choice that suggests the nearest one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The value, where it is one of the choices."""
        if value in self.choices:
            return str(value)
        choices = ", ".join(self.choices)
        return self.fail(
            f"{value!r} is not one of {choices}.{suggestion(str(value), self.choices)}", param, ctx
        )


def suggestion(word: str, known: Sequence[str]) -> str:
    """The sentence "Did you mean …?" after a blank, if a known word is near; else nothing."""
    near = nearest_word(word, known)
    return f" Did you mean {near!r}?" if near else ""


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep a global option that was given; the one nearest to the end of the line wins."""
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
    """The options that every command takes, before its name or after."""
    remembered: Mapping[str, Any] = {
        "callback": _remember,
        "expose_value": False,
        "default": None,
    }
    return [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The settings file, in place of reconciler.yaml.",
            **remembered,
        ),
        click.Option(
            ["--color"],
            type=Choice(["auto", "always", "never"]),
            help="Colour; auto looks at the terminal and at NO_COLOR.",
            **remembered,
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            help="Say more: logs, and tracebacks.",
            **remembered,
        ),
        click.Option(["-q", "--quiet"], is_flag=True, help="No progress.", **remembered),
        click.Option(
            ["--log-format"],
            type=Choice(["text", "json"]),
            help="How stderr is written: for people, or a JSON object a line.",
            **remembered,
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
    """Prints help through the one door for results, so that a full disk is noticed."""

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
    """A command that also takes the global options, listed apart in its help."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._global = global_options()
        self.params += self._global

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then the global ones."""
        shared = [*self._global, self.get_help_option(ctx)]
        for title, parameters in (
            (
                "Options",
                [p for p in self.params if isinstance(p, click.Option) and p not in shared],
            ),
            ("Global options", shared),
        ):
            records = [r for p in parameters if p and (r := p.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, once the console knows how to speak."""
        from reconciler.cli.logs import start_logging

        invocation = invocation_of(ctx)
        invocation.check()
        start_logging(invocation.console)
        return super().invoke(ctx)


class CommandEntry(NamedTuple):
    """Where a command lives, and its line in the list of commands."""

    module: str
    summary: str


class Group(_OwnHelp, click.Group):
    """A group that loads a command's module when that command is meant, and no other."""

    def __init__(self, *args: Any, entries: Mapping[str, CommandEntry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries
        self.params += global_options()

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an interruption is told by `run`, not by click's empty line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("Interrupted.") from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order in which people meet them."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, from its module's `command`."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; a misspelled one is told what is near."""
        name = args[0]
        if name not in self.entries and not name.startswith("-"):
            ctx.fail(f"There is no command {name!r}.{suggestion(name, list(self.entries))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without loading one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])


def command(name: str) -> Callable[[Callable[..., int]], Command]:
    """Make a function that returns an exit code the command `name`."""

    def decorate(function: Callable[..., int]) -> Command:
        return click.command(name, cls=Command)(function)

    return decorate
