"""`reconciler init`."""

import shlex
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FOLDER, pass_invocation
from reconciler.cli.target import Target

if TYPE_CHECKING:
    from reconciler.reconcile.init import CI, Beginning, Deploy

_WORDS: Final = {"made": "made", "kept": "kept as it is", "extended": "added to"}


@named("init")
@click.argument("folder", type=FOLDER, required=False, metavar="[DIR]")
@click.option(
    "--ci",
    type=Choice(["github", "gitlab", "none"]),
    help="The pipeline to make files for; guessed from the folder by default.",
)
@click.option(
    "--deploy",
    type=Choice(["systemd", "kubernetes", "compose"]),
    help="Also make the files to run `reconciler watch` with this, in the folder deploy.",
)
@pass_invocation
def command(
    invocation: Invocation, folder: Path | None, ci: "CI | None", deploy: "Deploy | None"
) -> int:
    """Make a catalogue, settings and CI files to start from.

    Overwrites no file. If ROBOSIZE_API_KEY is set, an empty catalogue is filled with the products
    at Robosize; otherwise it gets an example product.
    """
    from reconciler.reconcile.init import init
    from reconciler.report.output import write_stdout

    # Only the environment can hold a key, since settings may not exist yet.
    has_key = bool(invocation.environ.get("ROBOSIZE_API_KEY", "").strip())
    begun = init(invocation.folder / (folder or "."), ci=ci, deploy=deploy, has_key=has_key)
    filled = ""
    try:
        if begun.to_fill:
            filled = _fill(replace(invocation, within=invocation.folder / (folder or ".")))
    finally:
        # List the files also if the remote then fails.
        write_stdout(_told(begun, folder, filled, invocation.console.width))
    return 0


def _fill(invocation: Invocation) -> str:
    """Fill the empty catalogue from the remote; return a line that says so."""
    from reconciler.cli.signals import stopping
    from reconciler.reconcile.init import fill
    from reconciler.report.words import plural

    stop = Event()
    # `init` has no --store, so the one that the settings give counts.
    target = Target(None, None, False)
    with stopping(stop, invocation.console), target.open(invocation, stop) as store:
        count = fill(store)
    invocation.progress.finish()
    return f"{'pulled':<14} {plural(count, 'product')}"


def _told(begun: "Beginning", folder: Path | None, filled: str, width: int | None) -> str:
    from reconciler.report.escape import escape
    from reconciler.wording import wrapped

    lines = [f"{_WORDS[fate]:<14} {escape(path)}" for path, fate in begun.files]
    lines += [filled] if filled else []
    lines += [""] if begun.notes else []
    for note in begun.notes:
        lines += wrapped(f"Note: {escape(note)}", width, hang="  ")
    # Quoted for the shell first: the line is meant to be copied.
    at = f", in {escape(shlex.quote(str(folder)))}" if folder and folder != Path() else ""
    lines += ["", f"Next{at}:"]
    lines += [f"  {line}" for line in begun.commands]
    return "\n".join([*lines, ""])
