"""A lock as a lease: its holder renews it, and a run that has waited long enough takes it over.

The holder and the waiting run each use their own clock, and the two are never compared. The holder
counts from before it sent a renewal, the waiting run from when it first saw that renewal. So the
holder stops before the other begins, however long a message takes.
"""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Final

from reconciler.clock import Clock
from reconciler.errors import LedgerError, LedgerNotWritten

RENEWED_EVERY: Final = 60.0
"""Seconds between two renewals."""
LOST_AFTER: Final = 180.0
"""Seconds without a renewal after which the holder makes no further call.

This leaves two minutes for a call that is in flight at that time.
"""
# Well above LOST_AFTER: the old holder must have stopped before another one begins.
TAKEN_OVER_AFTER: Final = 300.0
"""Seconds without a renewal after which a waiting run takes the lock over."""

_LOG: Final = logging.getLogger("reconciler.ledger")


class Lease:
    """The holder's side of a lock. Thread-safe.

    `renew` renews the lock in its store: it returns False if another run has it, and raises
    LedgerError or OSError if that is not known.
    """

    def __init__(self, renew: Callable[[], bool], clock: Clock) -> None:
        self._renew = renew
        self._clock = clock
        self._lock = Lock()
        # When the last renewal began; None while there is nothing to renew.
        self._since: float | None = None
        self._lost = False
        self._ended = Event()
        self._thread: Thread | None = None

    @property
    def lost(self) -> bool:
        """Whether another run may have the lock now or soon; once True, it stays True."""
        with self._lock:
            return self._judged(self._clock.now())

    def renewed(self, moment: float) -> None:
        """Note that the lock was taken or renewed by an action that began at `moment`."""
        with self._lock:
            # A renewal after the lease was lost must not revive it: another run may have begun.
            self._judged(moment)
            # Two threads renew, so an older moment may be noted last.
            self._since = moment if self._since is None else max(self._since, moment)

    def over(self, *, taken: bool = False) -> None:
        """Note that the lock was freed, or `taken` by another run, and end the renewals."""
        with self._lock:
            self._since = None
            self._lost = self._lost or taken

    def renew(self) -> None:
        """Renew the lock now; a failure is logged, and the lease is then as old as before."""
        moment = self._clock.now()
        with self._lock:
            if self._since is None:
                return
        try:
            if self._renew():
                self._still_held(moment)
            else:
                self.over(taken=True)
        except (LedgerError, OSError) as error:
            _LOG.warning("The lock was not renewed; the next attempt is in a minute: %s", error)

    def keep(self) -> None:
        """Start to renew the lock once a minute, in a thread that `close` ends."""
        if self._thread is not None:
            return
        # A daemon, so that an error before `close` does not keep the process alive.
        self._thread = Thread(target=self._keep, name="lease", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._thread = None
            raise LedgerNotWritten(
                f"The lock cannot be renewed: {error}.",
                hint="The system allows no further thread. Raise the limit for this run.",
            ) from error

    def close(self) -> None:
        """End the renewals, and wait for one that is in flight."""
        self._ended.set()
        # Ctrl-C may have come in the middle of its start, and such a thread cannot be joined.
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        # The system's clock only wakes this thread; the clock passed in decides if it was in time.
        while not self._ended.wait(RENEWED_EVERY):
            self.renew()

    def _still_held(self, moment: float) -> None:
        with self._lock:
            if self._since is not None:
                self._judged(moment)
                self._since = max(self._since, moment)

    def _judged(self, moment: float) -> bool:
        """Whether the lease is lost at `moment`; a late renewal does not undo that."""
        if self._since is not None and moment - self._since > LOST_AFTER:
            self._lost = True
        return self._lost


class LockWatch:
    """The waiting run's side of a lock: what it has seen since the LockWatch was made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.now()
        self._seen: list[object] = []

    def expired(self, note: object) -> bool:
        """Whether `note`, as it is now, has not changed for so long that its lease is over.

        To be called at each attempt, with None if there is no note.
        """
        now = self._clock.now()
        if self._seen != [note]:
            # The first note counts from the start of the wait, so this time of waiting is enough.
            if self._seen:
                self._since = now
            self._seen = [note]
        return now - self._since >= TAKEN_OVER_AFTER
