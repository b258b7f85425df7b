"""What is measured inside a process of its own: parts of the tool without the rest.

    python -m tests.benchmarks.jobs NAME ARGUMENT...

Each prints one line of JSON.
"""

import io
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic, process_time
from typing import Any, Final

from tests.benchmarks import shop


def make(folder: str, count: str, ledger: str = "ledger") -> dict[str, float]:
    """Write the shop of `count` products, with or without its ledger."""
    shop.write_catalog(Path(folder), int(count))
    if ledger == "ledger":
        shop.write_ledger(Path(folder), int(count))
    return {}


def listing(url: str, concurrency: str) -> dict[str, float]:
    """List everything; seconds, and calls made."""
    from reconciler.interpreter import for_one_command
    from reconciler.remote.calls import Calls
    from reconciler.remote.client import Client

    for_one_command()  # as the command line does
    with Client(url, "bench", Calls(concurrency=int(concurrency))) as client:
        began = monotonic()
        found = client.list()
        seconds = monotonic() - began
        return {"seconds": seconds, "calls": client.calls["GET"], "products": len(found.products)}


def phases(folder: str, url: str) -> dict[str, float]:
    """A plan in its parts, one after the other: CPU seconds and resident megabytes of each."""
    told: dict[str, float] = {}
    mark = [_cpu(), _resident()]

    def note(name: str) -> None:
        now = [_cpu(), _resident()]
        told[f"{name} s"], told[f"{name} MB"] = (
            round(after - before, 3) for after, before in zip(now, mark, strict=True)
        )
        mark[:] = now

    from reconciler.catalog.read import load_catalog
    from reconciler.interpreter import paused
    from reconciler.ledger.codec import decode_ledger
    from reconciler.planning.diff import diff
    from reconciler.remote.client import Client
    from reconciler.settings import load_settings

    note("imports")
    with paused():
        load_settings(environ={}, folder=Path(folder))
        path = Path(folder) / ".reconciler" / "ledger" / "default.jsonl"
        ledger = decode_ledger(path.read_bytes(), store="default", source="ledger")
        note("ledger")
        catalog = load_catalog(Path(folder) / "catalog", working_folder=Path(folder))
        note("catalogue")
        with Client(url, "bench") as client:
            found = client.list()
        note("list")
        plan = diff(catalog, found, ledger)
        note("diff")
    told["changes"] = len(plan.changes)
    return told


def growth(count: str) -> dict[str, float]:
    """Seconds of CPU that `count` changes take to be rendered, saved, read and remembered."""
    from reconciler.applying.journal import FileJournal
    from reconciler.clock import SystemClock
    from reconciler.interpreter import for_one_command
    from reconciler.ledger.codec import decode_ledger, encode_ledger
    from reconciler.model import Ledger
    from reconciler.planning.conclude import in_doubt
    from reconciler.planning.operations import Patch, Post, Remove, as_json, operations
    from reconciler.report.context import Context
    from reconciler.report.formats import FORMATS, render_plan
    from reconciler.report.plan_json import parse_plan

    for_one_command()  # as the command line does
    made = _plan(int(count))
    told: dict[str, float] = {}

    def time(name: str, function: Callable[[], Any]) -> Any:
        began = process_time()
        result = function()
        told[name] = process_time() - began
        return result

    calls = time("operations", lambda: as_json(made, batch=100))
    context = Context(tool="1.0.0", created_at="2026-01-01T00:00:00.000Z", operations=calls)
    for format in FORMATS:
        text = time(format, lambda: render_plan(made, format, context=context))  # noqa: B023
        if format == "json":
            saved = text.encode()
    time("read plan", lambda: parse_plan(saved))
    doubts = time("in doubt", lambda: in_doubt(Ledger(), made))
    data = time("write ledger", lambda: encode_ledger(doubts, store="default"))
    time("read ledger", lambda: decode_ledger(data, store="default", source="ledger"))
    with tempfile.TemporaryDirectory() as folder:

        def journal() -> None:
            with FileJournal(Path(folder), "default", SystemClock(), {}, 5) as journal:
                phases = operations(made, batch=100)
                calls: list[Post | Patch | Remove] = [*phases.updates, *phases.creates]
                for operation in [*calls, *phases.deletes]:
                    journal.after(journal.before(operation), "ok")

        time("journal", journal)
    return told


def _plan(count: int) -> Any:
    """A plan of so many changes: creates, updates and deletes by thirds."""
    from reconciler.catalog.read import load_sources
    from reconciler.model import Ledger, Listing
    from reconciler.planning.diff import diff
    from reconciler.remote.redaction import Redactor
    from reconciler.remote.transport import Response
    from reconciler.remote.wire import read_page

    third = count // 3
    text = io.StringIO()
    text.write("products:\n")
    for number in range(2 * third):
        product = shop.declared(number)
        text.write(shop.yaml_of({**product, "name": f"{product['name']} anew"}))
    catalog = load_sources([("catalog/all.yaml", text.getvalue().encode())], root="catalog")
    records = [shop.record(number) for number in range(third, third + 2 * third)]
    body = json.dumps({"count": len(records), "next": None, "results": records}).encode()
    page = read_page(Response(200, body, "application/json", None), Redactor())
    return diff(catalog, Listing(page.products, (page.raw,)), Ledger())


def _cpu() -> float:
    """The seconds of CPU time of this process and of the children that it had."""
    return sum(os.times()[:4])


def _resident() -> float:
    """The megabytes that this process has in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


JOBS: Final[dict[str, Callable[..., dict[str, float]]]] = {
    "make": make,
    "listing": listing,
    "phases": phases,
    "growth": growth,
}


def main() -> None:
    """Run one job."""
    name, *arguments = sys.argv[1:]
    sys.stdout.write(json.dumps(JOBS[name](*arguments)) + "\n")


if __name__ == "__main__":
    main()
