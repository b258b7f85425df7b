"""`reconciler schema`."""

from pathlib import Path

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import output_option, pass_invocation
from reconciler.cli.target import store_option
from reconciler.reconcile.schemas import SCHEMAS


@named("schema")
@click.argument("kind", type=Choice(SCHEMAS), default="catalog", required=False)
@output_option
@store_option
@pass_invocation
def command(invocation: Invocation, kind: str, output: Path | None, store: str | None) -> int:
    """Print a JSON Schema, for editors and other tools.

    By default it describes a catalogue file of any shape. An editor with YAML support uses it if a
    file begins with `# yaml-language-server: $schema=PATH`. The types and tags that the `policy` in
    the settings allows are part of it: an editor completes them and flags any other.
    """
    from reconciler.reconcile.schemas import OF_CATALOG, schema_text
    from reconciler.report.output import write_output

    vocabulary = None
    # Other schemas need no settings, which may not exist.
    if kind in OF_CATALOG:
        settings = invocation.settings
        vocabulary = (settings.for_store(store) if store else settings).vocabulary()
    write_output(schema_text(kind, vocabulary), output)
    return 0
