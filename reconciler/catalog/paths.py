"""The paths that a command was asked about, compared by what they lead to.

Path and catalogue may be spelled differently: from inside the catalogue, through a link to the
working folder, by a link in the catalogue that is not read under its own name. Each path is known
by its own path and by the one it leads to, and so is each file.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from reconciler.catalog.names import shown_name


class Asked:
    """Files and folders, as they were spelled from the working folder."""

    def __init__(self, paths: Iterable[Path], working_folder: Path) -> None:
        self._working_folder = working_folder
        self.paths = tuple(working_folder / path for path in paths)
        self._forms = {str(form) for path in self.paths for form in _shown_forms(path)}
        self._covered: dict[str, bool] = {}

    def covers(self, file: str) -> bool:
        """Whether the file, as messages name it, is one of the paths or is below one."""
        # Resolving links asks the file system, and a file may have thousands of findings.
        known = self._covered.get(file)
        if known is None:
            known = any(
                str(form) in self._forms
                for own in _shown_forms(self._working_folder / file)
                for form in (own, *own.parents)
            )
            self._covered[file] = known
        return known

    def missed(self, files: Iterable[str]) -> set[Path]:
        """The requested paths that match no catalogue file."""
        known: set[Path] = set()
        for file in files:
            for own in _shown_forms(self._working_folder / file):
                for form in (own, *own.parents):
                    # Its parents are known then too, so a large catalogue walks each folder's
                    # parents once.
                    if form in known:
                        break
                    known.add(form)
        return {path for path in self.paths if known.isdisjoint(_shown_forms(path))}


def ways_below(path: Path, folder: Path) -> tuple[str, ...]:
    """The paths from `folder` to `path` and to what it leads to, if they are in there."""
    top = Path(os.path.realpath(folder))
    return tuple(
        form.relative_to(top).as_posix() for form in _forms(path) if form.is_relative_to(top)
    )


def home_of(path: Path, catalogs: Iterable[Path]) -> Path | None:
    """The first catalogue folder that `path` is in."""
    return next((folder for folder in catalogs if ways_below(path, folder)), None)


def _forms(path: Path) -> tuple[Path, ...]:
    """The path that `path` leads to; before it the path itself, if that is a link."""
    real = Path(os.path.realpath(path))
    # The last part is not a name of its own, so it cannot be a link.
    if path.name in ("", ".."):
        return (real,)
    stands = Path(os.path.realpath(path.parent)) / path.name
    return (real,) if stands == real else (stands, real)


def _shown_forms(path: Path) -> tuple[Path, ...]:
    return tuple(Path(shown_name(str(form))) for form in _forms(path))
