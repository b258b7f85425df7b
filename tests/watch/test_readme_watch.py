"""What the README says of watch and rehearse is so."""

import re
import shlex

import click
import pytest

from reconciler.cli.main import cli
from tests.project import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition("#")[0].strip()
    for title in ("Watch", "Rehearse")
    for block in re.findall(
        r"```sh\n(.*?)```", TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0], re.DOTALL
    )
    for line in block.splitlines()
    if line.startswith("reconciler ")
]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_can_be_typed(line: str) -> None:
    """Each command of the two sections is one that the command line understands."""
    _, name, *arguments = shlex.split(line)
    with click.Context(cli, info_name="reconciler") as context:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.make_context(name, arguments, parent=context).command is command
