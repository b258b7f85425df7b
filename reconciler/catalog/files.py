"""Which files make a catalogue, in which order, and what keeps one from being read.

Every `*.yaml` and `*.yml` at any depth, except below or with names that start with `.` or `_`. A
link is followed if what it names lies inside the catalogue and is not read under its own name
already: so no file is read twice and no ring of links is walked twice. A link that is a
`_defaults.yaml` is always followed, since defaults are meant for the folder that holds them.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from reconciler.catalog.names import shown_name
from reconciler.codes import Code
from reconciler.model import Names
from reconciler.yamltext.findings import Faults, Findings

DEFAULTS_NAMES: Final = ("_defaults.yaml", "_defaults.yml")
_SUFFIXES: Final = (".yaml", ".yml")
_HIDDEN: Final = (".", "_")
_DEFAULTS: Final = "_defaults."
_LOOKALIKE: Final = re.compile(r"\.ya?ml(?:\.txt)?\s*$", re.IGNORECASE)
_UNREAD: Final = (
    "This file is not read, since its name does not end in .yaml or .yml, in small letters. Rename "
    "it; if it is not part of the catalogue, begin its name with an underscore."
)
_MEBIBYTE: Final = 1024 * 1024
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
"""Windows would else change line breaks, which locations count."""


class FoundFile(NamedTuple):
    """A file to read: its way below the catalogue's folder, its name in messages, its real path."""

    below: str
    name: str
    path: str


def is_defaults(name: str) -> bool:
    """Whether the file `name` gives defaults to its folder."""
    return name.rpartition("/")[2] in DEFAULTS_NAMES


def belongs(relative_name: str) -> bool:
    """Whether a catalogue reads this file, named relative to the catalogue with `/` between."""
    *folders, file = relative_name.split("/")
    if any(folder.startswith(_HIDDEN) for folder in folders):
        return False
    return _is_catalog_file(file)


def find_files(folder: Path, names: Names, findings: Findings) -> list[FoundFile]:
    """The catalogue's files below `folder`, sorted; links that leave it are findings."""
    # Resolved once: paths are compared to tell what was read already.
    walk = _Walk(folder.resolve(), names, findings)
    walk.folder(folder.resolve(), "")
    while walk.links:
        links, walk.links = sorted(walk.links), []
        for below, path in links:
            walk.link(below, path)
    return sorted(walk.found)


def read_bytes(file: FoundFile, max_bytes: int, findings: Findings) -> bytes | None:
    """The content of `file`; None, with a finding, if it cannot be read or is too large."""
    faults = Faults(file.name, findings)
    try:
        # One byte more than allowed tells that it is too large without reading all of it.
        data = _content(file.path, max_bytes + 1)
    except OSError as error:
        report_unreadable(error, faults)
        return None
    return data if is_small_enough(data, max_bytes, faults) else None


def _content(path: str, most: int) -> bytes:
    """The first `most` bytes of a file.

    Without the objects that `open` makes around a file: a catalogue may have one for each product.
    """
    descriptor = os.open(path, os.O_RDONLY | _BINARY)
    try:
        # A file is mostly as large as it says: one look for more, and that is all.
        data = os.read(descriptor, min(most, os.fstat(descriptor).st_size + 1))
        while len(data) < most and (more := os.read(descriptor, min(most - len(data), _MEBIBYTE))):
            data += more
        return data
    finally:
        os.close(descriptor)


def is_small_enough(data: bytes, max_bytes: int, faults: Faults) -> bool:
    """Whether `data` is at most `max_bytes` long; reported if it is."""
    if len(data) <= max_bytes:
        return True
    limit = f"{max_bytes / _MEBIBYTE:g} MiB" if max_bytes >= _MEBIBYTE else f"{max_bytes} bytes"
    message = f"The file is larger than {limit}. Split it into several files."
    faults.error(Code.FILE_TOO_LARGE, message)
    return False


