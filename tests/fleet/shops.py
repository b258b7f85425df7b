"""Shops for the tests of the fleet, and a place whose workers are threads of this process."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.fleet.place import Place


def write_shops(folder: Path, shops: int, products: int = 2) -> None:
    """Write settings with one file a shop, and a catalogue for each."""
    folder.mkdir(exist_ok=True)
    (folder / "reconciler.yaml").write_text('include: ["shops/*/store.yaml"]\n', encoding="utf-8")
    for shop in range(1, shops + 1):
        catalog = folder / "shops" / f"s{shop}" / "catalog"
        catalog.mkdir(parents=True)
        country = "de" if shop % 2 else "fr"
        text = f"api_key_env: SHOP_{shop}_KEY\nlabels: {{country: {country}, tier: gold}}\n"
        (catalog.parent / "store.yaml").write_text(text, encoding="utf-8")
        names = "".join(
            f"- {{store_id: '{number}', name: Product {number} of {shop}, type: top, "
            "image_url: ''}\n"
            for number in range(products)
        )
        (catalog / "all.yaml").write_text(f"products:\n{names}", encoding="utf-8")


@contextmanager
def in_threads(parallel: int, **_: Any) -> Iterator[Place]:
    """A place whose workers are threads."""
    with ThreadPoolExecutor(parallel) as executor:
        yield Place(executor, parallel, at_once)


def at_once(function: Callable[..., object], *arguments: Any) -> None:
    """A broadcast to the one process that there is."""
    function(*arguments)
