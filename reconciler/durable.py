"""Atomic, durable writing of files: after a crash a file is old or new, never in part."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_SHARED: Final = 0o666
_OWN: Final = 0o644


def replace(path: Path, data: bytes, *, mode: int = _SHARED) -> None:
    """Replace the file at `path` with `data`, atomically and durably; its folder must exist.

    The file gets `mode` minus umask. If OSError is raised, the old file is unchanged.
    """
    # A random name, since several processes may write the same file at the same time.
    with draft(path.with_name(f".reconciler-{os.urandom(8).hex()}.tmp"), data, mode) as made:
        made.replace(path)
    with suppress(OSError):
        sync_folder(path.parent)


def write(path: Path, data: bytes) -> None:
    """Replace one of the tool's own files, as `replace` does; make missing folders.

    Only one process writes such a file at a time. A symbolic link is followed. Raises OSError.
    """
    path = Path(os.path.realpath(path))
    _make_folder(path.parent)
    # A fixed name, so that the draft of a killed run is replaced and not left behind.
    own = path.with_name(f".{path.name}.draft")
    own.unlink(missing_ok=True)
    with draft(own, data, _OWN) as made:
        made.replace(path)
    sync_folder(path.parent)


@contextmanager
def draft(path: Path, data: bytes, mode: int = _SHARED) -> Iterator[Path]:
    """Write `data` to a new file at `path`, durably; it is removed if the block fails."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            # Otherwise a crash after the rename could leave an empty file under the new name.
            os.fsync(file.fileno())
        yield path
    except BaseException:
        remove(path)
        raise


def remove(path: Path) -> None:
    """Remove a file if that is possible; an OSError is ignored."""
    with suppress(OSError):
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, if the system can do that."""
    # Windows cannot open a folder to sync it.
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folder(folder: Path) -> None:
    """Make `folder` and its missing parents, durably."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)
