"""Reading a catalogue: from a folder or from bytes, all faults of all files in one run.

Files are read in the order of their names, the `_defaults.yaml` files before all others. A fault
never stops the reading; only at the end does a catalogue with errors become a CatalogError.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Final

from reconciler.catalog.asked import Asked, ways_below
from reconciler.catalog.faults import Faults, Findings
from reconciler.catalog.files import (
    belongs,
    find_files,
    is_defaults,
    is_small_enough,
    read_bytes,
)
from reconciler.catalog.places import Names, name_of
from reconciler.catalog.products import NO_DEFAULTS, Defaults, FileReader, nearest
from reconciler.catalog.source import decode
from reconciler.catalog.unique import Declared
from reconciler.catalog.values import Memory
from reconciler.codes import Code
from reconciler.errors import CatalogError
from reconciler.interpreter import paused
from reconciler.linting.registry import DEFAULT_LEVELS, Levels, lint_catalog
from reconciler.model import Catalog, Finding, Location

MAX_BYTES: Final = 64 * 1024 * 1024
"""The size of the largest file that is read, in bytes."""

Progress = Callable[[int], None]
"""Called after each file with the number of products read so far."""


def load_catalog(
    folder: Path,
    *,
    working_folder: Path | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
    lint: Levels = DEFAULT_LEVELS,
) -> Catalog:
    """The catalogue in `folder`, complete and without errors; its warnings are in it.

    Files are named relative to `working_folder` (the current folder where it is None). Of the
    rules about the catalogue as a whole only those that `lint` sets to error are run. Raises
    CatalogError with all findings, sorted, where any of them is an error.
    """
    reading = _read_folder(folder, working_folder or Path.cwd(), max_bytes, progress)
    return reading.catalog(lint)


def load_sources(
    sources: Iterable[tuple[str, bytes]],
    *,
    root: str | Names = "",
    max_bytes: int = MAX_BYTES,
    lint: Levels = DEFAULT_LEVELS,
) -> Catalog:
    """The catalogue made of these files, each a name with `/` between its parts, and its bytes.

    `root` is the catalogue's folder within those names, or what knows how they are made; names
    that a catalogue does not read are passed over. Read so, the files of a folder have the digest
    that `load_catalog` gives them. Raises CatalogError as `load_catalog` does.
    """
    names = root if isinstance(root, Names) else Names(root)
    reading = _Reading(names)
    chosen = (
        (below, data)
        for name, data in sources
        if (below := names.below(name)) is not None and belongs(below)
    )
    with paused():
        for below, data in sorted(chosen, key=lambda file: _reading_order(file[0])):
            if is_small_enough(data, max_bytes, reading.faults(below)):
                reading.add(below, data)
    reading.finish()
    return reading.catalog(lint)


def check_catalog(
    folder: Path,
    paths: Iterable[Path] | None = None,
    *,
    working_folder: Path | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
    lint: Levels = DEFAULT_LEVELS,
) -> tuple[Finding, ...]:
    """All findings about the catalogue in `folder`, sorted; never raises for its faults.

    With `paths`, files or folders, only what concerns them, although everything is read: a
    store_id that one of them shares with another file is found, wherever it is placed. A path
    that is not there, or that no catalogue reads, is a finding itself.
    """
    working = working_folder or Path.cwd()
    reading = _read_folder(folder, working, max_bytes, progress)
    reading.lint(lint, errors_only=False)
    if paths is None or not (working / folder).is_dir():
        return tuple(lint.judged(reading.findings.sorted()))
    asked = Asked(paths, working)
    missed = asked.missed(reading.files())
    for path in asked.paths:
        faults = Faults(name_of(path, working), reading.findings)
        _check_path(path, faults, working / folder, is_read=path not in missed)
    return tuple(lint.judged(reading.findings.sorted(asked.covers)))


class _Reading:
    """One reading under way. It knows files by their way below the catalogue's folder."""

    def __init__(self, names: Names) -> None:
        self.findings = Findings()
        self.products_read = 0
        self._names = names
        self._memory = Memory()
        self._declared = Declared()
        self._digests: dict[str, bytes] = {}
        self._defaults: dict[str, tuple[str, Defaults]] = {}
        self._chains: dict[str, Defaults] = {}

    def faults(self, below: str) -> Faults:
        """Where the faults of a file are told."""
        return Faults(self._names.of(below), self.findings)

    def files(self) -> set[str]:
        """The names of all files that were read, or could not be."""
        read = map(self._names.of, self._digests)
        told = (finding.location for finding in self.findings.sorted())
        return {*read, *(place.file for place in told if place)}

    def add(self, below: str, data: bytes) -> None:
        """Read one file; those with defaults come before all others."""
        self._digests[below] = hashlib.sha256(data).digest()
        faults = self.faults(below)
        source = decode(data, faults)
        if source is None:
            return
        folder = below.rpartition("/")[0]
        if is_defaults(below):
            values = FileReader(faults, self._memory).folder_defaults(source)
            other, _ = self._defaults.setdefault(folder, (faults.file, values))
            if other != faults.file:
                message = f"The folder has defaults already, in {other}. Keep one of the files."
                faults.error(Code.DUPLICATE_KEY, message)
            return
        reader = FileReader(faults, self._memory, self._defaults_of(folder))
        products = reader.products(source)
        self.products_read += len(products)
        self._declared.add(products)

    def finish(self) -> None:
        """Check what products say against each other."""
        self._declared.check(self.findings)

    def lint(self, levels: Levels, *, errors_only: bool) -> None:
        """Run the rules about the catalogue as a whole."""
        # What could not be read may well use a default.
        whole = not any(finding.severity == "error" for finding in self.findings.sorted())
        read = self._read(unused=self._memory.unused_defaults() if whole else ())
        for finding, about in lint_catalog(read, levels, errors_only=errors_only):
            self.findings.add(finding, about)

    def catalog(self, levels: Levels) -> Catalog:
        """What was read; raises CatalogError where there are errors."""
        self.lint(levels, errors_only=True)
        findings = tuple(levels.judged(self.findings.sorted()))
        if any(finding.severity == "error" for finding in findings):
            raise CatalogError(findings, hint="Mend the files at the places named.")
        return self._read(findings, self._memory.unused_defaults())

    def _read(
        self,
        findings: tuple[Finding, ...] = (),
        unused: tuple[tuple[str, Location], ...] = (),
    ) -> Catalog:
        return Catalog(
            products=MappingProxyType(self._declared.products),
            files=tuple(sorted(map(self._names.of, self._digests))),
            digest=self._digest(),
            warnings=findings,
            unused_defaults=unused,
            root=self._names.root,
        )

    def _digest(self) -> str:
        """The SHA-256 over the sorted files: name below the catalogue's folder, and content."""
        total = hashlib.sha256()
        for below, digest in sorted(self._digests.items()):
            total.update(below.encode() + b"\0" + digest)
        return total.hexdigest()

    def _defaults_of(self, folder: str) -> Defaults:
        """The defaults for files in `folder`: its own, then those of the folders above."""
        known = self._chains.get(folder)
        if known is None:
            _, own = self._defaults.get(folder, ("", NO_DEFAULTS))
            above = folder.rpartition("/")[0]
            known = nearest(own, self._defaults_of(above)) if folder else own
            self._chains[folder] = known
        return known


