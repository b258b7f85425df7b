"""The files of a catalogue's folder as they are written: edited, added, brought into form."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.authoring.canonical import one_product
from reconciler.authoring.edit import Reader, Rewrite, rewritten
from reconciler.authoring.file_names import FileNames
from reconciler.authoring.format import form_of
from reconciler.authoring.pull import CatalogEdits, New
from reconciler.catalog.files import is_defaults
from reconciler.catalog.read import load_sources
from reconciler.errors import CatalogError, OutputError
from reconciler.model import Catalog, Location, Product, Record, Values
from reconciler.report.output import write_file

SCHEMA: Final = Path(".schemas/catalog.json")
"""Where `init` puts the schema of catalogue files, below the working folder."""
_WOULD_CHANGE: Final = "its values would not be the same"


@dataclass(frozen=True, slots=True)
class FileChange:
    """The change of one file: `before` is None if it is new, `after` if it is removed."""

    file: str
    path: Path
    before: bytes | None
    after: bytes | None


Left = tuple[Location, str]
"""The location of text that was left as it is, and why."""


class Folder:
    """The folder of one catalogue; files are named as in the catalogue. Nothing is written."""

    def __init__(self, catalog: Catalog, path: Path, working_folder: Path) -> None:
        self._catalog = catalog
        self._path = path
        self._working_folder = working_folder

    def changed(
        self, edits: CatalogEdits, records: Mapping[str, Record], target: str | None
    ) -> list[FileChange]:
        """The changes of files that carry out `edits`.

        New products go into the file that is called `target`, or each into a file of its own.
        Raises CatalogError if a product cannot be edited without changing another.
        """
        changes = self._edited(_rewrites(self._catalog, edits, target))
        return changes if target is not None else changes + self.added(edits.new, records)

    def _edited(self, rewrites: Iterable[Rewrite]) -> list[FileChange]:
        """The changes that carry out `rewrites`, each proven by reading its result."""
        defaults, known = self._defaults(), frozenset(self._catalog.files)
        changes: list[FileChange] = []
        for rewrite in rewrites:
            file, path = rewrite.file, self._working_folder / rewrite.file
            # A file of the catalogue that is gone by now must be an error, not a new file.
            before = self._bytes(file) if file in known or path.exists() else None
            after = rewritten(rewrite, before or b"", self._reader(file, defaults))
            if before is None and after is not None:
                after = self._modeline(path).encode() + after
            changes.append(FileChange(file, path, before, after))
        return changes

    def _modeline(self, path: Path) -> str:
        """The comment that tells an editor the schema of a new file, if `init` made that."""
        schema = self._working_folder / SCHEMA
        if not schema.exists():
            return ""
        # Editors resolve the path from the file's own folder, and want slashes on Windows too.
        way = os.path.relpath(schema, path.parent)
        return f"# yaml-language-server: $schema={Path(way).as_posix()}\n"

    def added(self, new: Sequence[New], records: Mapping[str, Record]) -> list[FileChange]:
        """A file for each new product, named by the handle in its record, which is found by id."""
        there = self._path.iterdir() if self._path.is_dir() else ()
        names = FileNames([path.name for path in there])
        changes: list[FileChange] = []
        for product in new:
            handle = records.get(product.id, {}).get("handle")
            name = names.name(product.store_id, handle if isinstance(handle, str) else None)
            file = self._catalog.names.of(name)
            text = self._modeline(self._path / name) + one_product(product.values)
            changes.append(FileChange(file, self._path / name, None, text.encode()))
        return changes

    def formatted(self, files: Mapping[str, Path]) -> tuple[list[FileChange], list[Left]]:
        """The canonical form of `files`, which have no faults, and what in them was left as it is.

        The new files are read once more: if any product differs, all files stay as they are.
        """
        changes: list[FileChange] = []
        left: list[Left] = []
        for file, path in files.items():
            before = path.read_bytes()
            form = form_of(before)
            left += ((Location(file, each.line, each.column), each.why) for each in form.kept)
            if form.data != before:
                changes.append(FileChange(file, path, before, form.data))
        if not changes or self._says_the_same(changes):
            return changes, left
        return [], left + [(Location(change.file, 1, 1), _WOULD_CHANGE) for change in changes]

    def _says_the_same(self, changes: Sequence[FileChange]) -> bool:
        """Whether the products of the changed files are what they were, in their order."""
        changed = {change.file: change.after or b"" for change in changes}
        sources = {**self._defaults(), **changed}
        try:
            after = load_sources(sources.items(), root=self._catalog.names)
        except CatalogError:
            return False
        said = [
            [(p.file, p.values, p.renamed_from, p.notes) for p in catalog.products.values()]
            for catalog in (self._catalog, after)
        ]
        return [each for each in said[0] if each[0] in changed] == said[1]

    def _defaults(self) -> dict[str, bytes]:
        return {file: self._bytes(file) for file in self._catalog.files if is_defaults(file)}

    def _reader(self, file: str, defaults: Mapping[str, bytes]) -> Reader:
        """Reads one file with the defaults of its folder and of those above."""
        folder = self._folder(file)
        above = [
            (name, data) for name, data in defaults.items() if folder.startswith(self._folder(name))
        ]

        def read(data: bytes) -> Sequence[Product]:
            # To read the whole catalogue for each of its files would take quadratic time.
            alone = load_sources([*above, (file, data)], root=self._catalog.names)
            return [p for p in alone.products.values() if p.file == file]

        return read

    def _folder(self, file: str) -> str:
        """The folder of a file below the catalogue's, with a `/` at its end; "" for that itself."""
        return "".join((self._catalog.names.below(file) or "").rpartition("/")[:2])

    def _bytes(self, file: str) -> bytes:
        try:
            return (self._working_folder / file).read_bytes()
        except OSError as error:
            raise OutputError(
                f"The file {file} cannot be read any more: {error.strerror or error}.",
                hint="Run the command again.",
            ) from None


def _rewrites(catalog: Catalog, edits: CatalogEdits, target: str | None) -> list[Rewrite]:
    """The edits of each file that changes, sorted by name; of new ones those for `target`."""
    values: dict[str, dict[str, Values]] = {}
    leaving: dict[str, set[str]] = {}
    for store_id, wanted in edits.values.items():
        values.setdefault(catalog.products[store_id].file, {})[store_id] = wanted
    for product in edits.gone:
        leaving.setdefault(product.file, set()).add(product.store_id)
    added = [new.values for new in edits.new] if target is not None else []
    touched = {*values, *leaving, *((target,) if target is not None and added else ())}
    return [
        Rewrite(
            file,
            values.get(file, {}),
            leaving.get(file, ()),
            added if file == target else (),
            edits.renamed,
        )
        for file in sorted(touched)
    ]


def write_changes(changes: Sequence[FileChange]) -> None:
    """Replace the files, each atomically; OutputError if one changed since it was read.

    All are looked at before the first is replaced. Files that go are removed last.
    """
    for change in changes:
        if _now(change.path) != change.before:
            raise OutputError(
                f"The file {change.file} was changed while the command ran.",
                hint="Nothing was written. Run the command again.",
            )
    for change in changes:
        if change.after is not None:
            _put(change.path, change.after)
    for change in changes:
        if change.after is None:
            # If the run is cut off before, a product stands in two files, which `validate` tells;
            # never in none.
            change.path.unlink()


def _now(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _put(path: Path, data: bytes) -> None:
    """Replace the content of a file and keep its mode."""
    # `write_file` puts a new file there, which has the mode of any new file.
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, data.decode())
    if mode is not None:
        path.chmod(mode)
