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
from reconciler.codes import Code
from reconciler.errors import GitError
from reconciler.git import Git
from reconciler.model import Names
from reconciler.yamltext.findings import Faults, Findings

_SUBMODULE: Final = "160000"
_PATIENCE: Final = 20.0
"""Seconds to wait for the index."""
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


class IndexEntry(NamedTuple):
    """One entry of the index: git's letter for it, its mode, and its way below the folder."""

    letter: str
    mode: str
    below: str


def report_absent(folder: Path, names: Names, findings: Findings) -> None:
    """Report the files of the commit that would be read and are not there, as errors."""
    absent = list(absent_below(folder))
    # A sparse checkout may leave out thousands of files.
    for below, reason in absent[:_NAMED]:
        Faults(names.of(shown_name(below)), findings).error(Code.ABSENT_FILE, reason)
    if len(absent) > _NAMED:
        message = f"{len(absent) - _NAMED} more files are absent like those that are named."
        Faults(names.root, findings).error(Code.ABSENT_FILE, message)


def absent_below(folder: Path) -> Iterator[Absent]:
    """What the commit has and `folder` lacks; nothing outside a checkout."""
    for entry in index_of(folder):
        path = folder / entry.below
        if entry.mode == _SUBMODULE:
            # Named like a file in it: below a hidden folder nothing is read.
            if not belongs(f"{entry.below}/a.yaml".removeprefix("/")):
                continue
            if not entry.below or not (path / ".git").exists():
                yield Absent(entry.below, _UNPOPULATED)
                continue
            for below, reason in absent_below(path):
                yield Absent(f"{entry.below}/{below}", reason)
        # Only skip-worktree (S, or s if also assume-unchanged) is left out on purpose; a deleted
        # file is an edit.
        elif entry.letter in "Ss" and belongs(entry.below) and not os.path.lexists(path):
            yield Absent(entry.below, _SPARSE)


def taken_as_unchanged(folder: Path) -> bool:
    """Whether git was told not to look at a file of the catalogue that is there."""
    return any(
        # `git status` calls such a file clean, whatever is in it.
        (entry.letter == "S" or entry.letter.islower())
        and belongs(entry.below)
        and os.path.lexists(folder / entry.below)
        for entry in index_of(folder)
    )


def index_of(folder: Path) -> Iterator[IndexEntry]:
    """The entries of the index at and below `folder`; none if git cannot tell."""
    try:
        answer = Git(folder, timeout=_PATIENCE).run("ls-files", "-z", "-v", "--stage", "--", ".")
    # A catalogue need not be in git, and may be read without it.
    except GitError:
        return
    if answer.code != 0:
        return
    for line in answer.output.split(b"\0"):
        about, _, path = line.partition(b"\t")
        if path:
            letter, mode, *_ = about.decode().split()
            # A submodule that is not checked out, seen from within, is "./".
            below = os.fsdecode(path)
            yield IndexEntry(letter, mode, "" if below == "./" else below)
