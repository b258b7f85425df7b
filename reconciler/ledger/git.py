"""The ledger in `refs/reconciler/<store>` of the repository's remote, on no branch.

Each save is one commit, so the ref's log is the history of what was applied. The lease of the
push is the lock: the first save of an apply carries `holder.json` and is taken by the server only
if nobody wrote since the ledger was read; the last one carries it no more. An apply that is told
to wait takes the lock before it reads, by a commit of its own: what it read while another run
went on could not be written any more. A holder renews its lock by a commit that changes nothing, at
most once a minute; the history leaves such commits out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from reconciler.clock import Clock, SystemClock
from reconciler.errors import LedgerError, LedgerNotWritten, Locked
from reconciler.ledger.archive import Archive
from reconciler.ledger.codec import decode
from reconciler.ledger.gitcommand import LedgerGit
from reconciler.ledger.githeld import HOLDER, LEDGER, LOCK_ONLY, REMOVED, HeldRef
from reconciler.ledger.gitref import GitRef, Pushed, Tip
from reconciler.ledger.holder import Holder, locked
from reconciler.ledger.lease import Watch
from reconciler.ledger.stores import Revision, patiently
from reconciler.model import Ledger, Removed

_PAUSE: Final = 2.0
_RETRIES: Final = (1.0, 4.0)


class GitLedger:
    """The LedgerStore of the kind `git`; `folder` is any folder of the checkout."""

    def __init__(
        self,
        folder: Path,
        *,
        store: str,
        remote: str = "origin",
        clock: Clock | None = None,
        stop: Event | None = None,
    ) -> None:
        self.store = store
        self.ref = GitRef(LedgerGit(folder), name=f"refs/reconciler/{store}", remote=remote)
        self.clock = clock or SystemClock()
        self._stop = stop or Event()

    def describe(self) -> str:
        """Where the ledger is, in words for people."""
        return f"{self.ref.name} of the git remote {self.ref.remote!r}"

    def exists(self) -> bool:
        """Whether the ref holds a ledger; LedgerError if the remote cannot be reached."""
        return LEDGER in self.ref.read().files

    def load(self) -> Ledger:
        """The ledger, empty if there is no ref; LedgerError if it cannot be read."""
        return self.ledger_at(self.ref.read())

    def removed(self) -> Sequence[Removed]:
        """What deletes removed, the oldest first; LedgerError if it cannot be read."""
        return self.archive_at(self.ref.read()).read()

    @contextmanager
    def hold(self, *, timeout: float, holder: Holder) -> Iterator[HeldRef]:
        """Keep other applies out; wait up to `timeout` seconds for one that goes on, then Locked.

        Without a timeout nothing is pushed before the first save, which is the lock.
        """
        held = patiently(
            partial(self._enter, holder, Watch(self.clock), claim=timeout > 0),
            timeout=timeout,
            pause=_PAUSE,
            clock=self.clock,
            stop=self._stop,
        )
        try:
            yield held
        except BaseException as error:
            try:
                held.free()
            except LedgerError as failure:
                error.add_note(f"The lock could not be freed: {failure}")
            raise
        finally:
            held.lease.close()
        # What an apply has done is not lost to a lock that stays: its last save has said so.
        with suppress(LedgerError) if held.failed else nullcontext():
            held.free()

    def break_lock(self) -> Holder | None:
        """Free the lock and return whose it was; Locked if its holder still runs here."""
        tip = self.ref.read()
        holder = self.holder_at(tip)
        if holder is None:
            return None
        if holder.alive:
            raise locked(self.store, holder)
        if not self.push_without_holder(tip, f"Free the lock of {holder}"):
            raise self.overtaken()
        return holder

    def history(self, limit: int) -> Sequence[Revision]:
        """The last `limit` writes of the ledger, newest first, as the remote has them."""
        return self.ref.log(limit, without=LOCK_ONLY)

    def ledger_at(self, tip: Tip) -> Ledger:
        """The ledger of one commit."""
        if LEDGER not in tip.files:
            return Ledger()
        data = self.ref.blob(tip.files[LEDGER])
        return decode(data, store=self.store, source=f"{self.ref.name}:{LEDGER}")

    def archive_at(self, tip: Tip) -> Archive:
        """What deletes had removed when a commit was made."""
        return Archive(
            self.ref.blob(tip.files[REMOVED]) if REMOVED in tip.files else None,
            store=self.store,
            source=f"{self.ref.name}:{REMOVED}",
            clock=self.clock,
        )

    def holder_at(self, tip: Tip) -> Holder | None:
        """Who held the store when a commit was made."""
        return Holder.decode(self.ref.blob(tip.files[HOLDER])) if HOLDER in tip.files else None

    def push(self, old: str | None, new: str, *, patient: bool = True) -> bool:
        """Whether the ref is `new` now; False if another run was quicker.

        If it is `patient`, an answer that was lost is asked for again, also by a run that is told
        to stop: what it did must be remembered. Raises LedgerNotWritten if the server refuses
        the push or cannot be reached.
        """
        pauses = iter(_RETRIES if patient else ())
        while True:
            try:
                outcome, complaint = self.ref.push(old=old, new=new)
                break
            except LedgerError as error:
                pause = next(pauses, None)
                if pause is None or self.clock.wait(pause, Event()):
                    raise LedgerNotWritten(
                        f"The ledger was not written: {error.message}",
                        hint="Run the command again once the remote answers.",
                    ) from error
        if outcome is Pushed.REFUSED:
            raise self._refused(complaint)
        return outcome is Pushed.LANDED

    def push_without_holder(self, tip: Tip, subject: str) -> bool:
        """Whether a commit that only frees the lock could be put on `tip`."""
        files = {name: blob for name, blob in tip.files.items() if name != HOLDER}
        return self.push(
            tip.commit, self.ref.commit(tip.commit, files, f"{subject}\n\n{LOCK_ONLY}freed\n")
        )

    def overtaken(self) -> Locked:
        """The error of a run whose lease is gone: held by another run, or written by one."""
        holder = self.holder_at(self.ref.read())
        if holder is not None:
            return locked(self.store, holder)
        return Locked(
            f"Another run wrote the ledger of the store {self.store!r} since this one began.",
            hint="Run the command again; --lock-timeout SECONDS makes it wait its turn.",
        )

    def _enter(self, holder: Holder, watch: Watch, *, claim: bool) -> HeldRef:
        """The ledger for `holder` to write, or Locked."""
        tip = self.ref.read()
        silent = watch.expired(tip.commit)
        left = self.holder_at(tip)
        if left is not None and not left.dead and not silent:
            raise locked(self.store, left)
        held = HeldRef(self, tip, holder, left)
        if claim:
            held.claim()
        return held

    def _refused(self, complaint: str) -> LedgerNotWritten:
        return LedgerNotWritten(
            f"The remote {self.ref.remote!r} refused the push of {self.ref.name}: {complaint}",
            hint="Allow this run to push that ref: on GitHub `permissions: contents: write` in the "
            "workflow and a checkout that keeps its credentials; on GitLab a token with the scope "
            "write_repository.",
        )
