"""What git says of a catalogue's folder as it is now: its commit, and what its index has there.

A git command costs as much as planning a small shop. So a run over many catalogues of one work tree
asks once for all of them, and again after a moment.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Final, Generic, NamedTuple, TypeVar

from reconciler.catalog.files import belongs
from reconciler.clock import Clock, SystemClock
from reconciler.errors import GitError
from reconciler.git import Git, advice_on
from reconciler.model import Catalog

_Answer = TypeVar("_Answer")

SUBMODULE: Final = "160000"
"""The mode of a submodule."""
_PATIENCE: Final = 20.0
"""Seconds to wait for git, whose answers are worth less than a plan itself."""
_MOMENT: Final = 5.0
"""Seconds for which an answer about many folders serves."""
_REST: Final = 10
"""It serves so many times as long as it took: in a large work tree git would else never rest."""
_FILES: Final = (b"H 100", b"H 120")
"""How files and links begin in the index, if git was told nothing special of them."""
_OWN: Final = (".git", "HEAD")
"""What a folder has that git takes for a work tree or for a bare repository."""


class IndexEntry(NamedTuple):
    """An entry of the index: git's letter for it, its mode, and its path below a folder."""

    letter: str
    mode: str
    below: str


class Revision(NamedTuple):
    """The commit that a folder is at, and whether files in it differ from that commit.

    Both are None outside a git checkout, or if git is not to be had: neither is an error.
    `advice` says what to do if there is a commit and git refuses to tell.
    """

    commit: str | None = None
    dirty: bool | None = None
    advice: str | None = None

    def of(self, catalog: Catalog) -> Catalog:
        """`catalog` at this revision."""
        return replace(catalog, commit=self.commit, dirty=self.dirty)


class _Index(NamedTuple):
    """The entries that are not plainly files, and all folders with any; None if git cannot tell."""

    entries: tuple[IndexEntry, ...] = ()
    folders: frozenset[str] | None = None


class _Changes(NamedTuple):
    """The commit of a folder, and the paths below it that differ; None if git cannot tell.

    `unknown` are the files that the commit lacks, ignored ones too.
    """

    commit: str | None = None
    known: tuple[str, ...] | None = None
    unknown: tuple[str, ...] = ()
    advice: str | None = None


class WorkTrees:
    """Asks git about folders. Thread-safe.

    If `common` is given, the folders below it that are in the same repository share answers, which
    are a few seconds old at the most.
    """

    def __init__(self, common: Path | None = None, clock: Clock | None = None) -> None:
        self._common = None if common is None else Path(os.path.realpath(common))
        clock = clock or SystemClock()
        self._index = _Shared(_index_of, clock)
        self._changes = _Shared(_changes_of, clock)

    def index(self, folder: Path) -> list[IndexEntry]:
        """The entries at and below `folder` that are not plainly files; none if git cannot tell."""
        common, way = self._asked(folder)
        told = _index_of(folder) if common is None else self._index(common)
        return [
            entry._replace(below=below)
            for entry in told.entries
            if (below := _below(entry.below, way)) is not None
        ]

    def revision(self, folder: Path) -> Revision:
        """The revision that `folder` is at now."""
        common, way = self._asked(folder)
        told = _changes_of(folder) if common is None else self._changes(common)
        if told.known is None:
            # Without an answer the catalogue counts neither as clean nor as changed.
            return Revision(told.commit, advice=told.advice)
        # What the commit has counts by any name, since it may be a link or a submodule; what it
        # lacks counts if a catalogue reads it.
        dirty = (
            any(True for _ in _all_below(told.known, way))
            or any(map(belongs, _all_below(told.unknown, way)))
            or self._taken_as_unchanged(folder)
        )
        return Revision(told.commit, dirty)

    def _taken_as_unchanged(self, folder: Path) -> bool:
        """Whether git was told not to look at a file of the catalogue that is there."""
        return any(
            # `git status` calls such a file clean, whatever is in it.
            (entry.letter == "S" or entry.letter.islower())
            and belongs(entry.below)
            and os.path.lexists(folder / entry.below)
            for entry in self.index(folder)
        )

    def _asked(self, folder: Path) -> tuple[Path | None, str]:
        """The folder that git is asked about for `folder`, and the way from there to it.

        None for `folder` itself, as it must be if it is in another repository.
        """
        if self._common is None:
            return None, ""
        real = Path(os.path.realpath(folder))
        if not real.is_relative_to(self._common):
            return None, ""
        inner = (real, *real.parents)[: len(real.parts) - len(self._common.parts)]
        if any(os.path.lexists(each / name) for each in inner for name in _OWN):
            return None, ""
        way = real.relative_to(self._common).as_posix() if inner else ""
        folders = self._index(self._common).folders
        # A file system may take a name in other letters than git's, which only git can match.
        return (self._common, way) if folders is None or way in folders else (None, "")