def _read_folder(
    folder: Path, working_folder: Path, max_bytes: int, progress: Progress | None
) -> _Reading:
    """Read all files of the catalogue in `folder`."""
    folder = working_folder / folder
    names = Names.between(folder, working_folder)
    reading = _Reading(names)
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        message = (
            f"The catalogue folder {names.root} {what}. Make one with `init`, or name another."
        )
        reading.faults("").error(Code.NO_CATALOG, message)
        return reading
    files = find_files(folder, names, reading.findings)
    with paused():
        for file in sorted(files, key=lambda file: _reading_order(file.below)):
            data = read_bytes(file, max_bytes, reading.findings)
            if data is not None:
                reading.add(file.below, data)
            if progress is not None:
                progress(reading.products_read)
    reading.finish()
    return reading


def _check_path(path: Path, faults: Faults, folder: Path, *, is_read: bool) -> None:
    """Report a path that was asked for and that nothing was, or could have been, read from."""
    if not path.exists():
        message = "There is no such file or folder, so nothing was checked. Mend the path."
        faults.error(Code.UNREADABLE_FILE, message)
    elif not (ways := ways_below(path, folder)):
        message = (
            "Not part of the catalogue, since it is not below its folder, so it was not checked. "
            "Move it there, or name another folder with --catalog."
        )
        faults.error(Code.OUTSIDE_CATALOG, message)
    elif not is_read and not (path.is_dir() and any(belongs(f"{way}/a.yaml") for way in ways)):
        message = (
            "Not part of the catalogue, so it was not checked: its files end in .yaml or .yml, and "
            "neither they nor their folders begin with a dot or an underscore. Rename it."
        )
        faults.error(Code.OUTSIDE_CATALOG, message)


def _reading_order(below: str) -> tuple[bool, str]:
    """Files with defaults before all others, then by name."""
    return not is_defaults(below), below
