"""Lag: writes that the list does not show yet, so that it is an older snapshot of the shop.

Beside each such write stands the record as it was before. A list shows the oldest of these for a
product, and the product as it is once there is none. Like the faults, this lives as long as the
process and is not in the file.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from reconciler.sandbox.database import Database

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
    """How long a write stays unseen: for so many lists, or (None) until a moment of the clock."""

    lists: int | None
    until: float | None


class Lag:
    """The unseen writes of a sandbox; every method belongs into a transaction of the database."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._connection = database.connection
        self._clock = clock
        self._connection.executescript(_TABLES)

    def wait(self, lists: int | None, seconds: float) -> Wait:
        """The Wait of a write that is made now."""
        return Wait(lists, None if lists is not None else self._clock() + seconds)

    def hide(self, position: int, before: str | None, wait: Wait) -> None:
        """Keep a write unseen; `before` is the record as JSON, None if there was none."""
        self._connection.execute(
            "INSERT INTO unseen (position, before, lists, until) VALUES (?, ?, ?, ?)",
            (position, before, wait.lists, wait.until),
        )

    def begin_list(self) -> None:
        """Begin a list: all its pages show the same writes."""
        self._connection.execute(
            "DELETE FROM unseen WHERE lists = 0 OR until <= ?", (self._clock(),)
        )
        self._connection.execute("UPDATE unseen SET lists = lists - 1")

    def end(self) -> None:
        """Let the list show everything from now on."""
        self._connection.execute("DELETE FROM unseen")

    def page(self, offset: int, limit: int) -> tuple[int, list[str]] | None:
        """The listed count and the records (JSON) of one window; None if nothing is unseen."""
        if self._connection.execute("SELECT 1 FROM unseen LIMIT 1").fetchone() is None:
            return None
        (count,) = self._connection.execute("SELECT count(*) FROM listed").fetchone()
        found = self._connection.execute(
            "SELECT record FROM listed ORDER BY position LIMIT ? OFFSET ?",
            (limit, min(offset, count)),
        )
        return count, [record for (record,) in found.fetchall()]
