"""Which git revision a catalogue's folder is at, as far as that can be told."""

import subprocess
from dataclasses import replace
from pathlib import Path

from reconciler.model import Catalog

_PATIENCE = 20.0


def with_revision(catalog: Catalog, folder: Path) -> Catalog:
    """`catalog` with the commit of its folder, and whether files in it differ from that commit.

    Both are None outside a git checkout, or where git is not to be had: neither is an error.
    """
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return catalog
    changes = _git(folder, "status", "--porcelain", "--", ".")
    return replace(catalog, commit=commit, dirty=None if changes is None else bool(changes))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  (a list of arguments, no shell)
            ["git", "--no-optional-locks", *arguments],  # noqa: S607  (git is where the user has it)
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()
