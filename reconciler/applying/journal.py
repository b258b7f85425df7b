"""The journal: one line per call before and after, so that nothing done or removed is forgotten.

A delete's line holds the whole remote record and is on the disk before the call is made. The key is
never part of it: lines are made of Changes and Outcomes, not of URLs.
"""

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol, Self

from reconciler.clock import Clock, stamp
from reconciler.errors import LedgerNotWritten
from reconciler.planning.operations import Operation, Remove
from reconciler.report.history import call_line, header_line, result_line

KEEP: Final = 50
_dumps: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Journal(Protocol):
    """What an apply notes its calls in, as it makes them. Thread-safe."""

    def before(self, operation: Operation) -> int:
        """Note that a call is about to be made; return its number."""
        ...

    def after(self, number: int, result: str) -> None:
        """Note what came of call `number`."""
        ...


class NoJournal:
    """Notes nothing, for callers that keep no files."""

    def before(self, operation: Operation) -> int:
        """Do nothing."""
        return 0

    def after(self, number: int, result: str) -> None:
        """Do nothing."""


class FileJournal:
    """A journal in `folder`/<time>-<store>.jsonl; the oldest others of the store beyond `keep` go.

    Lines reach the system at once, so they survive the death of this process.
    """

    def __init__(
        self, folder: Path, store: str, clock: Clock, header: Mapping[str, Any], keep: int = KEEP
    ) -> None:
        self._clock = clock
        self._lock = Lock()
        self._number = 0
        moment = stamp(clock.utc())
        # Windows allows no colon in the name of a file.
        self.path = folder / f"{moment.replace(':', '').replace('.', '')}-{store}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # Unbuffered, so that what a full disk has refused is not written once more at the end.
            self._file = self.path.open("ab", buffering=0)
            self._write(header_line(store, moment, header))
            _prune(self.path, store, keep)
        except OSError as error:
            raise LedgerNotWritten(
                f"The journal cannot be written: {self.path}: {error.strerror}.",
                hint="Nothing was sent. Make the folder writable, or free some space.",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def before(self, operation: Operation) -> int:
        """Note a call that is about to be made; a delete's record is forced to the disk."""
        with self._lock:
            self._number += 1
            number = self._number
        self._write(call_line(number, operation), force=isinstance(operation, Remove))
        return number

    def after(self, number: int, result: str) -> None:
        """Note what came of call `number`."""
        self._write(result_line(number, result))

    def _write(self, line: Mapping[str, Any], *, force: bool = False) -> None:
        text = _dumps({**line, "at": stamp(self._clock.utc())})
        with self._lock:
            # Remote text may hold a lone surrogate, which UTF-8 cannot encode.
            data = text.encode("utf-8", "backslashreplace") + b"\n"
            # An unbuffered write to a nearly full disk is cut short without an error.
            if self._file.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if force:
                os.fsync(self._file.fileno())


def _prune(own: Path, store: str, keep: int) -> None:
    """Remove the oldest journals of `store` but `own`, which is written now.

    Names begin with the time. A journal that is dated later than `own` was written by a wrong
    clock: it counts as the oldest, or it would outlive all that are written from now on.
    """
    others = [
        path
        for path in own.parent.glob(f"*-{store}.jsonl")
        # A store's name may end like another's: `de` must not remove the journals of `shop-de`.
        if path.name.split("-", 3)[3:] == [f"{store}.jsonl"] and path != own
    ]
    others.sort(key=lambda path: (path.name < own.name, path.name))
    for path in others[: max(0, len(others) + 1 - keep)]:
        path.unlink(missing_ok=True)
