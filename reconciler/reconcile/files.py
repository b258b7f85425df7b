"""The story of the files themselves: pulled from the remote, and brought into canonical form."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.authoring.edit import Read, Rewrite, rewritten
from reconciler.authoring.edit_products import one_product
from reconciler.authoring.file_names import FileNames
from reconciler.authoring.format import form_of
from reconciler.authoring.pull import Drift, New, drift
from reconciler.catalog.files import belongs, find_files, is_defaults
from reconciler.catalog.names import Names, name_of
from reconciler.catalog.paths import Asked
from reconciler.catalog.read import check_catalog, load_sources
from reconciler.errors import OutputError, UsageError
from reconciler.linting.registry import DEFAULT_LEVELS
from reconciler.model import Catalog, Finding, Listing, Location, Product, Values
from reconciler.reconcile.store import Store
from reconciler.report.output import write_file
from reconciler.yamltext.findings import Findings

if TYPE_CHECKING:
    from reconciler.settings import Settings


@dataclass(frozen=True, slots=True)
class FileChange:
    """What becomes of one file: `before` is None where there is none, `after` where none stays."""

    file: str
    path: Path
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull would write: the files, and the products that are changed, added, removed."""

    files: tuple[FileChange, ...]
    changed: int
    added: int
    removed: int
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Formatted:
    """What formatting would write, of how many files, and the errors in those that it left out.

    `kept` are the places of what no rule covers, which keeps its text, each with the reason.
    """

    files: tuple[FileChange, ...]
    seen: int
    errors: tuple[Finding, ...] = ()
    kept: tuple[tuple[Location, str], ...] = ()


def pull(store: Store, *, into: Path | None = None, prune: bool = False) -> Pulled:
    """What the remote says, as changes of the catalogue's files; nothing is written.

    New products go into the file `into`, or each into a file of its own in the catalogue's folder.
    With `prune`, declared products that the remote lacks are removed. Raises CatalogError where
    the catalogue has faults, or where a product cannot be edited without changing another.
    """
    target = None if into is None else _target(store, into)
    with store.loading(DEFAULT_LEVELS) as loaded, store.listing() as listed:
        ledger = store.ledger.load()
        catalog = loaded()
        listing = listed()
    found = drift(catalog, listing, ledger)
    gone = found.gone if prune else []
    called = Names.between(store.catalog, store.folder)
    files = _Files(store.folder, catalog, called)
    changes = files.changes(_rewrites(catalog, found, gone, target))
    if target is None:
        changes += _new_files(store, called, listing, found.new)
    return Pulled(
        tuple(changes), len(found.values), len(found.new), len(gone), tuple(found.warnings)
    )


def _target(store: Store, into: Path) -> str:
    """The name of the file that new products go into; UsageError where no catalogue reads it."""
    path = Path(os.path.abspath(store.folder / into))  # noqa: PTH100  (links stay as named)
    folder = Path(os.path.abspath(store.catalog))  # noqa: PTH100
    below = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""
    if not below or not belongs(below) or is_defaults(below):
        raise UsageError(
            f"The catalogue {store.catalog.name} does not read a file {into}.",
            hint="Name a .yaml file below its folder, without a leading dot or underscore.",
        )
    if not path.parent.resolve().is_relative_to(folder.resolve()) or path.is_dir():
        raise UsageError(
            f"{into} is a folder, or lies outside the catalogue.", hint="Name another file."
        )
    return name_of(path, store.folder)


def _rewrites(
    catalog: Catalog, found: Drift, gone: Iterable[Product], target: str | None
) -> list[Rewrite]:
    """What shall become of each file that changes, by name."""
    values: dict[str, dict[str, Values]] = {}
    leaving: dict[str, set[str]] = {}
    for store_id, wanted in found.values.items():
        values.setdefault(catalog.products[store_id].file, {})[store_id] = wanted
    for product in gone:
        leaving.setdefault(product.file, set()).add(product.store_id)
    added = [new.values for new in found.new] if target is not None else []
    touched = {*values, *leaving, *((target,) if target is not None and added else ())}
    return [
        Rewrite(
            file,
            values.get(file, {}),
            leaving.get(file, ()),
            added if file == target else (),
        )
        for file in sorted(touched)
    ]


