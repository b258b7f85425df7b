"""What git's index knows about a catalogue's folder and the folder itself does not show.

A working tree may lack files that its commit has: a sparse checkout leaves them out, and a
submodule may not be checked out. Their products would look like products that nobody declares.
Other files are not compared with the commit, because git was told to take them as unchanged.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from reconciler.catalog.files import belongs
from reconciler.catalog.names import shown_name
from reconciler.catalog.worktrees import SUBMODULE, WorkTrees
from reconciler.codes import Code
from reconciler.model import Names
from reconciler.yamltext.findings import Faults, Findings

_NAMED: Final = 20
"""How many absent files are findings of their own."""
_SPARSE: Final = (
    "This file of the commit is not in the working tree because of a sparse checkout. Bring it "
    "back, or its products count as declared nowhere: `git sparse-checkout disable`, or `add` its "
    "folder."
)
_UNPOPULATED: Final = (
    "This submodule is not checked out. Bring its files, or their products count as declared "
    "nowhere: `git submodule update --init` (in a pipeline, let the checkout take submodules)."
)


class Absent(NamedTuple):
    """A file, or a submodule, of the commit that the folder lacks: its way below, and why."""

    below: str
    reason: str


def report_absent(folder: Path, trees: WorkTrees, names: Names, findings: Findings) -> None:
    """Report the files of the commit that would be read and are not there, as errors."""
    absent = list(absent_below(folder, trees))
    # A sparse checkout may leave out thousands of files.
    for below, reason in absent[:_NAMED]:
        Faults(names.of(shown_name(below)), findings).error(Code.ABSENT_FILE, reason)
    if len(absent) > _NAMED:
        message = f"{len(absent) - _NAMED} more files are absent like those that are named."
        Faults(names.root, findings).error(Code.ABSENT_FILE, message)


def absent_below(folder: Path, trees: WorkTrees) -> Iterator[Absent]:
    """What the commit has and `folder` lacks; nothing outside a checkout."""
    for entry in trees.index(folder):
        path = folder / entry.below
        if entry.mode == SUBMODULE:
            # Named like a file in it: below a hidden folder nothing is read.
            if not belongs(f"{entry.below}/a.yaml".removeprefix("/")):
                continue
            if not entry.below or not (path / ".git").exists():
                yield Absent(entry.below, _UNPOPULATED)
                continue
            for below, reason in absent_below(path, trees):
                yield Absent(f"{entry.below}/{below}", reason)
        # Only skip-worktree (S, or s if also assume-unchanged) is left out on purpose; a deleted
        # file is an edit.
        elif entry.letter in "Ss" and belongs(entry.below) and not os.path.lexists(path):
            yield Absent(entry.below, _SPARSE)
