"""The ledger as a file of the working folder: `.reconciler/ledger/<store>.jsonl`.

What deletes removed is in `<store>.removed.jsonl` beside it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from reconciler.clock import Clock, SystemClock
from reconciler.durable import sync_folder, write
from reconciler.errors import LedgerError, LedgerNotWritten
from reconciler.ledger.archive import Archive
from reconciler.ledger.codec import decode, encode
from reconciler.ledger.holder import Holder
from reconciler.ledger.lock import Claim, FolderLock
from reconciler.ledger.stores import Revision
from reconciler.model import Ledger, Removed


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
        """Where the ledger is, in words for people."""
        return f"the file .reconciler/ledger/{self.store}.jsonl"

    def exists(self) -> bool:
        """Whether the file is there."""
        return self.path.exists()

    def load(self) -> Ledger:
        """The ledger, empty if there is no file; LedgerError if it cannot be read."""
        data = self.read(self.path)
        if data is None:
            return Ledger()
        return decode(data, store=self.store, source=_named(self.path))

    def removed(self) -> Sequence[Removed]:
        """What deletes removed, the oldest first; LedgerError if it cannot be read."""
        return self.archive().read()

    def archive(self) -> Archive:
        """What deletes removed, as it is now; LedgerError if the file cannot be read."""
        return Archive(
            self.read(self.archive_path),
            store=self.store,
            source=_named(self.archive_path),
            clock=self.clock,
        )

    @contextmanager
    def hold(self, *, timeout: float, holder: Holder) -> Iterator["HeldFile"]:
        """Keep other applies out; wait up to `timeout` seconds for one that goes on."""
        with self._lock.held(holder, timeout=timeout) as claim:
            yield HeldFile(self, claim)

    def break_lock(self) -> Holder | None:
        """Free the lock and return whose it was; Locked if its holder still runs here."""
        return self._lock.break_free()

    def history(self, limit: int) -> Sequence[Revision]:
        """Nothing: a file keeps no history."""
        return ()

    def read(self, path: Path) -> bytes | None:
        """The content of one of the two files; None if it is not there."""
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
        """Make one of the two files `data`, or take it away; OSError if that fails.

        Only while held.
        """
        if data == self.read(path):
            return
        if data is not None:
            write(path, data)
            return
        path.unlink()
        sync_folder(path.parent)


def _named(path: Path) -> str:
    """The path as errors and people name it."""
    return f".reconciler/ledger/{path.name}"


class HeldFile:
    """A FileLedger while its lock is held."""

    def __init__(self, ledger: FileLedger, claim: Claim) -> None:
        self._ledger = ledger
        self._claim = claim
        self._archive: Archive | None = None
        """What deletes removed, as it was when the lock was taken; None until that counts."""
        self.lease = claim.lease
        self.broke = claim.broke

    @property
    def lost(self) -> bool:
        """Whether the lease may have been taken over: no further call may be made."""
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
        """Write `removed`, then `ledger`; `message` and `last` are for stores with a history."""
        self.lease.keep()
        place = self._ledger
        if removed and self._archive is None:
            self._archive = place.archive()
        with self._writing():
            if self._archive is not None:
                kept = self._archive.after(removed) if removed else self._archive.data
                place.write(place.archive_path, kept)
            place.write(place.path, encode(ledger, store=place.store))

    def retire(self, *, message: str) -> None:
        """Remove the files."""
        with self._writing():
            self._ledger.write(self._ledger.archive_path, None)
            self._ledger.write(self._ledger.path, None)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep the lock while the file is written; LedgerNotWritten if either fails."""
        try:
            with self._claim.writing():
                yield
        except OSError as error:
            raise LedgerNotWritten(
                f"The ledger {self._ledger.path} cannot be written: {error.strerror or error}.",
                hint="Make room on the disk, and the folder writable for the user who applies.",
            ) from error
