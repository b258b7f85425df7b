"""One apply at a time on one machine, or on one shared folder: an OS lock and a note beside it.

The OS lock ends with its process, so a run that was killed holds nothing. The note says who holds
the lock, and it is all that a machine sees whose folder is shared but whose locks are not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from reconciler.clock import Clock
from reconciler.durable import remove, write
from reconciler.errors import LedgerNotWritten
from reconciler.ledger.holder import Holder, locked
from reconciler.ledger.stores import patiently

if TYPE_CHECKING:
    from filelock import FileLock

_PAUSE = 0.2


class FolderLock:
    """The lock of one store: `<store>.lock` for the system, `<store>.json` for people."""

    def __init__(self, folder: Path, *, store: str, clock: Clock, stop: Event) -> None:
        self._folder = folder
        self._store = store
        self._clock = clock
        self._stop = stop
        self._path = folder / f"{store}.lock"
        self._note = folder / f"{store}.json"

    @contextmanager
    def held(self, holder: Holder, *, timeout: float) -> Iterator[Holder | None]:
        """Hold the lock; gives the dead run that left it, if one did.

        Waits up to `timeout` seconds, then raises Locked. Raises LedgerNotWritten where the
        folder cannot be written.
        """
        try:
            lock, left = patiently(
                self._take, timeout=timeout, pause=_PAUSE, clock=self._clock, stop=self._stop
            )
        except OSError as error:
            raise self._not_written(error) from error
        try:
            try:
                write(self._note, holder.encode())
            except OSError as error:
                raise self._not_written(error) from error
            yield left
        finally:
            # A note that stays behind names this machine, where the free OS lock outweighs it.
            remove(self._note)
            lock.release()

    def break_free(self) -> Holder | None:
        """Remove the note of a dead run and return it; Locked where the run lives."""
        if not self._note.exists():
            return None
        try:
            lock, left = self._take(force=True)
            try:
                self._note.unlink(missing_ok=True)
            finally:
                lock.release()
        except OSError as error:
            raise self._not_written(error) from error
        return left

    def _take(self, *, force: bool = False) -> "tuple[FileLock, Holder | None]":
        """Take the OS lock at once, or raise Locked; `force` overlooks another machine's note."""
        from filelock import FileLock, Timeout  # only an apply holds; all else reads

        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            raise locked(self._store, self._read_note()) from None
        left = self._read_note()
        if force or left is None or left.same_machine:
            return lock, left
        lock.release()
        raise locked(self._store, left)

    def _read_note(self) -> Holder | None:
        try:
            return Holder.decode(self._note.read_bytes())
        except FileNotFoundError:
            return None

    def _not_written(self, error: OSError) -> LedgerNotWritten:
        return LedgerNotWritten(
            f"The lock {self._path} cannot be taken: {error.strerror or error}.",
            hint="Make its folder writable for the user who applies; nothing was written.",
        )
