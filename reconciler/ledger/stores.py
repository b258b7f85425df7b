"""What every place that keeps a ledger can do, so that an apply need not know which one it is.

    with store.hold(timeout=0, holder=Holder.here()) as held:
        ledger = held.load()
        held.save(ledger_with_doubts, message="...")
        ...
        held.save(final_ledger, message="...", last=True)

A run that dies between the two saves leaves its name and its doubts; one that ends by an
exception leaves its doubts only. While a ledger is held its lock is renewed (see `lease`), from the
first `load` or `save` on: the thread that does it would keep the catalogue from being read by many
processes.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Event
from typing import NamedTuple, Protocol, TypeVar

from reconciler.clock import Clock
from reconciler.errors import Interrupted, Locked
from reconciler.ledger.holder import Holder
from reconciler.model import Ledger, Removed

T = TypeVar("T")


class Revision(NamedTuple):
    """One entry of a ledger's history; `time` is ISO 8601 with its offset."""

    commit: str
    time: str
    author: str
    subject: str
    body: str


class HeldLedger(Protocol):
    """A ledger that this run alone may write, until the `with` that gave it ends."""

    @property
    def broke(self) -> Holder | None:
        """The dead or silent run whose lock this one took over."""
        ...

    @property
    def lost(self) -> bool:
        """Whether the lease may have been taken over: no further call may be made."""
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
        """Write `ledger` durably, whole or not at all.

        `message` goes into the history, if there is one. `removed` is all that this run removes,
        as far as that is known by now: what is kept of removed products is what was kept before
        the run and these, durably before `ledger` is. `last` also frees the lock if that is
        a write of its own. Raises LedgerNotWritten, also if another run has taken the lock over,
        and on the first save Locked if another run was quicker.
        """
        ...

    def retire(self, *, message: str) -> None:
        """Take the ledger away with all that goes with it; its history stays."""
        ...


class LedgerStore(Protocol):
    """A place where the ledger of one store is kept."""

    @property
    def store(self) -> str:
        """The name of the store whose ledger this is."""
        ...

    def describe(self) -> str:
        """Where the ledger is, in words for people."""
        ...

    def exists(self) -> bool:
        """Whether a ledger was ever written here; raises LedgerError if that cannot be told."""
        ...

    def load(self) -> Ledger:
        """The ledger, empty if there is none; writes nothing, not even folders.

        Raises LedgerError if it cannot be read.
        """
        ...

    def removed(self) -> Sequence[Removed]:
        """What deletes removed (see `archive`), the oldest first.

        Raises LedgerError if it cannot be read.
        """
        ...

    def hold(self, *, timeout: float, holder: Holder) -> AbstractContextManager[HeldLedger]:
        """Keep other applies out; wait up to `timeout` seconds for one that goes on, then Locked.

        A lock is taken over at once if its holder is provably dead, and if nobody renewed it for
        five minutes of that wait.
        """
        ...

    def break_lock(self) -> Holder | None:
        """Free the lock and return whose it was; None if there was none to free.

        Raises Locked if its holder provably still runs on this machine.
        """
        ...

    def history(self, limit: int) -> Sequence[Revision]:
        """The last `limit` writes, newest first; empty if no history is kept."""
        ...


def patiently(
    attempt: Callable[[], T], *, timeout: float, pause: float, clock: Clock, stop: Event
) -> T:
    """The result of `attempt`, tried again while it raises Locked, for `timeout` seconds.

    `pause` is the time between two attempts in seconds. Raises the last Locked, or Interrupted
    once `stop` is set.
    """
    deadline = clock.now() + timeout
    while True:
        try:
            return attempt()
        except Locked:
            left = deadline - clock.now()
            if left <= 0:
                raise
        if clock.wait(min(pause, left), stop):
            raise Interrupted("Interrupted while another run held the store; nothing was written.")
