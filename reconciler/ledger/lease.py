"""A lock as a lease: its holder renews it, and whoever has waited long enough takes it over.

Holder and waiter measure with clocks of their own, and never compare the two: the holder counts
from before it renewed, the waiter from when it first saw that renewal. So the holder stops well
before anybody else begins, however long a message takes.
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
"""Seconds without a renewal after which its holder makes no further call.

It leaves two minutes for a call that is under way when they have passed.
"""
TAKEN_OVER_AFTER: Final = 300.0
"""Seconds for which a waiter sees the same note before the lock is its own."""

_LOG: Final = logging.getLogger("reconciler.ledger")


class Lease:
    """The holder's side of a lock. Thread-safe.

    `renew` renews it where it is kept: it returns False if somebody else has the lock, and raises
    LedgerError or OSError if that cannot be told.
    """

    def __init__(self, renew: Callable[[], bool], clock: Clock) -> None:
        self._renew = renew
        self._clock = clock
        self._lock = Lock()
        self._since: float | None = None
        """When the last renewal was begun; None while there is nothing to renew."""
        self._lost = False
        self._ended = Event()
        self._thread: Thread | None = None

    @property
    def lost(self) -> bool:
        """Whether the lock may soon be, or is, another run's. It never becomes False again."""
        with self._lock:
            return self._judged(self._clock.now())

    def renewed(self, moment: float) -> None:
        """The lock was taken or renewed by something that was begun at `moment`."""
        with self._lock:
            self._judged(moment)
            self._since = moment if self._since is None else max(self._since, moment)

    def over(self, *, taken: bool = False) -> None:
        """There is nothing to renew any more: the lock was freed, or `taken` by somebody else."""
        with self._lock:
            self._since = None
            self._lost = self._lost or taken

    def renew(self) -> None:
        """Renew the lock now; a failure is logged, and counts as no renewal."""
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
            _LOG.warning("The lock was not renewed; that is tried again in a minute: %s", error)

    def keep(self) -> None:
        """Renew the lock once a minute from now on, in a thread that `close` ends."""
        if self._thread is not None:
            return
        self._thread = Thread(target=self._keep, name="lease", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._thread = None
            raise LedgerNotWritten(
                f"The lock cannot be renewed: {error}.",
                hint="The system allows no further thread. Give this run more of them.",
            ) from error

    def close(self) -> None:
        """End the renewals; one that is under way is waited for."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        # The system's clock wakes it up; whether it came in time is told by the one passed in.
        while not self._ended.wait(RENEWED_EVERY):
            self.renew()

    def _still_held(self, moment: float) -> None:
        with self._lock:
            if self._since is not None:
                self._judged(moment)
                self._since = max(self._since, moment)

    def _judged(self, moment: float) -> bool:
        """Whether the lease is lost, now that it is `moment`; a late renewal does not undo it."""
        if self._since is not None and moment - self._since > LOST_AFTER:
            self._lost = True
        return self._lost


class Watch:
    """What somebody who waits for a lock has seen of it since the Watch was made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.now()
        self._seen: list[object] = []

    def expired(self, note: object) -> bool:
        """Whether `note`, seen now, has been the same for so long that its lease is over.

        It is asked at each attempt, also when there is no note (None).
        """
        now = self._clock.now()
        if self._seen != [note]:
            # The first note is as old as the wait: so a wait of exactly the time is enough.
            if self._seen:
                self._since = now
            self._seen = [note]
        return now - self._since >= TAKEN_OVER_AFTER
