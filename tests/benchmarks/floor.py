"""The floor script: the least that a plan can be, and nothing else.

    python -m tests.benchmarks.floor CATALOG URL

An event loop over ruamel.yaml's C parser, prepared calls one after the other, pydantic's validator
on each page, and a comparison of tuples. No checks, no places, no messages, no memory of write-only
fields: what the tool costs beyond this is the price of what it promises.
"""

import gc
import sys
from pathlib import Path
from typing import Any, Final

import requests
from pydantic import TypeAdapter
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # has no stubs
from ruamel.yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from typing_extensions import TypedDict

Product = tuple[str, frozenset[str]]

_PAGE: Final = 200


class _Tag(TypedDict):
    name: str


class _Record(TypedDict):
    id: str
    store_id: str
    name: str
    tags: list[_Tag]


class _Answer(TypedDict):
    count: int
    results: list[_Record]


def read(path: Path) -> dict[str, Product]:  # noqa: C901  # one hot loop, a branch an event
    """The products of one file that holds a `products:` list."""
    found: dict[str, Product] = {}
    pull = CParser(path.read_text(encoding="utf-8")).get_event
    depth = 0
    fields: dict[str, Any] = {}
    key: str | None = None
    tags: list[str] | None = None
    while (kind := (event := pull()).__class__) is not StreamEndEvent:
        if kind is ScalarEvent:
            if tags is not None:
                tags.append(event.value)
            elif key is None:
                key = event.value
            else:
                fields[key] = event.value
                key = None
        elif kind is MappingStartEvent:
            depth += 1
            if depth == 2:
                fields, key = {}, None
        elif kind is MappingEndEvent:
            depth -= 1
            if depth == 1:
                found[fields["store_id"]] = fields["name"], frozenset(fields["tags"])
        elif kind is SequenceStartEvent and depth == 2:
            tags = fields[str(key)] = []
        elif kind is SequenceEndEvent:
            tags, key = None, None
    return found


def listed(url: str) -> dict[str, Product]:
    """The products at the remote, page after page."""
    adapter = TypeAdapter(_Answer)
    session = requests.Session()
    session.trust_env = False
    template = session.prepare_request(requests.Request("GET", url))
    found: dict[str, Product] = {}
    count = 1
    while len(found) < count:
        request = template.copy()
        request.url = f"{url}?api_key=bench&limit={_PAGE}&offset={len(found)}"
        page = adapter.validate_json(session.send(request, allow_redirects=False).content)
        count = page["count"]
        for record in page["results"]:
            tags = frozenset([tag["name"] for tag in record["tags"]])
            found[record["store_id"]] = record["name"], tags
    return found


def main() -> int:
    """Compare a catalogue with a remote; the exit code says whether they differ."""
    gc.disable()
    folder, url = sys.argv[1:]
    declared: dict[str, Product] = {}
    for path in sorted(Path(folder).iterdir()):
        declared.update(read(path))
    remote = listed(url)
    changes = [
        store_id for store_id, product in declared.items() if remote.get(store_id) != product
    ]
    changes += [store_id for store_id in remote if store_id not in declared]
    sys.stdout.write(f"{len(declared)} declared, {len(remote)} listed, {len(changes)} differ\n")
    return int(bool(changes))


if __name__ == "__main__":
    sys.exit(main())
