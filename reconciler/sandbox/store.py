"""SandboxStore: the sandbox's products and its log of calls, in SQLite.

A row holds the record as it is listed, as JSON text, so that a page is made by joining texts;
values that are never listed have a column of their own. Listings are ordered by position.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from reconciler.model.fields import KEYS, Value
from reconciler.sandbox.calls import Call, CallLog
from reconciler.sandbox.database import Database
from reconciler.sandbox.lag import Lag, Wait
from reconciler.sandbox.records import change_record, hidden, new_record, product_id, to_json

# INDEXED BY: without it SQLite may skip rows in the table, whose pages are full of records.
_PAGE = """
SELECT record FROM products WHERE position >= (
    SELECT position FROM products INDEXED BY by_position ORDER BY position LIMIT 1 OFFSET ?
) ORDER BY position LIMIT ?
"""
# One JSON parameter, since SQLite limits the number of parameters.
_BY_IDS = """
SELECT position, record, written FROM products
WHERE id IN (SELECT value FROM json_each(?)) ORDER BY position
"""
_INSERT = "INSERT INTO products (position, id, store_id, record, written) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One product: `record` as the list shows it, `written` the values that it never shows."""

    position: int
    record: Mapping[str, Any]
    written: Mapping[str, str]

    @property
    def id(self) -> str | None:
        """The service's id; None in a dirty row without an id."""
        return cast("str | None", self.record.get("id"))

    @property
    def store_id(self) -> str | None:
        """The shop's id as text; None if it is null."""
        return _text(self.record.get("store_id"))

    def value(self, key: str) -> Value | None:
        """The value of a field, also of a write-only one; tags as their names, in stored order."""
        if key in self.written:
            return self.written[key]
        value = self.record.get(key)
        if isinstance(value, list):
            return tuple(tag["name"] if isinstance(tag, dict) else str(tag) for tag in value)
        return _text(value)


