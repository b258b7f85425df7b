"""The ledger as a file of the working folder: `.reconciler/ledger/<store>.jsonl`.

The archive of removed products is `<store>.removed.jsonl` in the same folder.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from reconciler.clock import Clock, SystemClock
from reconciler.durable import sync_folder, write
from reconciler.errors import LedgerError, LedgerNotWritten
from reconciler.ledger.archive import Archive
from reconciler.ledger.codec import decode_ledger, encode_ledger
from reconciler.ledger.holder import Holder
from reconciler.ledger.lock import Claim, FolderLock
from reconciler.model import Ledger, LedgerCommit, Removed


class FileLedger:
    """The LedgerStore of the kind `file`."""

    def __init__(
        self, folder: Path, *, store: str, clock: Clock | None = None, stop: Event | None = None
    ) -> None:
        self.store = store
        self.path = folder / ".reconciler" / "ledger" / f"{store}.jsonl"
        self.archive_path = self.path.with_name(f"{store}.removed.jsonl")
        self.clock = clock or SystemClock()
        self._lock = FolderLock(
            folder / ".reconciler" / "lock",
            store=store,
            clock=self.clock,
            stop=stop or Event(),
        )

    def describe(self) -> str:
        """The location of the ledger, for messages."""
        return f"the file .reconciler/ledger/{self.store}.jsonl"

    def exists(self) -> bool:
        """Whether the file exists."""
        return self.path.exists()

    def load(self) -> Ledger:
        """The ledger, empty if the file does not exist; LedgerError if it cannot be read."""
        data = self.read(self.path)
        if data is None:
            return Ledger()
        return decode_ledger(data, store=self.store, source=_named(self.path))

    def removed(self) -> Sequence[Removed]:
        """The archived removed products, the oldest first; LedgerError if they cannot be read."""
        return self.archive().read()

    def archive(self) -> Archive:
        """The archive of removed products as it is now; LedgerError if it cannot be read."""
        return Archive(
            self.read(self.archive_path),
            store=self.store,
            source=_named(self.archive_path),
            clock=self.clock,
        )

    @contextmanager
    def hold(self, *, timeout: float, holder: Holder) -> Iterator["HeldFile"]:
        """Lock out other applies, waiting up to `timeout` seconds for one that is running."""
        with self._lock.held(holder, timeout=timeout) as claim:
            yield HeldFile(self, claim)

    def break_lock(self) -> Holder | None:
        """Free the lock and return its holder; Locked if that run is alive on this machine."""
        return self._lock.break_free()

    def history(self, limit: int) -> Sequence[LedgerCommit]:
        """Empty, because a file keeps no history."""
        return ()

    def read(self, path: Path) -> bytes | None:
        """The content of one of the two files, or None if it does not exist."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(
                f"The ledger {path} cannot be read: {error.strerror or error}.",
                hint="Make it a file that this user may read.",
            ) from error

    def write(self, path: Path, data: bytes | None) -> None:
        """Write `data` to one of the two files, or remove it; to be called only while held.

        Raises OSError.
        """
        # An apply that changes nothing leaves the file's time alone.
        if data == self.read(path):
            return
        if data is not None:
            write(path, data)
            return
        path.unlink()
        sync_folder(path.parent)


def _named(path: Path) -> str:
    """The path as messages show it."""
    return f".reconciler/ledger/{path.name}"


class HeldFile:
    """A FileLedger whose lock this run holds."""

    def __init__(self, ledger: FileLedger, claim: Claim) -> None:
        self._ledger = ledger
        self._claim = claim
        # The archive as it was before this run's first delete; None until then.
        self._archive: Archive | None = None
        self.lease = claim.lease
        self.broke = claim.broke

    @property
    def lost(self) -> bool:
        """Whether another run may have taken the lease over, so that no further call is allowed."""
        return self.lease.lost

    def load(self) -> Ledger:
        """The ledger as last written."""
        self.lease.keep()
        return self._ledger.load()

    def save(
        self,
        ledger: Ledger,
        *,
        message: str,
        last: bool = False,
        removed: Sequence[Removed] = (),
    ) -> None:
        """Write `removed`, then `ledger`; a file has no use for `message` and `last`."""
        self.lease.keep()
        ledger_file = self._ledger
        # `removed` is all that this run removed, so each save starts from the archive before it.
        if removed and self._archive is None:
            self._archive = ledger_file.archive()
        with self._writing():
            # Removed products first: a crash between the two writes must not lose them (P3).
            if self._archive is not None:
                kept = self._archive.after(removed) if removed else self._archive.data
                ledger_file.write(ledger_file.archive_path, kept)
            ledger_file.write(ledger_file.path, encode_ledger(ledger, store=ledger_file.store))

    def retire(self, *, message: str) -> None:
        """Remove both files."""
        with self._writing():
            # The archive first, so that a crash leaves no archive without its ledger.
            self._ledger.write(self._ledger.archive_path, None)
            self._ledger.write(self._ledger.path, None)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep the lock while a file is written; LedgerNotWritten if that or the writing fails."""
        try:
            with self._claim.writing():
                yield
        except OSError as error:
            raise LedgerNotWritten(
                f"The ledger {self._ledger.path} cannot be written: {error.strerror or error}.",
                hint="Free some disk space, and make the folder writable for the user who applies.",
            ) from error
