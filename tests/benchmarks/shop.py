"""A made-up shop of any size: its catalogue, what the remote holds of it, and its ledger.

Product number n is the same in every run and in all of these places.
"""

import csv
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

FILES: Final = 100
"""The files over which a catalogue is spread."""
_KINDS: Final = ("shirt", "trousers", "coat", "dress", "skirt", "jumper", "blouse")
_CLOTHS: Final = ("Linen", "Wool", "Cotton", "Silk", "Denim")
_TYPES: Final = ("top", "bottom", "dress", "outerwear")
_HEADER: Final = (
    "ID,Handle,Command,Title,Body HTML,Vendor,Type,Tags,Tags Command,Created At,Updated At,Status,"
    "Published,URL,Row #,Top Row,Custom Collections,Image Type,Image Src,Image Position,"
    "Image Alt Text,Variant ID,Option1 Name,Option1 Value,Variant SKU,Variant Price"
)
_DESCRIPTION: Final = '<p>Cool, light; and "crisp".\n</p>' * 10
_SEASONS: Final = ("spring", "summer", "autumn", "winter")


def store_id(number: int) -> str:
    """The shop's id of product `number`."""
    return f"SKU-{number:07d}"


def declared(number: int, *, type: str | None = None) -> dict[str, Any]:
    """Product `number` as the catalogue declares it."""
    kind = _KINDS[number % len(_KINDS)]
    cloth = _CLOTHS[number // 7 % len(_CLOTHS)]
    return {
        "store_id": store_id(number),
        "name": f"{cloth} {kind} no. {number}",
        "type": type or _TYPES[number % len(_TYPES)],
        "tags": [kind, _SEASONS[number // 3 % len(_SEASONS)], cloth.lower()],
        "image_url": f"https://cdn.example-shop.com/products/{number}/front.jpg",
    }


def write_policy(path: Path) -> None:
    """Thirty rules of all kinds, which every product keeps."""
    words = [*_KINDS, *_SEASONS, *(cloth.lower() for cloth in _CLOTHS)]
    everywhere: list[dict[str, Any]] = [
        {"field": "type", "one_of": list(_TYPES)},
        {"field": "tags", "one_of": words},
        {"field": "image_url", "host": ["cdn.example-shop.com"]},
        {"field": "image_url", "pattern": "https://.*/[0-9]+/front[.]jpg"},
        {"field": "store_id", "pattern": "SKU-[0-9]{7}"},
        {"field": "name", "pattern": "[A-Z][a-z]+ [a-z]+ no[.] [0-9]+"},
        {"require": ["type", "tags", "image_url"]},
    ]
    seasons = [{**rule, "in": f"tag={season}"} for season in _SEASONS[:3] for rule in everywhere]
    plans = [{"plan": "delete", "never": "any"}, {"plan": "create", "at_most": 50}]
    rules = [*everywhere, *seasons, *plans]
    path.write_text(json.dumps({"policy": rules}), encoding="utf-8")


def remote_id(number: int) -> str:
    """Robosize's id of product `number`: of the length that ids have, not in the shop's order."""
    return f"{number * 2654435761 % (1 << 32):08x}{number:016x}"


def record(number: int) -> dict[str, Any]:
    """Product `number` as the list endpoint returns it, every documented field included."""
    product = declared(number)
    return {
        "id": remote_id(number),
        "store_id": product["store_id"],
        "name": product["name"],
        "status": "active",
        "brand": "Example",
        "tags": [{"name": tag} for tag in product["tags"]],
        "fit_toughness": 5,
        "comment": None,
        "image_md": f"https://img.example.com/md/{number}.jpg",
        "available_sizes": "S,M,L,XL,XXL",
        "size_chart": {},
        "fabric": {},
        "handle": f"product-{number}",
    }


def yaml_of(product: dict[str, Any]) -> str:
    """A product as an entry of a `products:` list, as people write it."""
    return (
        f'  - store_id: "{product["store_id"]}"\n'
        f"    name: {product['name']}\n"
        f"    type: {product['type']}\n"
        f"    tags: [{', '.join(product['tags'])}]\n"
        f"    image_url: {product['image_url']}\n"
    )


def write_catalog(folder: Path, count: int, *, files: int = FILES, type: str | None = None) -> Path:
    """Write a catalogue of `count` products in `files` files below `folder`; return its folder."""
    catalog = folder / "catalog"
    catalog.mkdir(parents=True, exist_ok=True)
    share = -(-count // files)
    for file in range(files):
        numbers = range(file * share, min(count, (file + 1) * share))
        if numbers:
            text = "products:\n" + "".join(yaml_of(declared(n, type=type)) for n in numbers)
            (catalog / f"part-{file:03d}.yaml").write_text(text, encoding="utf-8")
    return catalog


def ledger_lines(count: int, store: str = "default") -> Iterator[str]:
    """The ledger of a shop whose `count` products were all applied."""
    yield json.dumps({"format": "reconciler.ledger/1", "store": store})
    for number in sorted(range(count), key=remote_id):
        product = declared(number)
        fields = {
            key: {"value": product[key], "state": "confirmed"} for key in ("image_url", "type")
        }
        record = {"id": remote_id(number), "store_id": product["store_id"], "fields": fields}
        yield json.dumps(record, separators=(",", ":"))
    yield '{"end":true}'


def write_ledger(folder: Path, count: int, store: str = "default") -> Path:
    """Write that ledger where the tool looks for it in the working folder `folder`."""
    path = folder / ".reconciler" / "ledger" / f"{store}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in ledger_lines(count, store))
    return path


def write_export(file: Path, garments: int, rows_each: int) -> None:
    """An export as Matrixify makes it, with so many rows for each product of the shop."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        titles = _HEADER.split(",")
        table = csv.writer(stream)
        table.writerow(titles)
        for number in range(garments):
            product = declared(number)
            for row in range(rows_each):
                cells = {
                    "ID": product["store_id"],
                    "Handle": f"product-{number}",
                    "Title": product["name"],
                    "Body HTML": _DESCRIPTION,
                    "Type": product["type"],
                    "Tags": ", ".join(product["tags"]),
                    "Status": "Active",
                    "Image Src": "" if row else product["image_url"],
                    "Variant ID": str(number * rows_each + row),
                }
                table.writerow([cells.get(title, "") for title in titles])


def write_fleet(folder: Path, stores: int, count: int) -> Path:
    """Write a fleet of stores with the same `count` products, with their ledgers, in git."""
    for number in range(stores):
        name = f"s{number:05d}"
        write_catalog(folder / "shops" / name, count, files=1)
        (folder / "shops" / name / "store.yaml").write_text("prune: none\n", encoding="utf-8")
        write_ledger(folder, count, name)
    text = 'include: ["shops/*/store.yaml"]\n'
    (folder / "reconciler.yaml").write_text(text, encoding="utf-8")
    (folder / ".gitignore").write_text(".reconciler/\n", encoding="utf-8")
    who = ("-c", "user.name=Bench", "-c", "user.email=bench@shop.example")
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "."),
        (*who, "commit", "--message", "A fleet"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder
