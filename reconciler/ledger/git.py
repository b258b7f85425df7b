"""The ledger in `refs/reconciler/<store>` of the repository's remote, outside of all branches.

Each save is one commit, so the log of the ref is the history of applies. The lock is the file
`holder.json`: the first save of an apply adds it, with a push that the server takes only if
nobody wrote since the ledger was read, and the last save removes it. An apply with a
--lock-timeout takes the lock by a commit of its own before it reads the ledger, since a ledger read
while another run is active would be out of date. A holder renews its lock by a commit without
changes, at most once a minute; the history leaves such commits out.
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
from reconciler.ledger.codec import decode_ledger
from reconciler.ledger.gitcommand import LedgerGit
from reconciler.ledger.githeld import HOLDER, LEDGER, LOCK_ONLY, REMOVED, HeldRef
from reconciler.ledger.gitref import GitRef, Pushed, Tip
from reconciler.ledger.holder import Holder, locked
from reconciler.ledger.lease import LockWatch
from reconciler.ledger.stores import patiently
from reconciler.model import Ledger, LedgerCommit, Removed

_PAUSE: Final = 2.0
_RETRIES: Final = (1.0, 4.0)


class GitLedger:
    """The LedgerStore of the kind `git`; `folder` is any folder in the checkout."""

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
        """The location of the ledger, for messages."""
        return f"{self.ref.name} of the git remote {self.ref.remote!r}"

    def exists(self) -> bool:
        """Whether the ref holds a ledger; LedgerError if the remote cannot be reached."""
        return LEDGER in self.ref.read().files

    def load(self) -> Ledger:
        """The ledger, empty if the ref does not exist; LedgerError if it cannot be read."""
        return self.ledger_at(self.ref.read())

    def removed(self) -> Sequence[Removed]:
        """The archived removed products, the oldest first; LedgerError if they cannot be read."""
        return self.archive_at(self.ref.read()).read()

    @contextmanager
    def hold(self, *, timeout: float, holder: Holder) -> Iterator[HeldRef]:
        """Lock out other applies, waiting up to `timeout` seconds for one that is running.

        Raises Locked after that time. Without a timeout the first save takes the lock, and nothing
        is pushed before it.
        """
        held = patiently(
            partial(self._enter, holder, LockWatch(self.clock), claim=timeout > 0),
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
        # If a save failed, the apply reports that; a lock that also stays must not hide it.
        with suppress(LedgerError) if held.failed else nullcontext():
            held.free()

    def break_lock(self) -> Holder | None:
        """Free the lock and return its holder; Locked if that run is alive on this machine."""
        tip = self.ref.read()
        holder = self.holder_at(tip)
        if holder is None:
            return None
        if holder.alive:
            raise locked(self.store, holder)
        # The commit that was read is the lease of the push, so a lock taken since is not freed.
        if not self.push_without_holder(tip, f"Free the lock of {holder}"):
            raise self.overtaken()
        return holder

    def history(self, limit: int) -> Sequence[LedgerCommit]:
        """The last `limit` writes of the ledger at the remote, newest first."""
        return self.ref.log(limit, without=LOCK_ONLY)

    def ledger_at(self, tip: Tip) -> Ledger:
        """The ledger of one commit."""
        if LEDGER not in tip.files:
            return Ledger()
        data = self.ref.blob(tip.files[LEDGER])
        return decode_ledger(data, store=self.store, source=f"{self.ref.name}:{LEDGER}")

    def archive_at(self, tip: Tip) -> Archive:
        """The archive of removed products in one commit."""
        return Archive(
            self.ref.blob(tip.files[REMOVED]) if REMOVED in tip.files else None,
            store=self.store,
            source=f"{self.ref.name}:{REMOVED}",
            clock=self.clock,
        )

    def holder_at(self, tip: Tip) -> Holder | None:
        """The holder named in one commit."""
        return Holder.decode(self.ref.blob(tip.files[HOLDER])) if HOLDER in tip.files else None

    def push(self, old: str | None, new: str, *, patient: bool = True) -> bool:
        """Push `new` and return whether the ref is `new` now; False if another run was quicker.

        A `patient` push is tried again if its answer is lost. Raises LedgerNotWritten if the server
        refuses the push or cannot be reached.
        """
        pauses = iter(_RETRIES if patient else ())
        while True:
            try:
                outcome, complaint = self.ref.push(old=old, new=new)
                break
            except LedgerError as error:
                pause = next(pauses, None)
                # An Event of its own: an interrupted run must still record what it did.
                if pause is None or self.clock.wait(pause, Event()):
                    raise LedgerNotWritten(
                        f"The ledger was not written: {error.message}",
                        hint="Run the command again once the remote answers.",
                    ) from error
        if outcome is Pushed.REFUSED:
            raise self._refused(complaint)
        return outcome is Pushed.LANDED

    def push_without_holder(self, tip: Tip, subject: str) -> bool:
        """Push a commit that only frees the lock; return whether `tip` was still the newest."""
        files = {name: blob for name, blob in tip.files.items() if name != HOLDER}
        return self.push(
            tip.commit, self.ref.commit(tip.commit, files, f"{subject}\n\n{LOCK_ONLY}freed\n")
        )

    def overtaken(self) -> Locked:
        """The error for a run that lost its lease to another run, or whose ledger another wrote."""
        holder = self.holder_at(self.ref.read())
        if holder is not None:
            return locked(self.store, holder)
        return Locked(
            f"Another run wrote the ledger of the store {self.store!r} since this one began.",
            hint="Run the command again; --lock-timeout SECONDS makes it wait its turn.",
        )

    def _enter(self, holder: Holder, watch: LockWatch, *, claim: bool) -> HeldRef:
        """The ledger, held for `holder`; Locked if another run has it."""
        tip = self.ref.read()
        silent = watch.expired(tip.commit)
        left = self.holder_at(tip)
        # A silent run has made no call for two minutes, so nothing of it is still under way.
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
