"""Products and what a ledger knows, by the names of fields.

A test that writes no row of values by hand is not broken by one more field in the table.
"""

from reconciler.model import (
    INDEX,
    KEYS,
    NOTHING,
    Entries,
    Entry,
    Notes,
    Product,
    RemoteProduct,
    State,
    Value,
    Values,
    slot,
)


def row(**fields: Value | None) -> Values:
    """One value for each field of the table; None for those that are not given."""
    made: list[Value | None] = [None] * len(KEYS)
    for key, value in fields.items():
        made[INDEX[key]] = value
    return tuple(made)


def product(
    store_id: str = "1",
    name: str = "Shirt",
    *,
    file: str = "a.yaml",
    at: int = 0,
    offsets: tuple[int, ...] = (),
    renamed_from: str | None = None,
    notes: Notes = (),
    **fields: Value | None,
) -> Product:
    """A declared product; fields that are not given are unmanaged."""
    values = row(store_id=store_id, name=name, **fields)
    return Product(values, file, at, offsets, renamed_from, notes)


def listed(
    id: str | None,
    store_id: str | None,
    name: str | None = "Shirt",
    tags: Value | None = (),
    **fields: Value | None,
) -> RemoteProduct:
    """A remote product."""
    return RemoteProduct(id, row(store_id=store_id, name=name, tags=tags, **fields))


def entries(state: State = State.CONFIRMED, **fields: Value) -> Entries:
    """Known values of write-only fields, all in one state; nothing is known of the others."""
    made: list[Entry | None] = list(NOTHING)
    for key, value in fields.items():
        made[slot(key)] = Entry(value, state)
    return tuple(made)
