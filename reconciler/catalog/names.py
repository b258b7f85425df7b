"""What the files of a catalogue are called: their way from the working folder."""

import os
import posixpath
from pathlib import Path


class Names:
    """What messages call the files of a catalogue whose folder is `root`.

    `within` is the way from that folder to the working folder, where this stands inside of it, as
    for `--catalog ..`: a file below the working folder is named from there, not by a way that
    leaves it and comes back.
    """

    def __init__(self, root: str, within: str = "") -> None:
        self.root = root or "."
        self._within = within
        self._above = "" if self.root == "." else f"{self.root}/"

    @classmethod
    def between(cls, folder: Path, working_folder: Path) -> "Names":
        """The names of the files below `folder`, as seen from the working folder."""
        root = name_of(folder, working_folder)
        leaves = set(root.split("/")) == {".."}
        back = os.path.relpath(os.path.realpath(working_folder), os.path.realpath(folder))
        return cls(root, shown_name(Path(back).as_posix()) if leaves else "")

    def of(self, below: str) -> str:
        """The name of the file or folder that is `below` the catalogue's folder, "" for that."""
        if not below:
            return self.root
        return posixpath.relpath(below, self._within) if self._within else self._above + below

    def below(self, name: str) -> str | None:
        """The way from the catalogue's folder to the file `name`; None where it is not below it."""
        if self._within:
            name = posixpath.normpath(posixpath.join(self._within, name))
            return None if name.split("/")[0] in (".", "..") else name
        return name.removeprefix(self._above) if name.startswith(self._above) else None


def name_of(path: Path, working_folder: Path) -> str:
    """What messages call `path`: its way from the working folder, with `/` between its parts.

    Where it leads out of that folder as spelled, and less far once links are followed, so.
    """
    way = Path(os.path.relpath(path, working_folder))
    if way.parts[:1] == ("..",):
        real = Path(os.path.relpath(os.path.realpath(path), os.path.realpath(working_folder)))
        way = min(way, real, key=lambda each: len(each.parts))
    return shown_name(way.as_posix())


def shown_name(name: str) -> str:
    """A file's name with what is not UTF-8 in it replaced, so that it can always be printed."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
