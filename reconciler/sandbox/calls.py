"""The log of calls: each request, its effect and its status.

Tests compare an apply's report with it. It never holds the API key.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from reconciler.sandbox.database import Database

EffectKind: TypeAlias = Literal["listed", "created", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one call did: the products by id and, in the same order, by store_id."""

    kind: EffectKind
    ids: tuple[str, ...] = ()
    store_ids: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call.

    `status` is None if no answer was sent (a dropped connection) or not yet. `effect` is None if
    the call changed and listed nothing; `ids` and `store_ids` are those it wrote. `faults` holds
    the kinds of the faults that fired.
    """

    n: int
    time: float
    method: str
    query: Mapping[str, str]
    body: str
    status: int | None
    effect: EffectKind | None
    ids: tuple[str, ...]
    store_ids: tuple[str | None, ...]
    faults: tuple[str, ...]

    @property
    def json(self) -> Any:
        """The parsed body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


_COLUMNS: Final = "n, time, method, query, body, status, effect, ids, store_ids, faults"


class CallLog:
    """The table of calls in a sandbox's database; `clock` gives seconds since 1970."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def arrived(
        self, method: str, query: Mapping[str, str], body: str, faults: Sequence[str] = ()
    ) -> int:
        """Record a call on its arrival and return its number."""
        values = (
            self._clock(),
            method,
            json.dumps(dict(query)),
            # SQLite's text is UTF-8, which has no bytes for lone surrogates.
            body.encode("utf-8", "replace").decode(),
            json.dumps(list(faults)),
        )
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO calls (time, method, query, body, faults) VALUES (?, ?, ?, ?, ?)",
                values,
            )
            return int(cursor.lastrowid or 0)

    def did(self, n: int, effect: Effect | None) -> None:
        """Record the effect of a call; to be called in the same transaction."""
        if effect is None:
            return
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE calls SET effect = ?, ids = ?, store_ids = ? WHERE n = ?",
                (effect.kind, json.dumps(effect.ids), json.dumps(effect.store_ids), n),
            )

    def answered(self, n: int, status: int | None) -> None:
        """Record the status that is about to be sent."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE calls SET status = ? WHERE n = ?", (status, n))

    def all(self, method: str | None = None) -> list[Call]:
        """Every recorded call, or those of one method, oldest first."""
        with self._database.transaction() as connection:
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM calls WHERE ?1 IS NULL OR method = ?1 ORDER BY n",  # noqa: S608 - constants
                (method,),
            ).fetchall()
        return [_call(row) for row in found]

    def clear(self) -> None:
        """Delete every recorded call; the numbers continue."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM calls")


def _call(row: tuple[Any, ...]) -> Call:
    n, moment, method, query, body, status, effect, ids, store_ids, faults = row
    return Call(
        n=n,
        time=moment,
        method=method,
        query=json.loads(query),
        body=body,
        status=status,
        effect=effect,
        ids=tuple(json.loads(ids)),
        store_ids=tuple(json.loads(store_ids)),
        faults=tuple(json.loads(faults)),
    )
