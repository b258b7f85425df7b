"""The sandbox's SQLite file: one connection, one writer at a time, one schema.

Each query is short (a page of 200 among 100,000 rows takes under a millisecond), so it runs in the
event loop itself: a thread pool would cost more than it saves.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconciler.errors import UsageError

# The application_id and user_version that the schema below sets.
_OWNER: Final = 1381191236
_VERSION: Final = 1

# `by_position` looks redundant beside the primary key, but makes a large offset cheap: skipped rows
# are counted in an index of integers, not in pages full of records.
_SCHEMA: Final = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS products (
    position INTEGER PRIMARY KEY, id TEXT, store_id TEXT,
    record TEXT NOT NULL, written TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_position ON products (position);
CREATE INDEX IF NOT EXISTS by_id ON products (id);
CREATE INDEX IF NOT EXISTS by_store_id ON products (store_id);
CREATE TABLE IF NOT EXISTS calls (
    n INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, method TEXT NOT NULL,
    query TEXT NOT NULL, body TEXT NOT NULL, status INTEGER, effect TEXT,
    ids TEXT NOT NULL DEFAULT '[]', store_ids TEXT NOT NULL DEFAULT '[]',
    faults TEXT NOT NULL DEFAULT '[]'
);
CREATE TABLE IF NOT EXISTS serial (last INTEGER NOT NULL);
INSERT INTO serial SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM serial);
PRAGMA application_id = 1381191236;
PRAGMA user_version = 1;
COMMIT;
"""


class Database:
    """One open SQLite database, safe to use from many threads.

    `path` is ":memory:" or a file, which is made with its folders if it does not exist. Raises
    UsageError if it cannot be opened or belongs to another program.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        # Reentrant, since transactions nest.
        self._lock = threading.RLock()
        self._depth = 0
        try:
            if self.path != ":memory:":
                Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            # Without an isolation level sqlite3 begins no transaction itself: `transaction` does.
            self.connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(f"cannot be opened: {error}") from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise self._unusable(f"cannot be used: {error}") from error
        except UsageError:
            self.close()
            raise

    def _unusable(self, why: str) -> UsageError:
        return UsageError(
            f"The sandbox database {self.path} {why}.",
            hint="Name another file, or delete this one if you do not need it.",
        )

    def _prepare(self) -> None:
        """Set up the connection, and make the tables if there are none."""
        execute = self.connection.execute
        # Read the tables first: if another process has just made them, it has also set the marks.
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        (owner,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        if tables and owner != _OWNER:
            raise self._unusable("belongs to another program")
        if tables and version != _VERSION:
            raise self._unusable(f"has version {version} of the tables, this tool reads {_VERSION}")
        # With a write-ahead log other processes can read while one writes.
        execute("PRAGMA journal_mode = WAL")
        # With a write-ahead log a power cut then costs the last calls at most, never the file.
        execute("PRAGMA synchronous = NORMAL")
        execute("PRAGMA cache_size = -32768")
        if not tables:
            self.connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction around the block.

        It is rolled back if `keep` is false or an exception passes. Transactions nest, and the
        outermost one decides.
        """
        with self._lock:
            if self._depth:
                yield self.connection
                return
            # A transaction that read first could fail as busy when it wants to write, whatever the
            # timeout.
            self.connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield self.connection
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            else:
                self.connection.execute("COMMIT" if keep else "ROLLBACK")
            finally:
                self._depth = 0

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self.connection.close()
