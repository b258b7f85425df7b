"""Lag: writes that the list does not show yet, so that it shows an older state of the shop.

Each such write is kept with the record before it. A list shows the oldest such record of a product,
or else the product as it is.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from reconciler.sandbox.database import Database

# TEMP: like the faults, these writes are forgotten when the process ends.
_TABLES: Final = """
CREATE TEMP TABLE unseen (
    n INTEGER PRIMARY KEY AUTOINCREMENT, position INTEGER NOT NULL, before TEXT,
    lists INTEGER, until REAL
);
CREATE TEMP VIEW listed AS
    SELECT position, record FROM products WHERE position NOT IN (SELECT position FROM unseen)
    UNION ALL
    SELECT position, before FROM unseen AS this WHERE before IS NOT NULL
        AND n = (SELECT min(n) FROM unseen WHERE position = this.position);
"""


class Wait(NamedTuple):
    """How long a write stays unseen: for a number of lists, or until a time of the clock."""

    lists: int | None
    until: float | None


class Lag:
    """The unseen writes of a sandbox; to be used within transactions of the database."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._connection = database.connection
        self._clock = clock
        self._connection.executescript(_TABLES)

    def wait(self, lists: int | None, seconds: float) -> Wait:
        """The Wait of a write that happens now."""
        return Wait(lists, None if lists is not None else self._clock() + seconds)

    def hide(self, position: int, before: str | None, wait: Wait) -> None:
        """Hide a write; `before` is the record before it as JSON, or None."""
        self._connection.execute(
            "INSERT INTO unseen (position, before, lists, until) VALUES (?, ?, ?, ?)",
            (position, before, wait.lists, wait.until),
        )

    def begin_list(self) -> None:
        """Begin a list; all its pages show the same writes."""
        # Deleted before the count goes down, so that `lists: 1` still hides a write from this list.
        self._connection.execute(
            "DELETE FROM unseen WHERE lists = 0 OR until <= ?", (self._clock(),)
        )
        self._connection.execute("UPDATE unseen SET lists = lists - 1")

    def end(self) -> None:
        """Show every write from now on."""
        self._connection.execute("DELETE FROM unseen")

    def page(self, offset: int, limit: int) -> tuple[int, list[str]] | None:
        """The listed count and the records (JSON) of one window; None if no write is unseen."""
        # The view has no index that could skip to an offset, so it is read only if it must be.
        if self._connection.execute("SELECT 1 FROM unseen LIMIT 1").fetchone() is None:
            return None
        (count,) = self._connection.execute("SELECT count(*) FROM listed").fetchone()
        found = self._connection.execute(
            "SELECT record FROM listed ORDER BY position LIMIT ? OFFSET ?",
            (limit, min(offset, count)),
        )
        return count, [record for (record,) in found.fetchall()]
