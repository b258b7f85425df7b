"""A git ledger while a run holds it: each write is a commit on top of this run's newest one.

The run and the thread that renews its lock push in turn. If the answer to a push is lost, the
commit may be at the remote or arrive there later. So a push that finds an unexpected commit
continues from it, if this run made that commit.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.errors import LedgerNotWritten
from reconciler.ledger.codec import encode_ledger
from reconciler.ledger.gitref import Tip
from reconciler.ledger.holder import Holder
from reconciler.ledger.lease import Lease
from reconciler.model import Ledger, Removed

if TYPE_CHECKING:
    from reconciler.ledger.git import GitLedger

LEDGER: Final = "ledger.jsonl"
REMOVED: Final = "removed.jsonl"
HOLDER: Final = "holder.json"
LOCK_ONLY: Final = "Reconciler-Lock: "
"""The prefix of a message line that marks commits which change only the lock."""

Files: TypeAlias = Mapping[str, bytes | str]
"""The files of a commit by name: content, or the id of an existing blob."""


class HeldRef:
    """A GitLedger that this run holds or is about to hold. Thread-safe.

    `failed` is True if the last write raised an error; its caller has seen that error.
    """

    def __init__(self, ledger: "GitLedger", tip: Tip, holder: Holder, broke: Holder | None) -> None:
        self.lease = Lease(self._renew, ledger.clock)
        self.broke = broke
        self.failed = False
        self._ledger = ledger
        self._tip = tip
        # The commit that this run started from.
        self._found = tip
        self._holder = holder
        self._pushed = False
        self._claimed = False
        # Commits of this run that may or may not be at the remote.
        self._sent: set[str] = set()
        self._turn = RLock()

    @property
    def lost(self) -> bool:
        """Whether another run may have taken the lease over, so that no further call is allowed."""
        return self.lease.lost

    def load(self) -> Ledger:
        """The ledger in the commit that is the parent of the next save."""
        self.lease.keep()
        return self._ledger.ledger_at(self._tip)

    def claim(self) -> None:
        """Take the lock by a commit without other changes; Locked if another run is quicker."""
        message = f"Take the lock for {self._holder}\n\n{LOCK_ONLY}taken\n"
        self._write(self._with_holder, message, claims=True)

    def save(
        self,
        ledger: Ledger,
        *,
        message: str,
        last: bool = False,
        removed: Sequence[Removed] = (),
    ) -> None:
        """Push `ledger` and `removed` as one commit with `message`; `last` also frees the lock.

        An apply that changed nothing and never took the lock makes no commit.
        """
        self.lease.keep()
        files: dict[str, bytes | str] = {LEDGER: encode_ledger(ledger, store=self._ledger.store)}
        if REMOVED in self._found.files:
            files[REMOVED] = self._found.files[REMOVED]
        if removed:
            # From the first commit: `removed` is all that this run removed, so saves do not add up.
            files[REMOVED] = self._ledger.archive_at(self._found).after(removed)
        if not last:
            files[HOLDER] = self._holder.encode()
        elif not self._claimed and self._is_there(files):
            return
        self._write(lambda _: files, message, claims=not last)

    def retire(self, *, message: str) -> None:
        """Push a commit without files, if there is a ledger."""
        if LEDGER in self._tip.files:
            self._write(lambda _: {}, message, claims=False)

    def free(self) -> None:
        """Free the lock if this run still has it; LedgerError if that fails."""
        with self._turn:
            self.lease.over()
            if not self._claimed:
                return
            # Read the remote again, since the answer to the last push may have been lost.
            tip = self._ledger.ref.read()
            # Another run may hold the lock by now, and its lock must stay.
            if self._ledger.holder_at(tip) == self._holder:
                self._ledger.push_without_holder(tip, f"Free the lock of {self._holder}")
            self._claimed = False

    def _is_there(self, files: Files) -> bool:
        """Whether the newest commit holds exactly these files."""
        there = self._tip.files
        return there.keys() == files.keys() and all(
            content == there[name] or content == self._ledger.ref.blob(there[name])
            for name, content in files.items()
        )

    def _with_holder(self, tip: Tip) -> Files:
        return {**tip.files, HOLDER: self._holder.encode()}

    def _write(self, files: Callable[[Tip], Files], message: str, *, claims: bool) -> None:
        with self._turn:
            # Set before the push: if its answer is lost, the lock may be taken and must be freed.
            self._claimed = self._claimed or claims
            self.failed = True
            moment = self._ledger.clock.now()
            if not self._push(files, message):
                # Nothing was written yet, so the other run took nothing over: it was only quicker.
                if not self._pushed:
                    raise self._ledger.overtaken()
                self.lease.over(taken=True)
                raise LedgerNotWritten(
                    f"Another run took {self._ledger.ref.name} over while this one was running.",
                    hint="Let one run at a time apply to a store, and `unlock` only dead runs. "
                    "Values that this run sent are in doubt, and the next apply sends them again.",
                )
            if claims:
                self.lease.renewed(moment)
            else:
                self.lease.over()
            self._pushed = True
            self._claimed = claims
            self.failed = False

    def _renew(self) -> bool:
        """Push a commit without changes; if that fails, the next renewal tries again."""
        with self._turn:
            message = f"Renew the lock of {self._holder}\n\n{LOCK_ONLY}renewed\n"
            # Not patient: the next renewal comes in a minute, and a save may be waiting for its
            # turn.
            return not self._claimed or self._push(self._with_holder, message, patient=False)

    def _push(
        self,
        files: Callable[[Tip], Files],
        message: str,
        *,
        patient: bool = True,
    ) -> bool:
        """Push a commit of `files` on this run's newest one; False if another run was quicker."""
        ref = self._ledger.ref
        while True:
            old = self._tip.commit
            new = ref.commit(old, files(self._tip), message)
            self._sent.add(new)
            landed = self._ledger.push(old, new, patient=patient)
            found = new if landed else ref.at_remote()
            # A commit of this run, though its answer was lost, is a parent to continue from.
            if found not in self._sent:
                return False
            self._sent.discard(found)
            self._tip = Tip(found, ref.files(found))
            if landed:
                return True
