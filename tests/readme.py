"""The parts of README.md that come from the code: `make docs` writes them, a test compares them."""

import re
import sys

import click

from tests.project import ROOT

README = ROOT / "README.md"


def part(text: str, name: str) -> str:
    """What stands between the markers `<!-- name -->` and `<!-- /name -->`."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
    if found is None:
        raise ValueError(f"README.md has no part '{name}': its two marker comments are missing.")
    return found[1]


def commands_table() -> str:
    """Every command of the command line with its arguments and its one-line help."""
    # Imported here: the tests that only read the README need no command line.
    from reconciler.cli.main import cli

    context = click.Context(cli, info_name="reconciler")
    rows = ["| command | does |", "| --- | --- |"]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        pieces = [piece for piece in command.collect_usage_pieces(inner) if piece != "[OPTIONS]"]
        usage = " ".join([name, *pieces]).replace("|", "\\|")
        rows.append(f"| `{usage}` | {command.get_short_help_str(limit=200)} |")
    return "\n".join(rows) + "\n"


def renewed(text: str) -> str:
    """The README's text with its generated part as the code has it now."""
    start, end = "<!-- commands -->\n", "<!-- /commands -->"
    return text.replace(f"{start}{part(text, 'commands')}{end}", start + commands_table() + end)


def main() -> int:
    """Write README.md anew, or with no `--write` tell whether that would change it."""
    text = README.read_text(encoding="utf-8")
    new = renewed(text)
    if "--write" in sys.argv[1:]:
        README.write_text(new, encoding="utf-8")
        return 0
    if new != text:
        print("README.md is not what the code says: run make docs.")
    return int(new != text)


if __name__ == "__main__":
    sys.exit(main())
