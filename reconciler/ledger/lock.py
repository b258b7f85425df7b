"""One apply at a time on one machine, or on one shared folder: an OS lock and a note beside it.

The OS lock ends with its process, so a run that was killed holds nothing. The note says who holds
the lock, and it is all that a machine sees whose folder is shared but whose locks are not. Its
holder renews it by touching it: that needs no room on the disk, and does no harm to the note of
somebody who has taken the lock over meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from os import utime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from reconciler.clock import Clock
from reconciler.durable import remove, write
from reconciler.errors import LedgerNotWritten
from reconciler.ledger.holder import Holder, locked
from reconciler.ledger.lease import Lease, Watch
from reconciler.ledger.stores import patiently

if TYPE_CHECKING:
    from filelock import FileLock

_PAUSE: Final = 0.2
_TURN: Final = 10.0
"""Seconds to wait for others who look at the lock; each takes some milliseconds."""


class FolderLock:
    """The lock of one store: `<store>.lock` for the system, `<store>.json` for people.

    Both are changed only by who has the turn (`<store>.turn`): so of two who take over the lock of
    a run that stands still one succeeds, and nobody takes it over while it is written.
    """

    def __init__(self, folder: Path, *, store: str, clock: Clock, stop: Event) -> None:
        self.clock = clock
        self.note = folder / f"{store}.json"
        self._folder = folder
        self._store = store
        self._stop = stop
        self._path = folder / f"{store}.lock"

    @contextmanager
    def held(self, holder: Holder, *, timeout: float) -> Iterator["Claim"]:
        """Hold the lock.

        Waits up to `timeout` seconds, then raises Locked. Raises LedgerNotWritten if the
        folder cannot be written.
        """
        try:
            claim = patiently(
                partial(self._take, holder, Watch(self.clock)),
                timeout=timeout,
                pause=_PAUSE,
                clock=self.clock,
                stop=self._stop,
            )
        except OSError as error:
            raise self._not_written(error) from error
        try:
            yield claim
        finally:
            claim.release()

    def break_free(self) -> Holder | None:
        """Remove the note of a dead run and return it; Locked if the run lives."""
        if not self.note.exists():
            return None
        try:
            with self.turn():
                left = self._read_note()
                lock = self._system_lock(left, silent=False)
                try:
                    self.note.unlink(missing_ok=True)
                finally:
                    lock.release()
        except OSError as error:
            raise self._not_written(error) from error
        return left

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Keep everybody else from changing who holds the lock; OSError if that fails."""
        from filelock import FileLock  # only an apply holds; all else reads

        with FileLock(self._folder / f"{self._store}.turn", timeout=_TURN):
            yield

    def _take(self, holder: Holder, watch: Watch) -> "Claim":
        """Take the lock at once, or raise Locked."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self.turn():
            silent = watch.expired(self._seen())
            left = self._read_note()
            lock = self._system_lock(left, silent=silent)
            try:
                # On this machine the free OS lock outweighs a note that stayed behind.
                if left is not None and not left.same_machine and not silent:
                    raise locked(self._store, left)
                moment = self.clock.now()
                write(self.note, holder.encode())
            except BaseException:
                lock.release()
                raise
        return Claim(self, lock, holder, left, moment)

    def _system_lock(self, left: Holder | None, *, silent: bool) -> "FileLock":
        """The OS lock, taken at once; Locked if another process has it, unless that is silent.

        A process that stands still keeps its lock. So the lock becomes another file.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            if not silent:
                raise locked(self._store, left) from None
            self._path.unlink()
            lock.acquire()
        return lock

    def _seen(self) -> tuple[bytes, int] | None:
        """What changes with each renewal."""
        try:
            return self.note.read_bytes(), self.note.stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def _read_note(self) -> Holder | None:
        try:
            return Holder.decode(self.note.read_bytes())
        except FileNotFoundError:
            return None

    def _not_written(self, error: OSError) -> LedgerNotWritten:
        return LedgerNotWritten(
            f"The lock {self._path} cannot be taken: {error.strerror or error}.",
            hint="Make its folder writable for the user who applies; nothing was written.",
        )


class Claim:
    """A FolderLock while this run has it; `broke` is the dead or silent run that had it before."""

    def __init__(
        self,
        folder: FolderLock,
        lock: "FileLock",
        holder: Holder,
        broke: Holder | None,
        moment: float,
    ) -> None:
        self.broke = broke
        self.lease = Lease(self._renew, folder.clock)
        self.lease.renewed(moment)
        self._folder = folder
        self._lock = lock
        self._note = holder.encode()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A time in which nobody takes the lock over; LedgerNotWritten if somebody has.

        Raises OSError if that cannot be told.
        """
        with self._folder.turn():
            moment = self._folder.clock.now()
            if not self._renew():
                self.lease.over(taken=True)
                raise LedgerNotWritten(
                    "Another run took the lock over while this one went on.",
                    hint="Let one run at a time apply to a store, and `unlock` only dead ones. "
                    "What this run had sent stays in doubt and is sent again by the next apply.",
                )
            self.lease.renewed(moment)
            yield

    def release(self) -> None:
        """Free the lock if this run still has it."""
        self.lease.close()
        try:
            # A note that stays behind names this machine, where the free OS lock outweighs it.
            with suppress(OSError), self._folder.turn():
                if self._is_mine():
                    remove(self._folder.note)
        finally:
            self._lock.release()

    def _renew(self) -> bool:
        if not self._is_mine():
            return False
        utime(self._folder.note)
        return True

    def _is_mine(self) -> bool:
        try:
            return self._folder.note.read_bytes() == self._note
        except FileNotFoundError:
            return False
