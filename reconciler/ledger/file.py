"""The ledger as a file of the working folder: `.reconciler/ledger/<store>.jsonl`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from reconciler.clock import Clock, SystemClock
from reconciler.durable import sync_folder, write
from reconciler.errors import LedgerError, LedgerNotWritten
from reconciler.ledger.codec import decode, encode
from reconciler.ledger.holder import Holder
from reconciler.ledger.lock import Claim, FolderLock
from reconciler.ledger.stores import Revision
from reconciler.model import Ledger


class FileLedger:
    """The LedgerStore of the kind `file`."""

    def __init__(
        self, folder: Path, *, store: str, clock: Clock | None = None, stop: Event | None = None
    ) -> None:
        self.store = store
        self.path = folder / ".reconciler" / "ledger" / f"{store}.jsonl"
        self._lock = FolderLock(
            folder / ".reconciler" / "lock",
            store=store,
            clock=clock or SystemClock(),
            stop=stop or Event(),
        )

    def describe(self) -> str:
        """Where the ledger is, in words for people."""
        return f"the file .reconciler/ledger/{self.store}.jsonl"

    def exists(self) -> bool:
        """Whether the file is there."""
        return self.path.exists()

    def load(self) -> Ledger:
        """The ledger, empty where there is no file; LedgerError where it cannot be read."""
        data = self._read()
        if data is None:
            return Ledger()
        return decode(data, store=self.store, source=self._source)

    @contextmanager
    def hold(self, *, timeout: float, holder: Holder) -> Iterator["HeldFile"]:
        """Keep other applies out; wait up to `timeout` seconds for one that goes on."""
        with self._lock.held(holder, timeout=timeout) as claim:
            yield HeldFile(self, claim)

    def break_lock(self) -> Holder | None:
        """Free the lock and return whose it was; Locked where its holder still runs here."""
        return self._lock.break_free()

    def history(self, limit: int) -> Sequence[Revision]:
        """Nothing: a file keeps no history."""
        return ()

    @property
    def _source(self) -> str:
        return f".reconciler/ledger/{self.store}.jsonl"

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(
                f"The ledger {self.path} cannot be read: {error.strerror or error}.",
                hint="Make it a file that this user may read.",
            ) from error

    def write(self, data: bytes) -> None:
        """Replace the file by `data`; OSError where that fails. Only while held."""
        if data == self._read():
            return
        write(self.path, data)

    def remove(self) -> None:
        """Remove the file; OSError where that fails. Only while held."""
        self.path.unlink(missing_ok=True)
        sync_folder(self.path.parent)


class HeldFile:
    """A FileLedger while its lock is held."""

    def __init__(self, ledger: FileLedger, claim: Claim) -> None:
        self._ledger = ledger
        self._claim = claim
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

    def save(self, ledger: Ledger, *, message: str, last: bool = False) -> None:
        """Write `ledger`; `message` and `last` are for stores with a history."""
        self.lease.keep()
        with self._writing():
            self._ledger.write(encode(ledger, store=self._ledger.store))

    def retire(self, *, message: str) -> None:
        """Remove the file."""
        with self._writing():
            self._ledger.remove()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Keep the lock while the file is written; LedgerNotWritten where either fails."""
        try:
            with self._claim.writing():
                yield
        except OSError as error:
            raise LedgerNotWritten(
                f"The ledger {self._ledger.path} cannot be written: {error.strerror or error}.",
                hint="Make room on the disk, and the folder writable for the user who applies.",
            ) from error
