"""The ledger in `refs/reconciler/<store>` of the repository's remote, on no branch.

Each save is one commit, so the ref's log is the history of what was applied. The lease of the
push is the lock: the first save of an apply carries `holder.json` and is taken by the server only
if nobody wrote since the ledger was read; the last one carries it no more. An apply that is told
to wait takes the lock before it reads, by a commit of its own: what it read while another run
went on could not be written any more.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from reconciler.clock import Clock, SystemClock
from reconciler.errors import LedgerError, LedgerNotWritten, Locked
from reconciler.ledger.codec import decode, encode
from reconciler.ledger.gitcommand import LedgerGit
from reconciler.ledger.gitref import GitRef, Pushed, Tip
from reconciler.ledger.holder import Holder, locked
from reconciler.ledger.stores import HeldLedger, Revision, patiently
from reconciler.model import Ledger

LEDGER: Final = "ledger.jsonl"
HOLDER: Final = "holder.json"

_LOCK_ONLY: Final = "Reconciler-Lock: "
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
        self._remote = remote
        self._clock = clock or SystemClock()
        self._stop = stop or Event()

    def describe(self) -> str:
        """Where the ledger is, in words for people."""
        return f"{self.ref.name} of the git remote {self._remote!r}"

    def exists(self) -> bool:
        """Whether the ref holds a ledger; LedgerError where the remote cannot be reached."""
        return LEDGER in self.ref.read().files

    def load(self) -> Ledger:
        """The ledger, empty where there is no ref; LedgerError where it cannot be read."""
        return self.ledger_at(self.ref.read())

    @contextmanager
    def hold(self, *, timeout: float, holder: Holder) -> Iterator[HeldLedger]:
        """Keep other applies out; wait up to `timeout` seconds for one that goes on, then Locked.

        Without a timeout nothing is pushed before the first save, which is the lock.
        """
        held = patiently(
            partial(self._enter, holder, claim=timeout > 0),
            timeout=timeout,
            pause=_PAUSE,
            clock=self._clock,
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
        # What an apply has done is not lost to a lock that stays: its last save has said so.
        with suppress(LedgerError) if held.failed else nullcontext():
            held.free()

    def break_lock(self) -> Holder | None:
        """Free the lock and return whose it was; Locked where its holder still runs here."""
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
        return self.ref.log(limit, without=_LOCK_ONLY)

    def ledger_at(self, tip: Tip) -> Ledger:
        """The ledger of one commit."""
        if LEDGER not in tip.files:
            return Ledger()
        data = self.ref.blob(tip.files[LEDGER])
        return decode(data, store=self.store, source=f"{self.ref.name}:{LEDGER}")

    def holder_at(self, tip: Tip) -> Holder | None:
        """Who held the store when a commit was made."""
        return Holder.decode(self.ref.blob(tip.files[HOLDER])) if HOLDER in tip.files else None

    def push(self, old: str | None, new: str) -> bool:
        """Whether the ref is `new` now; False where another run was quicker.

        An answer that was lost is asked for again, also by a run that is told to stop: what it
        did must be remembered. Raises LedgerNotWritten where the server refuses the push or
        cannot be reached.
        """
        pauses = iter(_RETRIES)
        while True:
            try:
                outcome, complaint = self.ref.push(old=old, new=new)
                break
            except LedgerError as error:
                pause = next(pauses, None)
                if pause is None or self._clock.wait(pause, Event()):
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
            tip.commit, self.ref.commit(tip.commit, files, f"{subject}\n\n{_LOCK_ONLY}freed\n")
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

    def _enter(self, holder: Holder, *, claim: bool) -> "_HeldRef":
        """The ledger for `holder` to write, or Locked."""
        tip = self.ref.read()
        left = self.holder_at(tip)
        if left is not None and not left.dead:
            raise locked(self.store, left)
        held = _HeldRef(self, tip, holder, left)
        if claim:
            held.claim()
        return held

    def _refused(self, complaint: str) -> LedgerNotWritten:
        return LedgerNotWritten(
            f"The remote {self._remote!r} refused the push of {self.ref.name}: {complaint}",
            hint="Allow this run to push that ref: on GitHub `permissions: contents: write` in the "
            "workflow and a checkout that keeps its credentials; on GitLab a token with the scope "
            "write_repository.",
        )


class _HeldRef:
    """A GitLedger while this run holds it, or is about to.

    `failed` says that a save has raised: who called it knows that the remote is not as wished.
    """

    def __init__(self, ledger: GitLedger, tip: Tip, holder: Holder, broke: Holder | None) -> None:
        self._ledger = ledger
        self._tip = tip
        self._holder = holder
        self._pushed = False
        self._claimed = False
        self.broke = broke
        self.failed = False

    def load(self) -> Ledger:
        """The ledger of the commit that the next save will stand on."""
        return self._ledger.ledger_at(self._tip)

    def claim(self) -> None:
        """Take the lock by a commit that changes nothing else; Locked where another is quicker."""
        files = dict(self._tip.files) | {HOLDER: self._holder.encode()}
        self._write(files, f"Take the lock for {self._holder}\n\n{_LOCK_ONLY}taken\n", claims=True)

    def save(self, ledger: Ledger, *, message: str, last: bool = False) -> None:
        """Push `ledger` as one commit with `message`; `last` frees the lock with it.

        A last save of what the ref holds already, by a run that never took the lock, is no
        commit: an apply that found nothing to do leaves no trace.
        """
        data = encode(ledger, store=self._ledger.store)
        if last and not self._claimed and HOLDER not in self._tip.files and self._is_there(data):
            return
        files: dict[str, bytes | str] = {LEDGER: data}
        if not last:
            files[HOLDER] = self._holder.encode()
        self._write(files, message, claims=not last)

    def retire(self, *, message: str) -> None:
        """Push a commit without any file, if there is a ledger."""
        if LEDGER in self._tip.files:
            self._write({}, message, claims=False)

    def free(self) -> None:
        """Free the lock if this run still has it; LedgerError where that fails."""
        if not self._claimed:
            return
        # What is at the remote counts: the answer to the last push may have been lost.
        tip = self._ledger.ref.read()
        if self._ledger.holder_at(tip) == self._holder:
            self._ledger.push_without_holder(tip, f"Free the lock of {self._holder}")
        self._claimed = False

    def _is_there(self, data: bytes) -> bool:
        blob = self._tip.files.get(LEDGER)
        return blob is not None and self._ledger.ref.blob(blob) == data

    def _write(self, files: dict[str, bytes | str], message: str, *, claims: bool) -> None:
        ref = self._ledger.ref
        commit = ref.commit(self._tip.commit, files, message)
        self._claimed = self._claimed or claims
        self.failed = True
        if not self._ledger.push(self._tip.commit, commit):
            if not self._pushed:
                raise self._ledger.overtaken()
            raise LedgerNotWritten(
                f"Another run took {ref.name} over while this one went on.",
                hint="Let one run at a time apply to a store, and `unlock` only dead ones. What "
                "this run had sent stays in doubt and is sent again by the next apply.",
            )
        self._tip = Tip(commit, ref.files(commit))
        self._pushed = True
        self._claimed = claims
        self.failed = False
