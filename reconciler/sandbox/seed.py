"""Seeds: the state of the remote at the start of a demonstration. Deterministic.

A drifted remote is like a shop before its catalogue is kept in git: some products are missing, some
were edited by hand, some are no longer sold, and many have size charts and fabrics that somebody
entered by hand.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.sandbox.store import SandboxStore

_MISSING: Final = 8
_RETAGGED: Final = 6
_RENAMED: Final = 9

_SIZE_CHART: Final = {
    "S": {"chest": 92, "waist": 78, "length": 68},
    "M": {"chest": 98, "waist": 84, "length": 70},
    "L": {"chest": 104, "waist": 90, "length": 72},
}
_FABRICS: Final = (
    {"linen": 100, "stretch": "none"},
    {"cotton": 95, "elastane": 5, "stretch": "some"},
    {"wool": 80, "polyamide": 20, "stretch": "none"},
)
_FORGOTTEN: Final[Sequence[tuple[str, str, list[str]]]] = (
    ("old-4471", "Corduroy blazer", ["autumn", "blazer"]),
    ("old-4480", "Sample, do not sell", []),
    ("old-4502", "Straw hat", ["hat", "summer"]),
)


def seed_drifted(
    store: SandboxStore,
    products: Iterable[Mapping[str, Any]],
    renames: Iterable[tuple[str, str]] = (),
) -> None:
    """Fill the store with a remote that has drifted from these products.

    A product is a mapping of the catalogue's fields (`tags` is a list; None or absent means
    unmanaged). `renames` are pairs of old and new store_ids; such a product has its old one. Of the
    others every eighth is missing, every sixth has other tags, every ninth another name. Three
    undeclared products are added.
    """
    old_ids = {new: old for old, new in renames}
    drifted = []
    for number, product in enumerate(products):
        old_id = old_ids.get(str(product["store_id"]))
        if old_id is not None:
            drifted.append({**product, **_by_hand(number), "store_id": old_id})
        elif number % _MISSING != _MISSING - 1:
            drifted.append({**product, **_by_hand(number), **_edits(number, product)})
    forgotten = [
        {"store_id": store_id, "name": name, "tags": tags, **_by_hand(number)}
        for number, (store_id, name, tags) in enumerate(_FORGOTTEN)
    ]
    store.seed(drifted + forgotten)


def _edits(number: int, product: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were edited by hand in the n-th product."""
    edits: dict[str, Any] = {}
    if number % _RETAGGED == 1:
        tags: Sequence[str] = product.get("tags") or ()
        edits["tags"] = [*tags[1:], "sale"]
    if number % _RENAMED == 3:
        edits["name"] = f"{product['name']} (new)"
    return edits


def _by_hand(number: int) -> dict[str, Any]:
    """The data entered by hand for the n-th product; a third of them has none."""
    if number % 3 == 1:
        return {}
    return {
        "brand": "Robosize Studio",
        "available_sizes": "S,M,L",
        "fit_toughness": 3 + number % 5,
        "size_chart": _SIZE_CHART,
        "fabric": _FABRICS[number % len(_FABRICS)],
    }