class _Shared(Generic[_Answer]):
    """Answers about one folder, asked for anew when they have served their time. Thread-safe."""

    def __init__(self, ask: Callable[[Path], _Answer], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = Lock()
        self._answer: _Answer | None = None
        self._until = 0.0

    def __call__(self, folder: Path) -> _Answer:
        with self._lock:
            began = self._clock.now()
            if self._answer is None or began >= self._until:
                self._answer = self._ask(folder)
                took = self._clock.now() - began
                self._until = began + max(_MOMENT, _REST * took)
            return self._answer


def _index_of(folder: Path) -> _Index:
    try:
        answer = Git(folder, timeout=_PATIENCE).run("ls-files", "-z", "-v", "--stage", "--", ".")
    # A catalogue need not be in git, and may be read without it.
    except GitError:
        return _Index()
    if answer.code != 0:
        return _Index()
    found, folders = [], {""}
    for line in answer.output.split(b"\0"):
        about, _, name = line.partition(b"\t")
        path = os.fsdecode(name)
        # Nearly all are passed over here, and there may be hundreds of thousands.
        if not about.startswith(_FILES) and path:
            letter, mode, *_ = about.decode().split()
            # A submodule that is not checked out, seen from within, is "./".
            found.append(IndexEntry(letter, mode, "" if path == "./" else path))
        while (path := path.rpartition("/")[0]) not in folders:
            folders.add(path)
    return _Index(tuple(found), frozenset(folders))


def _changes_of(folder: Path) -> _Changes:
    git = Git(folder, timeout=_PATIENCE)
    try:
        told = git.run("rev-parse", "--show-prefix", "HEAD^{commit}")
        if told.code != 0:
            return _Changes(advice=advice_on(told))
        prefix, _, commit = os.fsdecode(told.output).rstrip("\n").rpartition("\n")
        # Files that git passes over are read all the same, so they count as changes; and without
        # `-z` git would put odd names in quotes.
        changes = git.run(
            *("status", "--porcelain", "-z", "--untracked-files=all", "--ignored=traditional"),
            *("--ignore-submodules=none", "--no-renames", "--", "."),
        )
    except GitError:
        return _Changes()
    if changes.code != 0:
        return _Changes(commit)
    known: list[str] = []
    unknown: list[str] = []
    for line in os.fsdecode(changes.output).split("\0"):
        if line:
            paths = unknown if line.startswith(("?? ", "!! ")) else known
            paths.append(line[3:].removeprefix(prefix))
    return _Changes(commit, tuple(known), tuple(unknown))


def _all_below(paths: Iterable[str], way: str) -> Iterator[str]:
    return (below for path in paths if (below := _below(path, way)) is not None)


def _below(path: str, way: str) -> str | None:
    """`path` as seen from the folder `way`: "" for that folder itself, None outside of it."""
    if not way or path == way:
        return path[len(way) :]
    return path[len(way) + 1 :] if path.startswith(f"{way}/") else None
