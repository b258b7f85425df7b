"""The protocol that every ledger store implements, so that an apply need not know its kind.

    with store.hold(timeout=0, holder=Holder.here()) as held:
        ledger = held.load()
        held.save(ledger_with_doubts, message="...")
        ...
        held.save(final_ledger, message="...", last=True)

A run that dies between the two saves leaves its lock and its doubts; one that ends with an
exception leaves only its doubts. A thread renews the lock of a held ledger (see `lease`). The
first `load` or `save` starts it, not `hold`: once a thread runs no processes can be forked to
read the catalogue.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Event
from typing import Protocol, TypeVar

from reconciler.clock import Clock
from reconciler.errors import Interrupted, Locked
from reconciler.ledger.holder import Holder
from reconciler.model import Ledger, LedgerCommit, Removed

_Result = TypeVar("_Result")


class HeldLedger(Protocol):
    """A ledger that only this run may write, until the end of the `with` block."""

    @property
    def broke(self) -> Holder | None:
        """The dead or silent run whose lock this one took over."""
        ...

    @property
    def lost(self) -> bool:
        """Whether another run may have taken the lease over, so that no further call is allowed."""
        ...

    def load(self) -> Ledger:
        """The ledger as last written; raises LedgerError if it cannot be read."""
        ...

    def save(
        self,
        ledger: Ledger,
        *,
        message: str,
        last: bool = False,
        removed: Sequence[Removed] = (),
    ) -> None:
        """Write `ledger` durably and atomically.

        `message` goes into the history, if there is one. `removed` is all that this run has
        removed so far; it is added to the archive as it was before the run, and written durably
        before `ledger`. `last` frees the lock with the same write, if the store can do that. Raises
        LedgerNotWritten, also if another run has taken the lock over, and on the first save Locked
        if another run was quicker.
        """
        ...

    def retire(self, *, message: str) -> None:
        """Remove the ledger and its archive; the history stays."""
        ...


class LedgerStore(Protocol):
    """Keeps the ledger of one store."""

    @property
    def store(self) -> str:
        """The name of the store whose ledger this is."""
        ...

    def describe(self) -> str:
        """The location of the ledger, for messages."""
        ...

    def exists(self) -> bool:
        """Whether this store holds a ledger; LedgerError if that is not known."""
        ...

    def load(self) -> Ledger:
        """The ledger, empty if none was written yet; creates no file or folder.

        Raises LedgerError if it cannot be read.
        """
        ...

    def removed(self) -> Sequence[Removed]:
        """The archived removed products (see `archive`), the oldest first.

        Raises LedgerError if it cannot be read.
        """
        ...

    def hold(self, *, timeout: float, holder: Holder) -> AbstractContextManager[HeldLedger]:
        """Lock out other applies, waiting up to `timeout` seconds for one that is running.

        Raises Locked after that time. A lock is taken over at once if its holder is known to be
        dead, and after five minutes of waiting without a renewal.
        """
        ...

    def break_lock(self) -> Holder | None:
        """Free the lock and return its holder; None if there was no lock.

        Raises Locked if the holder is known to be alive on this machine.
        """
        ...

    def history(self, limit: int) -> Sequence[LedgerCommit]:
        """The last `limit` writes, newest first; empty if the store keeps no history."""
        ...


def patiently(
    attempt: Callable[[], _Result], *, timeout: float, pause: float, clock: Clock, stop: Event
) -> _Result:
    """The result of `attempt`, which is repeated for `timeout` seconds while it raises Locked.

    `pause` is the time between two attempts in seconds. Raises the last Locked, or Interrupted
    if `stop` is set.
    """
    deadline = clock.now() + timeout
    while True:
        try:
            return attempt()
        except Locked:
            left = deadline - clock.now()
            # After the attempt, so that a timeout of 0 still makes one.
            if left <= 0:
                raise
        if clock.wait(min(pause, left), stop):
            raise Interrupted("Interrupted while another run held the store; nothing was written.")