class SandboxStore:
    """The sandbox's products and calls, in a file or in ":memory:".

    Every method is one transaction; `transaction()` joins several. Safe to use from many threads,
    and by several processes on one file. Raises UsageError if the file cannot be used.
    """

    def __init__(
        self, database: str | Path = ":memory:", *, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = Database(database)
        self.log = CallLog(self._database, clock)
        self._lag = Lag(self._database, clock)
        self._wait: Wait | None = None

    def transaction(self, *, keep: bool = True) -> AbstractContextManager[object]:
        """A transaction around a block; with `keep` false it is rolled back."""
        return self._database.transaction(keep=keep)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # Operations of the API.

    def page(self, offset: int, limit: int) -> tuple[int, list[str]]:
        """The number of listed products, and the records (JSON texts) of one window."""
        with self._database.transaction() as connection:
            lagging = self._lag.page(offset, limit)
            if lagging is not None:
                return lagging
            (count,) = connection.execute("SELECT count(*) FROM products").fetchone()
            found = connection.execute(_PAGE, (min(offset, count), limit)).fetchall()
        return count, [record for (record,) in found]

    def begin_list(self) -> None:
        """Begin a list: until the next one, all pages hide the same unseen writes."""
        with self._database.transaction():
            self._lag.begin_list()

    @contextmanager
    def unseen(self, lists: int | None, seconds: float) -> Iterator[None]:
        """A block whose writes the next lists do not show, as the fault `lag` says."""
        with self._database.transaction():
            self._wait = self._lag.wait(lists, seconds)
            try:
                yield
            finally:
                self._wait = None

    def unlist(
        self, store_id: str | None = None, lists: int | None = None, seconds: float = 1
    ) -> None:
        """Hide the first product (with this store_id) from lists, as the fault `unlist` says."""
        with self._database.transaction():
            row = self.row(store_id)
            if row is not None:
                self._lag.hide(row.position, None, self._lag.wait(lists, seconds))

    def catch_up(self) -> None:
        """Show every write in the list from now on."""
        with self._database.transaction():
            self._lag.end()

    def create(self, values: Mapping[str, Value], *, front: bool = False) -> str:
        """Add a product at the end of the listing, or in front, and return its id."""
        with self._database.transaction():
            id = next(self._ids(1))
            # Records of another sandbox may have been copied here, with ids of the same series.
            while not self.missing([id]):
                id = next(self._ids(1))
            self._insert([(new_record(id, values), hidden(values))], front=front)
        return id

    def missing(self, ids: Iterable[str]) -> list[str]:
        """The ids that no product has."""
        wanted = list(dict.fromkeys(ids))
        present = {row.id for row in self._by_ids(wanted)}
        return [id for id in wanted if id not in present]

    def update(self, ids: Iterable[str], values: Mapping[str, Value]) -> list[StoredRow]:
        """Write these values into the products with these ids; return the changed rows."""
        with self._database.transaction() as connection:
            found = self._by_ids(ids)
            # With the rows as they are before the write: lists go on to show those.
            self._hide(found)
            rows = [_changed(row, values) for row in found]
            connection.executemany(
                "UPDATE products SET store_id = ?, record = ?, written = ? WHERE position = ?",
                ((r.store_id, to_json(r.record), to_json(r.written), r.position) for r in rows),
            )
        return rows

    def delete(self, id: str) -> list[StoredRow]:
        """Remove the product with this id; return the removed rows, if any."""
        with self._database.transaction() as connection:
            rows = self._by_ids([id])
            self._hide(rows)
            connection.execute("DELETE FROM products WHERE id = ?", (id,))
        return rows

    def taken(self, store_id: str, *, but: Sequence[str] = ()) -> bool:
        """Whether a product has this store_id, except for those with the ids `but`."""
        with self._database.transaction() as connection:
            found = connection.execute("SELECT id FROM products WHERE store_id = ?", (store_id,))
            return any(id not in but for (id,) in found.fetchall())

    # Operations only for tests and demonstrations.

    def rows(self) -> list[StoredRow]:
        """Every product, in the order of the listing."""
        with self._database.transaction() as connection:
            found = connection.execute(
                "SELECT position, record, written FROM products ORDER BY position"
            ).fetchall()
        return [_row(row) for row in found]

    def row(self, store_id: str | None = None) -> StoredRow | None:
        """The first product (with this store_id; a numeric one counts as its text), or None."""
        with self._database.transaction() as connection:
            where = "" if store_id is None else "WHERE store_id = ?"
            found = connection.execute(
                f"SELECT position, record, written FROM products {where}"  # noqa: S608 - constants
                " ORDER BY position LIMIT 1",
                () if store_id is None else (store_id,),
            ).fetchone()
        return _row(found) if found else None

    def count(self) -> int:
        """The number of products."""
        with self._database.transaction() as connection:
            (count,) = connection.execute("SELECT count(*) FROM products").fetchone()
        return int(count)

    def renew(self, store_id: str | None = None) -> None:
        """Give the first product (with this store_id) a new id."""
        with self._database.transaction() as connection:
            row = self.row(store_id)
            if row is not None:
                id = next(self._ids(1))
                connection.execute(
                    "UPDATE products SET id = ?, record = ? WHERE position = ?",
                    (id, to_json({**row.record, "id": id}), row.position),
                )

    def seed(self, products: Iterable[Mapping[str, Any]]) -> list[str]:
        """Add products and return their ids.

        A product is a mapping of the catalogue's fields (`tags` is a list; None or absent means not
        set) and of any key of a record (`size_chart`, `status`, …).
        """
        given = list(products)
        with self._database.transaction():
            ids = list(self._ids(len(given)))
            self._insert([_seeded(id, product) for id, product in zip(ids, given, strict=True)])
        return ids

    def insert(
        self, records: Iterable[Mapping[str, Any]], *, exact: bool = False, front: bool = False
    ) -> None:
        """Add records without any check: null or numeric store_ids, unknown keys, anything.

        Missing keys and a missing id are filled in, unless `exact` is set.
        """
        given = [dict(record) for record in records]
        with self._database.transaction():
            if not exact:
                ids = self._ids(len(given))
                given = [{**new_record(next(ids), {}), **record} for record in given]
            self._insert([(record, {}) for record in given], front=front)

    def calls(self, method: str | None = None) -> list[Call]:
        """The recorded calls, oldest first."""
        return self.log.all(method)

    def clear(self) -> None:
        """Remove every product, but keep the log of calls."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM products")
            # What lists still hide or show belongs to the products that are gone.
            self._lag.end()

    def _ids(self, number: int) -> Iterator[str]:
        """New ids, which are never used again, even after deletes."""
        with self._database.transaction() as connection:
            # Not from the rows: the one with the last id may be deleted, and its id never returns.
            (last,) = connection.execute("SELECT last FROM serial").fetchone()
            connection.execute("UPDATE serial SET last = last + ?", (number,))
        return (product_id(serial) for serial in range(last + 1, last + number + 1))

    def _insert(
        self, rows: Sequence[tuple[dict[str, Any], Mapping[str, Any]]], *, front: bool = False
    ) -> None:
        with self._database.transaction() as connection:
            edge, step = ("min", -1) if front else ("max", 1)
            # The position of a deleted product is not free while lists still show it.
            edges = (
                f"coalesce((SELECT {edge}(position) FROM {table}), 0)"  # noqa: S608 - constants
                for table in ("products", "unseen")
            )
            (start,) = connection.execute(f"SELECT {edge}({', '.join(edges)})").fetchone()
            connection.executemany(
                _INSERT,
                (
                    (
                        start + step * number,
                        _text(record.get("id")),
                        _text(record.get("store_id")),
                        to_json(record),
                        to_json(written),
                    )
                    for number, (record, written) in enumerate(rows, 1)
                ),
            )
            self._hide(start + step * number for number in range(1, len(rows) + 1))

    def _hide(self, before: Iterable[StoredRow | int]) -> None:
        """Hide a write within `unseen`: rows before the write, or positions of new rows."""
        if self._wait is None:
            return
        for row in before:
            if isinstance(row, StoredRow):
                self._lag.hide(row.position, to_json(row.record), self._wait)
            else:
                self._lag.hide(row, None, self._wait)

    def _by_ids(self, ids: Iterable[str]) -> list[StoredRow]:
        with self._database.transaction() as connection:
            found = connection.execute(_BY_IDS, (json.dumps(list(ids)),)).fetchall()
        return [_row(row) for row in found]


def _row(row: tuple[int, str, str]) -> StoredRow:
    position, record, written = row
    return StoredRow(position, json.loads(record), json.loads(written))


def _changed(row: StoredRow, values: Mapping[str, Value]) -> StoredRow:
    record = dict(row.record)
    change_record(record, values)
    written = {**row.written, **cast("dict[str, str]", hidden(values))}
    return StoredRow(row.position, record, written)


def _seeded(id: str, product: Mapping[str, Any]) -> tuple[dict[str, Any], Mapping[str, Value]]:
    values = {key: product[key] for key in KEYS if product.get(key) is not None}
    record = new_record(id, values)
    record.update({key: product[key] for key in product if key not in KEYS})
    return record, hidden(values)


def _text(value: object) -> str | None:
    """A value as the text that an index holds; None if it is null."""
    if value is None:
        return None
    # SQLite's text is UTF-8, which has no bytes for the lone surrogates of dirty rows.
    return str(value).encode("utf-8", "replace").decode()
