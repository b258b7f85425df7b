"""Seeds: what a demonstration finds at the remote before its first plan. Deterministic.

A drifted remote is the state a shop is in before anyone keeps it in git: most products are there,
some are missing, some were edited by hand, some were forgotten, and much of it carries size charts
and fabrics that somebody typed in and nobody wants to lose.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.sandbox.store import Store

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
    store: Store,
    products: Iterable[Mapping[str, Any]],
    renames: Iterable[tuple[str, str]] = (),
) -> None:
    """Leave the store in a state that has drifted from these products.

    A product is a plain mapping of the catalogue's fields (`tags` a list of text; None or absent:
    unmanaged). `renames` are pairs of store_ids, old and new: such a product stands under its old
    one. Of the rest every eighth is missing, every sixth has other tags, every ninth another name;
    three products that nobody declares are there as well.
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
    """What somebody changed in the n-th product behind the catalogue's back."""
    edits: dict[str, Any] = {}
    if number % _RETAGGED == 1:
        tags: Sequence[str] = product.get("tags") or ()
        edits["tags"] = [*tags[1:], "sale"]
    if number % _RENAMED == 3:
        edits["name"] = f"{product['name']} (new)"
    return edits


def _by_hand(number: int) -> dict[str, Any]:
    """What somebody typed in at Robosize for the n-th product: a third has nothing."""
    if number % 3 == 1:
        return {}
    return {
        "brand": "Robosize Studio",
        "available_sizes": "S,M,L",
        "fit_toughness": 3 + number % 5,
        "size_chart": _SIZE_CHART,
        "fabric": _FABRICS[number % len(_FABRICS)],
    }
