"""The names of a catalogue's files in messages, made from the path of its folder."""

import os
from pathlib import Path

from reconciler.model import Names


def names_between(folder: Path, working_folder: Path) -> Names:
    """The names of the files below `folder`, as seen from the working folder."""
    root = name_of(folder, working_folder)
    leaves = set(root.split("/")) == {".."}
    back = os.path.relpath(os.path.realpath(working_folder), os.path.realpath(folder))
    return Names(root, shown_name(Path(back).as_posix()) if leaves else "")


def name_of(path: Path, working_folder: Path) -> str:
    """What messages call `path`: its way from the working folder, with `/` between its parts.

    If the way as spelled leads out of that folder, and a shorter one does once links are followed,
    that one.
    """
    way = Path(os.path.relpath(path, working_folder))
    if way.parts[:1] == ("..",):
        real = Path(os.path.relpath(os.path.realpath(path), os.path.realpath(working_folder)))
        way = min(way, real, key=lambda each: len(each.parts))
    return shown_name(way.as_posix())


def shown_name(name: str) -> str:
    """A file's name with what is not UTF-8 in it replaced, so that it can always be printed."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
