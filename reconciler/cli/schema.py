"""`reconciler schema`."""

from pathlib import Path

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, pass_invocation
from reconciler.reconcile.schemas import SCHEMAS


@named("schema")
@click.argument("kind", type=Choice(SCHEMAS), default="catalog", required=False)
@click.option("--output", type=FILE, metavar="FILE", help="Write to this file instead of stdout.")
@pass_invocation
def command(invocation: Invocation, kind: str, output: Path | None) -> int:
    """Print a JSON Schema, for editors and other tools.

    By default it describes a catalogue file of any shape. An editor with YAML support uses it if a
    file begins with `# yaml-language-server: $schema=PATH`.
    """
    from reconciler.reconcile.schemas import schema_text
    from reconciler.report.output import TO_OUTPUT, write_file, write_stdout

    if output is None:
        write_stdout(schema_text(kind), hint=TO_OUTPUT)
    else:
        write_file(output, schema_text(kind))
    return 0
