"""`reconciler explain`."""

from typing import TYPE_CHECKING

import click

from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import pass_invocation

if TYPE_CHECKING:
    from reconciler.linting.rule import Rule


def _codes(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """The codes that begin like what was typed, for the shell."""
    from reconciler.codes import Code

    return [code for code in Code if code.startswith(begun)]


@named("explain")
@click.argument("code", required=False, shell_complete=_codes)
@pass_invocation
def command(invocation: Invocation, code: str | None) -> int:
    """Say what a code means and what to do about it.

    CODE is the word in brackets after a finding or a warning, or the name of a lint rule, also of
    one under `policy` in the settings. Without CODE, all codes are listed.
    """
    from reconciler.errors import UsageError
    from reconciler.explain.registry import code_named, nearest_code
    from reconciler.report.explanations import explanation_text, list_text
    from reconciler.report.output import write_stdout

    console = invocation.console
    color, width = console.stdout_color, console.width
    if code is None:
        write_stdout(list_text(color=color, width=width))
        return 0
    known = code_named(code) or _own_rule(invocation, code)
    if known is None:
        near = nearest_code(code)
        meant = f"Did you mean {near.value!r}? " if near else ""
        raise UsageError(
            f"There is no code {code!r}.", hint=f"{meant}`reconciler explain` lists them all."
        )
    write_stdout(explanation_text(known, color=color, width=width))
    return 0


def _own_rule(invocation: Invocation, name: str) -> "Rule | None":
    """The rule of the shop's policy or of a package that has this name."""
    from reconciler.errors import SettingsError
    from reconciler.linting.registry import rule_named

    try:
        rulesets = invocation.settings.rulesets()
    except SettingsError:
        # Whoever asks what an error of the settings means has such settings.
        return None
    return rule_named(name, [rule for own in rulesets for rule in own.rules])
