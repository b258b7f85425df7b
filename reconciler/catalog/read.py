"""Reading a catalogue: from a folder or from bytes, all faults of all files in one run.

The `_defaults.yaml` files are read before all others, which may be read side by side (see `parts`);
what they say is put together in the order of their names. A fault never stops the reading; only at
the end does a catalogue with errors become a CatalogError.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from reconciler.catalog.checkout import report_absent
from reconciler.catalog.files import (
    FoundFile,
    belongs,
    find_files,
    is_defaults,
    is_small_enough,
    read_bytes,
)
from reconciler.catalog.locate import Locator
from reconciler.catalog.names import name_of, names_between
from reconciler.catalog.parts import Part, PartReader
from reconciler.catalog.paths import Asked, ways_below
from reconciler.catalog.unique import Declared
from reconciler.catalog.worktrees import WorkTrees
from reconciler.codes import Code
from reconciler.errors import CatalogError
from reconciler.interpreter import in_turn, paused
from reconciler.linting.registry import CATALOG_RULESET, TAG_RULE, Ruleset, lint_catalog
from reconciler.model import Catalog, Finding, Location, Names
from reconciler.yamltext.findings import Faults, Findings

MAX_BYTES: Final = 64 * 1024 * 1024
"""The size of the largest file that is read, in bytes."""

CountProducts = Callable[[int], None]
"""Called as parts of the files are read, in their order, with the number of products so far."""


def load_catalog(
    folder: Path,
    *,
    working_folder: Path | None = None,
    max_bytes: int = MAX_BYTES,
    progress: CountProducts | None = None,
    lint: Ruleset = CATALOG_RULESET,
) -> Catalog:
    """The catalogue in `folder`, complete and without errors; its warnings are in it.

    Files are named relative to `working_folder` (the current folder if it is None). Of the
    rules about the catalogue as a whole only those that `lint` sets to error are run. Many files
    are read by several processes, on Linux and if no other thread runs. Raises CatalogError with
    all findings, sorted, if any of them is an error.
    """
    with _begun(folder, working_folder or Path.cwd(), max_bytes, progress) as read:
        return read().catalog(lint)


@contextmanager
def loading_catalog(
    folder: Path,
    *,
    working_folder: Path | None = None,
    lint: Ruleset = CATALOG_RULESET,
    trees: WorkTrees | None = None,
) -> Iterator[Callable[[], Catalog]]:
    """What `load_catalog` gives, read by other processes while the block does something else.

    They are made before the block begins, since beside other threads none can be; without any, it
    is read when the block asks for it. To be asked for within the block. `trees` is what asks git.
    """
    # Not alone: the list is fetched meanwhile, so even one part is worth a process.
    with _begun(folder, working_folder or Path.cwd(), alone=False, trees=trees) as read:
        yield lambda: read().catalog(lint)


def load_sources(
    sources: Iterable[tuple[str, bytes]],
    *,
    root: str | Names = "",
    max_bytes: int = MAX_BYTES,
    lint: Ruleset = CATALOG_RULESET,
) -> Catalog:
    """The catalogue made of these files, each a name with `/` between its parts, and its bytes.

    `root` is the catalogue's folder within those names, or what knows how they are made; names
    that a catalogue does not read are passed over. Read so, the files of a folder have the digest
    that `load_catalog` gives them. Raises CatalogError as `load_catalog` does.
    """
    names = root if isinstance(root, Names) else Names(root)
    chosen = [
        (below, data)
        for name, data in sources
        if (below := names.below(name)) is not None and belongs(below)
    ]
    # The order in which sources come must not decide which of two declarations is the first (P8).
    chosen.sort(key=lambda file: _reading_order(file[0]))

    def content(position: int, findings: Findings) -> bytes | None:
        below, data = chosen[position]
        faults = Faults(names.of(below), findings)
        return data if is_small_enough(data, max_bytes, faults) else None

    reader = PartReader(names, [below for below, _ in chosen], content)
    with paused(), reader.parts(len(data) for _, data in chosen) as parts:
        return _Reading(names, reader).read(parts).catalog(lint)


def examine_catalog(
    folder: Path,
    paths: Iterable[Path] | None = None,
    *,
    working_folder: Path | None = None,
    max_bytes: int = MAX_BYTES,
    lint: Ruleset = CATALOG_RULESET,
) -> tuple[tuple[Finding, ...], Catalog]:
    """All findings about the catalogue in `folder`, sorted, and what could be read of it.

    Never raises for its faults.
    With `paths`, files or folders, only what concerns them, although everything is read: a
    store_id that one of them shares with another file is found, wherever it is placed. A path
    that is not there, or that no catalogue reads, is a finding itself.
    """
    working = working_folder or Path.cwd()
    with _begun(folder, working, max_bytes) as read:
        reading = read()
    reading.lint(lint, errors_only=False)
    if paths is None or not (working / folder).is_dir():
        return tuple(lint.judged(reading.findings.sorted())), reading.whole()
    # All files are read even so: a store_id may be declared twice across files.
    asked = Asked(paths, working)
    missed = asked.missed(reading.files())
    for path in asked.paths:
        faults = Faults(name_of(path, working), reading.findings)
        _check_path(path, faults, working / folder, is_read=path not in missed)
    return tuple(lint.judged(reading.findings.sorted(asked.covers))), reading.whole()


@contextmanager
def _begun(
    folder: Path,
    working_folder: Path,
    max_bytes: int = MAX_BYTES,
    progress: CountProducts | None = None,
    *,
    alone: bool = True,
    trees: WorkTrees | None = None,
) -> Iterator[Callable[[], "_Reading"]]:
    """A reading of the catalogue in `folder`, begun, and made whole when the block asks for it."""
    folder = working_folder / folder
    names = names_between(folder, working_folder)
    findings = Findings()
    files: list[FoundFile] = []
    if folder.is_dir():
        files = sorted(
            find_files(folder, names, findings), key=lambda file: _reading_order(file.below)
        )
    else:
        what = "is not a folder" if folder.exists() else "does not exist"
        message = (
            f"The catalogue folder {names.root} {what}. Make one with `init`, or name another."
        )
        Faults(names.root, findings).error(Code.NO_CATALOG, message)

    def content(position: int, found: Findings) -> bytes | None:
        return read_bytes(files[position], max_bytes, found)

    reader = PartReader(names, [file.below for file in files], content)
    with paused(), reader.parts(map(_size, files), alone=alone) as parts:
        reading = _Reading(names, reader)
        reading.findings.update(findings)
        if folder.is_dir():
            # A file that the checkout left out would look like products to delete (P3).
            report_absent(folder, trees or WorkTrees(), names, reading.findings)
        yield lambda: reading.read(parts, progress)


class _Reading:
    """The contents of all files, put together; files are known by their paths below the folder."""

    def __init__(self, names: Names, reader: PartReader) -> None:
        self.findings = Findings()
        self._names = names
        self._reader = reader
        self._declared = Declared()
        self._digests: dict[str, bytes] = {}
        self._used: set[int] = set()
        self._unused: list[tuple[str, Location]] = []
        self._meet_tag = TAG_RULE.check()

    def read(self, parts: Iterable[Part], progress: CountProducts | None = None) -> Self:
        """Take in all parts; then check what products say against each other."""
        self._take(self._reader.defaults)
        products = 0
        with in_turn():
            for part in parts:
                self._take(part)
                products += len(part.products)
                if progress is not None:
                    progress(products)
        self._declared.check(self.findings)
        return self

    def files(self) -> set[str]:
        """The names of all files that were read, or could not be."""
        read = map(self._names.of, self._digests)
        told = (
            finding.location
            for finding in self.findings.sorted()
            # Such a file was seen and passed over, so a path to it is told as not checked.
            if finding.code is not Code.UNREAD_FILE
        )
        return {*read, *(location.file for location in told if location)}

    def lint(self, ruleset: Ruleset, *, errors_only: bool) -> None:
        """Run the rules about the catalogue as a whole."""
        # What could not be read may well use a default.
        whole = not any(finding.severity == "error" for finding in self.findings.sorted())
        read = self.whole(unused=self._unused_defaults() if whole else ())
        locate = Locator(self._names, self._reader.below, self._reader.read_again)
        for finding, about in lint_catalog(read, ruleset, errors_only=errors_only, locate=locate):
            self.findings.add(finding, about)

    def catalog(self, ruleset: Ruleset) -> Catalog:
        """What was read; raises CatalogError if there are errors."""
        self.lint(ruleset, errors_only=True)
        findings = tuple(ruleset.judged(self.findings.sorted()))
        if any(finding.severity == "error" for finding in findings):
            raise CatalogError(findings, hint="Fix the files at the locations named.")
        return self.whole(findings, self._unused_defaults())

    def _take(self, part: Part) -> None:
        """Put the next part to those before it."""
        self._declared.add(part.products)
        self._digests.update(part.digests)
        self.findings.update(part.findings)
        self._used.update(part.used)
        self._unused += part.unused
        # Processes cannot see each other's tags, so spellings are compared here.
        for tag, location in part.tags:
            if hit := self._meet_tag(tag, location):
                finding = Finding("warning", TAG_RULE.code, hit.message, location)
                self.findings.add(finding, hit.about)

    def _unused_defaults(self) -> tuple[tuple[str, Location], ...]:
        """The defaults that no product took: each field with its location."""
        given = enumerate(self._reader.folder_defaults)
        return (*(default for number, default in given if number not in self._used), *self._unused)

    def whole(
        self,
        findings: tuple[Finding, ...] = (),
        unused: tuple[tuple[str, Location], ...] = (),
    ) -> Catalog:
        """All that was read, whatever faults there are."""
        return Catalog(
            products=MappingProxyType(self._declared.products),
            files=tuple(sorted(map(self._names.of, self._digests))),
            digest=self._digest(),
            warnings=findings,
            unused_defaults=unused,
            names=self._names,
        )

    def _digest(self) -> str:
        """The SHA-256 over the sorted files: name below the catalogue's folder, and content."""
        total = hashlib.sha256()
        for below, digest in sorted(self._digests.items()):
            # The zero keeps a name and the content after it apart.
            total.update(below.encode() + b"\0" + digest)
        return total.hexdigest()


def _size(file: FoundFile) -> int:
    """How large a file says it is; 0 if it is gone, which its reader will tell."""
    try:
        return os.stat(file.path).st_size  # noqa: PTH116  (a Path for each file is felt)
    except OSError:
        return 0


def _check_path(path: Path, faults: Faults, folder: Path, *, is_read: bool) -> None:
    """Report a path that was asked for and that nothing was, or could have been, read from."""
    if not path.exists():
        message = "There is no such file or folder, so nothing was checked. Fix the path."
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