def report_unreadable(error: OSError | RuntimeError, faults: Faults) -> None:
    """Report what the operating system said."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "cannot be read"
    message = f"Cannot be read: {reason}. Fix its permissions, or remove it."
    faults.error(Code.UNREADABLE_FILE, message)


class _Walk:
    """One walk over a catalogue's folders. Paths are real paths: links are put off to the end."""

    def __init__(self, root: Path, names: Names, findings: Findings) -> None:
        self.found: list[FoundFile] = []
        self.links: list[tuple[str, Path]] = []
        self._root = root
        self._names = names
        self._findings = findings
        self._folders: set[Path] = set()
        self._files: set[str] = set()

    def folder(self, path: Path, below: str) -> None:
        """Collect the files in and below the real folder `path`, which is `below` the catalogue."""
        pending = [(path, below)]
        while pending:
            path, below = pending.pop()
            if path in self._folders:
                continue
            self._folders.add(path)
            for entry in self._entries(path, below):
                inner = f"{below}/{shown_name(entry.name)}" if below else shown_name(entry.name)
                if entry.is_symlink():
                    self.links.append((inner, Path(entry.path)))
                elif entry.is_dir():
                    pending.append((Path(entry.path), inner))
                elif _is_catalog_file(entry.name):
                    # The folder tells what most entries are, so they need not be asked.
                    self._file(entry.path, inner, is_regular=entry.is_file(follow_symlinks=False))
                elif _looks_like_one(entry.name):
                    self._faults(inner).warning(Code.UNREAD_FILE, _UNREAD)

    def link(self, below: str, path: Path) -> None:
        """Follow a link, unless it leaves the catalogue or names what is read already."""
        faults = self._faults(below)
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):  # a ring of links is a RuntimeError before Python 3.13
            if _is_catalog_file(path.name):
                message = "The link leads to nothing. Remove it, or fix what it names."
                faults.error(Code.UNREADABLE_FILE, message)
            return
        is_folder = target.is_dir()
        if not is_folder and not _is_catalog_file(path.name):
            if _looks_like_one(path.name):
                faults.warning(Code.UNREAD_FILE, _UNREAD)
            return
        if not target.is_relative_to(self._root):
            # A branch could else read files of the machine that runs its pipeline.
            message = "The link leaves the catalogue. Move what it names into the catalogue."
            faults.error(Code.OUTSIDE_CATALOG, message)
        elif is_folder:
            self.folder(target, below)
        else:
            self._file(str(target), below, is_regular=target.is_file())

    def _file(self, path: str, below: str, *, is_regular: bool) -> None:
        """Collect one file once, if it is one: a pipe or a device could keep the reader waiting."""
        if path in self._files and not is_defaults(below):
            return
        if not is_regular:
            message = "Not an ordinary file (a pipe, socket or device). Remove or rename it."
            self._faults(below).error(Code.UNREADABLE_FILE, message)
            return
        self._files.add(path)
        self.found.append(FoundFile(below, self._names.of(below), path))

    def _faults(self, below: str) -> Faults:
        return Faults(self._names.of(below), self._findings)

    def _entries(self, path: Path, below: str) -> Iterator["os.DirEntry[str]"]:
        """What stands in a folder, without what is hidden, by name."""
        try:
            with os.scandir(path) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            report_unreadable(error, self._faults(below))
            return
        for entry in entries:
            hidden = entry.name.startswith(_HIDDEN) and entry.name not in DEFAULTS_NAMES
            # A misspelled `_defaults.YAML` is hidden, and should be told all the same.
            if not hidden or (_looks_like_one(entry.name) and entry.is_file()):
                yield entry


def _looks_like_one(name: str) -> bool:
    """Whether a file that is not read was probably meant to be, by its name."""
    if name.startswith(_HIDDEN) and not name.lower().startswith(_DEFAULTS):
        return False
    return _LOOKALIKE.search(name) is not None and not _is_catalog_file(name)


def _is_catalog_file(name: str) -> bool:
    if name.startswith(_HIDDEN):
        return name in DEFAULTS_NAMES
    return name.endswith(_SUFFIXES)
