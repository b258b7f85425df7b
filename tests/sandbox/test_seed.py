"""The drifted remote of the demonstration."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.seed import seed_drifted
from reconciler.sandbox.store import SandboxStore


def products(number: int) -> list[dict[str, Any]]:
    """So many desired products."""
    return [
        {
            "store_id": str(n),
            "name": f"Product {n}",
            "tags": ["linen", f"tag {n}"],
            "image_url": f"https://cdn.shop/{n}.jpg",
            "type": "top",
        }
        for n in range(number)
    ]


def drifted(desired: list[dict[str, Any]], *renames: tuple[str, str]) -> SandboxStore:
    """A store that drifted from these products."""
    store = SandboxStore()
    seed_drifted(store, desired, renames)
    return store


def test_a_catalogue_of_24_meets_every_kind_of_drift() -> None:
    """The demonstration finds creates, updates of tags and names, a rename and deletes."""
    desired = products(24)
    store = drifted(desired, ("9001", "5"))
    rows = {row.store_id: row for row in store.rows()}
    wanted = {product["store_id"]: product for product in desired}
    assert sorted(wanted.keys() - rows.keys()) == ["15", "23", "5", "7"]
    assert sorted(str(id) for id in rows.keys() - wanted.keys()) == [
        "9001",
        "old-4471",
        "old-4480",
        "old-4502",
    ]
    kept = [(rows[id], wanted[id]) for id in wanted.keys() & rows.keys()]
    assert sum(row.value("tags") != tuple(product["tags"]) for row, product in kept) == 3
    assert sum(row.value("name") != product["name"] for row, product in kept) == 3
    assert all(row.written["type"] == "top" for row, _ in kept)
    assert sum(bool(row.record["size_chart"]) for row in rows.values()) > len(rows) // 2
    assert rows["old-4471"].record["size_chart"]
    store.close()


@given(st.integers(0, 30))
def test_seeding_twice_gives_the_same(number: int) -> None:
    """The same products drift the same way, to the last byte of every record."""
    stores = [drifted(products(number)) for _ in range(2)]
    first, second = ([(row.record, row.written) for row in store.rows()] for store in stores)
    assert first == second
    for store in stores:
        store.close()


def test_unmanaged_fields_are_no_obstacle() -> None:
    """A product that declares neither tags nor picture can drift too."""
    store = drifted([{"store_id": str(n), "name": "x", "tags": None} for n in range(8)])
    assert len(store.rows()) == 10
    store.close()