class _Files:
    """The catalogue's files as they are rewritten."""

    def __init__(self, working_folder: Path, catalog: Catalog, names: Names) -> None:
        self._working_folder = working_folder
        self._catalog = catalog
        self._names = names
        self._defaults: Mapping[str, bytes] = {
            file: self._bytes(file) for file in catalog.files if is_defaults(file)
        }

    def changes(self, rewrites: Iterable[Rewrite]) -> list[FileChange]:
        """The changes that carry out `rewrites`, each proven by reading its result."""
        changes: list[FileChange] = []
        for rewrite in rewrites:
            file, path = rewrite.file, self._working_folder / rewrite.file
            before = self._bytes(file) if file in self._catalog.files or path.exists() else None
            after = rewritten(rewrite, before or b"", self._reader(file))
            changes.append(FileChange(file, path, before, after))
        return changes

    def _reader(self, file: str) -> Read:
        """Reads one file with the defaults of its folder and of those above."""
        folder = self._folder(file)
        defaults = [
            (name, data)
            for name, data in self._defaults.items()
            if folder.startswith(self._folder(name))
        ]

        def read(data: bytes) -> Sequence[Product]:
            read_alone = load_sources([*defaults, (file, data)], root=self._names)
            return [p for p in read_alone.products.values() if p.file == file]

        return read

    def _folder(self, file: str) -> str:
        """The folder of a file below the catalogue's, with a `/` at its end; "" for that itself."""
        return "".join((self._names.below(file) or "").rpartition("/")[:2])

    def _bytes(self, file: str) -> bytes:
        try:
            return (self._working_folder / file).read_bytes()
        except OSError as error:
            raise OutputError(
                f"The file {file} cannot be read any more: {error.strerror or error}.",
                hint="Run the command again.",
            ) from None


def _new_files(
    store: Store, called: Names, listing: Listing, new: Sequence[New]
) -> list[FileChange]:
    """A file for each new product, in the catalogue's folder."""
    if not new:
        return []
    records = listing.records([product.id for product in new])
    names = FileNames([path.name for path in store.catalog.iterdir()])
    changes: list[FileChange] = []
    for product in new:
        handle = records.get(product.id, {}).get("handle")
        name = names.name(product.store_id, handle if isinstance(handle, str) else None)
        text = one_product(product.values)
        changes.append(FileChange(called.of(name), store.catalog / name, None, text.encode()))
    return changes


def format_files(settings: "Settings", catalog: Path, paths: Collection[Path] = ()) -> Formatted:
    """The canonical form of the catalogue's files, or of `paths` in it; nothing is written.

    Files with errors are left out, and their errors told.
    """
    working = settings.folder
    findings = check_catalog(
        catalog, paths or None, working_folder=working, lint=settings.lint_levels()
    )
    errors = tuple(finding for finding in findings if finding.severity == "error")
    faulty = {finding.location.file for finding in errors if finding.location}
    names = Names.between(working / catalog, working)
    asked = Asked(paths, working)
    changes: list[FileChange] = []
    kept: list[tuple[Location, str]] = []
    seen = 0
    if not (working / catalog).is_dir():
        return Formatted((), 0, errors)
    for file in find_files(working / catalog, names, Findings()):
        if file.name in faulty or (paths and not asked.covers(file.name)):
            continue
        seen += 1
        path = Path(file.path)
        before = path.read_bytes()
        form = form_of(before)
        kept += ((Location(file.name, each.line, each.column), each.why) for each in form.kept)
        if form.data != before:
            changes.append(FileChange(file.name, path, before, form.data))
    return Formatted(tuple(changes), seen, errors, tuple(kept))


def write_changes(changes: Sequence[FileChange]) -> None:
    """Replace the files, each atomically; OutputError where one changed since it was read.

    All are looked at before the first is replaced. Files that go are removed last.
    """
    for change in changes:
        if _now(change.path) != change.before:
            raise OutputError(
                f"The file {change.file} was changed by somebody else meanwhile.",
                hint="Nothing was written. Run the command again.",
            )
    for change in changes:
        if change.after is not None:
            _put(change.path, change.after)
    for change in changes:
        if change.after is None:
            change.path.unlink()


def _now(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _put(path: Path, data: bytes) -> None:
    """Replace the content of a file and keep its mode."""
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, data.decode())
    if mode is not None:
        path.chmod(mode)
