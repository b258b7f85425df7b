"""One apply at a time on a machine or a shared folder: an OS lock, and a note of its holder.

The OS lock ends with its process, so a killed run holds nothing. The note names the holder, for
people and for other machines that share the folder but not its OS locks. The holder renews the note
by touching it: that works on a full disk, and does not overwrite the note of a run that has taken
the lock over.
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
from reconciler.ledger.lease import Lease, LockWatch
from reconciler.ledger.stores import patiently

if TYPE_CHECKING:
    from filelock import FileLock

_PAUSE: Final = 0.2
# Seconds to wait for other runs that examine the lock; each takes some milliseconds.
_TURN: Final = 10.0


class FolderLock:
    """The lock of one store: the OS lock `<store>.lock` and the note `<store>.json`.

    A third file, `<store>.turn`, guards changes of both: of two runs that take over the lock of a
    stalled run only one succeeds, and nobody takes it over while its holder writes.
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
        folder is not writable.
        """
        try:
            claim = patiently(
                partial(self._take, holder, LockWatch(self.clock)),
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
        """Remove the note of a dead run and return its holder; Locked if the run is alive."""
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
        """Keep other runs from taking or freeing the lock meanwhile; OSError if that fails."""
        from filelock import FileLock  # only an apply needs it

        with FileLock(self._folder / f"{self._store}.turn", timeout=_TURN):
            yield

    def _take(self, holder: Holder, watch: LockWatch) -> "Claim":
        """Take the lock at once, or raise Locked."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self.turn():
            silent = watch.expired(self._seen())
            left = self._read_note()
            lock = self._system_lock(left, silent=silent)
            try:
                # On this machine a free OS lock proves that a leftover note is out of date.
                if left is not None and not left.same_machine and not silent:
                    raise locked(self._store, left)
                moment = self.clock.now()
                write(self.note, holder.encode())
            except BaseException:
                lock.release()
                raise
        return Claim(self, lock, holder, left, moment)

    def _system_lock(self, left: Holder | None, *, silent: bool) -> "FileLock":
        """Take the OS lock at once; Locked if another process has it, unless that is `silent`."""
        from filelock import FileLock, Timeout

        # Not per thread, since another thread than the one that took it may release it.
        lock = FileLock(self._path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            if not silent:
                raise locked(self._store, left) from None
            # A stalled process keeps its OS lock, so the lock moves to a new file.
            self._path.unlink()
            lock.acquire()
        return lock

    def _seen(self) -> tuple[bytes, int] | None:
        """The content and time of the note, which change with each renewal."""
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
            hint="Nothing was written. Make the folder writable for the user who applies.",
        )


class Claim:
    """A FolderLock that this run holds; `broke` is the dead or silent run that had it."""

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
        """A block during which nobody takes the lock over; LedgerNotWritten if somebody has.

        Raises OSError if that is not known.
        """
        with self._folder.turn():
            moment = self._folder.clock.now()
            if not self._renew():
                self.lease.over(taken=True)
                raise LedgerNotWritten(
                    "Another run took the lock over while this one was running.",
                    hint="Let one run at a time apply to a store, and `unlock` only dead runs. "
                    "Values that this run sent are in doubt, and the next apply sends them again.",
                )
            self.lease.renewed(moment)
            yield

    def release(self) -> None:
        """Free the lock if this run still has it."""
        self.lease.close()
        try:
            # A leftover note does no harm: it names this machine, so the free OS lock decides.
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
