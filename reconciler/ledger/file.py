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
from reconciler.ledger.lock import FolderLock
from reconciler.ledger.stores import HeldLedger, Revision
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
    def hold(self, *, timeout: float, holder: Holder) -> Iterator[HeldLedger]:
        """Keep other applies out; wait up to `timeout` seconds for one that goes on."""
        with self._lock.held(holder, timeout=timeout) as left:
            yield _HeldFile(self, left)

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
        """Replace the file by `data`; LedgerNotWritten where that fails. Only while held."""
        if data == self._read():
            return
        try:
            write(self.path, data)
        except OSError as error:
            raise self._not_written(error) from error

    def remove(self) -> None:
        """Remove the file; LedgerNotWritten where that fails. Only while held."""
        try:
            self.path.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        except OSError as error:
            raise self._not_written(error) from error

    def _not_written(self, error: OSError) -> LedgerNotWritten:
        return LedgerNotWritten(
            f"The ledger {self.path} cannot be written: {error.strerror or error}.",
            hint="Make room on the disk, and the folder writable for the user who applies.",
        )


class _HeldFile:
    """A FileLedger while its lock is held."""

    def __init__(self, ledger: FileLedger, broke: Holder | None) -> None:
        self._ledger = ledger
        self.broke = broke

    def load(self) -> Ledger:
        """The ledger as last written."""
        return self._ledger.load()

    def save(self, ledger: Ledger, *, message: str, last: bool = False) -> None:
        """Write `ledger`; `message` and `last` are for stores with a history."""
        self._ledger.write(encode(ledger, store=self._ledger.store))

    def retire(self, *, message: str) -> None:
        """Remove the file."""
        self._ledger.remove()
