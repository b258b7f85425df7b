"""The figures, each a ratio to something that is run beside it, in groups that can be chosen."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count as counting
from math import ceil
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks import rivals, shop
from tests.benchmarks.measure import (
    PYTHON,
    TOOL,
    Figure,
    Server,
    Usage,
    cpu_ratio,
    job,
    paired,
    run,
    serving,
    wall_ratio,
)

_LATENCY: Final = 0.05
_AT_ONCE: Final = 32
_MOST_OF_IDEAL: Final = 0.93
_STORES: Final = 16
"""The stores of a fleet that are under way at once, as the settings have it."""
_numbers: Final = counting()


class Bench:
    """One run of the benchmarks: where shops are made, and how often each thing is measured."""

    def __init__(self, folder: Path, times: int) -> None:
        self.folder = folder
        self.times = times

    def shop(self, count: int, *, ledger: bool = True) -> Path:
        """The working folder of a shop of so many products, made once."""
        folder = self.folder / f"shop-{count}{'' if ledger else '-new'}"
        if not folder.exists():
            job("make", folder, count, "ledger" if ledger else "none")
        return folder

    def new_folder(self) -> Path:
        """A folder that is not there yet."""
        return self.folder / f"made-{next(_numbers)}"


def plan(server: Server, folder: Path) -> Usage:
    """One plan by the command line, of a shop in sync."""
    usage = run([*TOOL, "plan", "--quiet"], folder=folder, environ=server.environ)
    assert "Nothing to change" in usage.output, usage.output[-500:]
    return usage


def floor(bench: Bench) -> Iterator[Figure]:
    """CPU time of a plan against the least that a plan can be."""
    folder = bench.shop(100_000)
    script = [PYTHON, "-m", "tests.benchmarks.floor", str(folder / "catalog")]
    with serving(100_000) as server:
        pairs = paired(
            bench.times, lambda: plan(server, folder), lambda: run([*script, server.url])
        )
    note = f"{median(p.cpu for p, _ in pairs):.2f} s : {median(f.cpu for _, f in pairs):.2f} s CPU"
    yield Figure("plan, 100,000 in 100 files: CPU, against the floor", cpu_ratio(pairs), 2.0,
                 note=note)  # fmt: skip


def policy(bench: Bench) -> Iterator[Figure]:
    """CPU time of a plan under thirty rules that all hold, against that of one without rules."""
    folder = bench.shop(100_000)
    shop.write_policy(folder / "policy.yaml")
    ruled = [*TOOL, "plan", "--quiet", "--config", "policy.yaml"]
    with serving(100_000) as server:
        pairs = paired(
            bench.times,
            lambda: run(ruled, folder=folder, environ=server.environ),
            lambda: plan(server, folder),
        )
    note = f"{median(p.cpu for p, _ in pairs):.2f} s : {median(f.cpu for _, f in pairs):.2f} s CPU"
    yield Figure("plan, 100,000 under 30 rules: CPU, against none", cpu_ratio(pairs), 1.25,
                 note=note)  # fmt: skip


def files(bench: Bench) -> Iterator[Figure]:
    """CPU time of a plan of a file for each product, against that of the same in 100 files."""
    count = 10_000
    few, many = bench.shop(count), bench.new_folder()
    shop.write_catalog(many, count, files=count)
    shop.write_ledger(many, count)
    with serving(count) as server:
        pairs = paired(bench.times, lambda: plan(server, many), lambda: plan(server, few))
    note = f"{median(m.cpu for m, _ in pairs):.2f} s : {median(f.cpu for _, f in pairs):.2f} s CPU"
    yield Figure(
        "plan, 10,000 in 10,000 files: CPU, against 100 files", cpu_ratio(pairs), note=note
    )


def imports(bench: Bench) -> Iterator[Figure]:
    """CPU time of an import to a diff, against checking what comes of it; peak memory by rows."""
    peaks = {}
    for garments, rows_each in ((100_000, 1), (25_000, 1), (25_000, 4)):
        folder = bench.new_folder()
        shop.write_export(folder / "export.csv", garments, rows_each)
        settings = 'imports: {shop: {types: {"*": top}}}\n'
        (folder / "reconciler.yaml").write_text(settings, encoding="utf-8")
        command = [*TOOL, "-q", "import", "shop", "export.csv", "--catalog", "made"]
        run([*command, "--into", "made/all.yaml", "--write"], folder=folder)
        command[-1] = "none-yet"
        pairs = paired(
            bench.times,
            lambda: run([*command, "--into", "none-yet/all.yaml"], folder=folder),  # noqa: B023
            lambda: run([*TOOL, "validate", "--catalog", "made"], folder=folder),  # noqa: B023
        )
        peaks[garments, rows_each] = median(diff.peak for diff, _ in pairs)
        if garments * rows_each == 100_000:
            note = (
                f"{median(d.cpu for d, _ in pairs):.2f} s : {median(c.cpu for _, c in pairs):.2f} s"
            )
            name = f"import, 100,000 rows of {garments:,} products: CPU, against validate"
            yield Figure(name, cpu_ratio(pairs), 6, note=f"{note} CPU")
    few, many = peaks[25_000, 1], peaks[25_000, 4]
    yield Figure("import, four times the rows: peak memory", many / few, 1.1,
                 note=f"{few / 1e6:.0f} MB : {many / 1e6:.0f} MB")  # fmt: skip


def memory(bench: Bench) -> Iterator[Figure]:
    """Peak memory by which a plan grows with each product: a shop's first, and any later one."""
    for name, ledger, line in (("first plan", False, 1.5), ("plan with a ledger", True, None)):
        peaks = []
        for count in (1_000, 100_000):
            folder = bench.shop(count, ledger=ledger)
            with serving(count) as server:
                peaks.append(median(plan(server, folder).peak for _ in range(bench.times)))
        grown = (peaks[1] - peaks[0]) / 99_000
        note = f"{peaks[0] / 1e6:.0f} MB at 1,000, {peaks[1] / 1e6:.0f} MB at 100,000"
        yield Figure(f"{name}, 100,000: peak memory per product", grown / 1000, line, unit="KB",
                     note=note)  # fmt: skip


def peers(bench: Bench) -> Iterator[Figure]:
    """Wall time of a plan against Terraform's and octoDNS's, of as many objects."""
    for count, line in ((10_000, 20.0), (100_000, None)):
        name = f"plan, {count:,}: wall, Terraform's against ours"
        if line and rivals.has_terraform():
            theirs = rivals.terraform_folder(bench.new_folder(), count, applied=True)
            # It takes minutes: once is enough.
            yield _compared(bench, name, count, line, partial(rivals.terraform_plan, theirs), 1)
        elif line:
            yield Figure(name, None, line, at_most=False)
    for count, line in ((10_000, 8.0), (100_000, 15.0)):
        name = f"plan, {count:,}: wall, octoDNS's against ours"
        if rivals.has_octodns():
            theirs = rivals.octodns_folder(bench.new_folder(), count)
            rival = partial(rivals.octodns_plan, theirs)
            yield _compared(bench, name, count, line, rival, bench.times)
        else:
            yield Figure(name, None, line, at_most=False)


def _compared(
    bench: Bench, name: str, count: int, line: float, rival: Callable[[], Usage], times: int
) -> Figure:
    folder = bench.shop(count)
    with serving(count) as server:
        pairs = paired(times, rival, lambda: plan(server, folder))
    theirs, ours = (median(usage.wall for usage in side) for side in zip(*pairs, strict=True))
    note = f"{theirs:.1f} s : {ours:.2f} s"
    return Figure(name, wall_ratio(pairs), line, at_most=False, note=note)


def listing(bench: Bench) -> Iterator[Figure]:
    """How near a list comes to what latency, page size and concurrency allow."""
    count, page = 100_000, 50
    rounds = 1 + ceil((count / page - 1) / _AT_ONCE)
    reached: list[tuple[float, float]] = []
    with serving(count, latency_ms=1000 * _LATENCY, page_max=page) as server:
        for _ in range(bench.times):
            seconds = job("listing", server.url, _AT_ONCE)["seconds"]
            reached.append((rounds * server.measured()["GET"]["latency"], seconds))
    yield _of_the_ideal("list, 100,000 at 50 ms, 32 at once: of the ideal", reached)


def _of_the_ideal(
    name: str, reached: list[tuple[float, float]], line: float | None = _MOST_OF_IDEAL
) -> Figure:
    """What latency and concurrency allow, against the seconds that it took."""
    share = median(ideal / seconds for ideal, seconds in reached)
    ideal, seconds = (median(values) for values in zip(*reached, strict=True))
    note = f"{ideal:.2f} s : {seconds:.2f} s"
    return Figure(name, share, line, at_most=False, unit="", note=note)


def apply_creates(bench: Bench, count: int, latency: float) -> tuple[Usage, dict[str, float]]:
    """One apply of so many creates, and what the server measured of them."""
    folder = bench.new_folder()
    shop.write_catalog(folder, count)
    with serving(0, latency_ms=1000 * latency) as server:
        usage = run(
            [*TOOL, "apply", "--yes", "--quiet"],
            folder=folder,
            environ={**server.environ, "RECONCILER_REQUESTS__CONCURRENCY": str(_AT_ONCE)},
        )
        posts = server.measured()["POST"]
        assert posts["calls"] == count, posts
    return usage, posts


def creates(bench: Bench) -> Iterator[Figure]:
    """How near creates come to what latency and concurrency allow, and against Terraform."""
    count = 2_000
    rounds = ceil(count / _AT_ONCE)
    posts = [apply_creates(bench, count, _LATENCY)[1] for _ in range(bench.times)]
    reached = [(rounds * post["latency"], post["seconds"]) for post in posts]
    yield _of_the_ideal("2,000 creates at 50 ms, 32 at once: of the ideal", reached)
    name = "2,000 creates: wall, Terraform's apply against ours"
    if not rivals.has_terraform():
        yield Figure(name, None, 20, at_most=False)
        return
    theirs = rivals.terraform_apply(
        rivals.terraform_folder(bench.new_folder(), count, applied=False)
    )
    ours = median(apply_creates(bench, count, 0)[0].wall for _ in range(bench.times))
    yield Figure(
        name, theirs.wall / ours, 20, at_most=False, note=f"{theirs.wall:.1f} s : {ours:.2f} s"
    )


def calls(bench: Bench) -> Iterator[Figure]:
    """How many calls realistic changes take, against the fewest that can carry them."""
    base = [shop.declared(number) for number in range(1_000)]
    moved = [{**product, "type": "knitwear"} for product in base]
    renamed = [{**product, "name": f"{product['name']} II"} for product in moved]
    retagged = [
        {**product, "tags": [tag.replace("winter", "winter sale") for tag in product["tags"]]}
        for product in base
    ]
    fewest = _fewest([p["tags"] for p, old in zip(retagged, base, strict=True) if p != old])
    for name, products, line in (
        ("calls: one new type for 1,000", moved, 10),
        ("calls: 1,000 new names and one new type", renamed, 1_000),
        (f"calls: retag a season of 1,000 (fewest: {fewest})", retagged, fewest),
    ):
        folder = bench.new_folder()
        (folder / "catalog").mkdir(parents=True)
        text = "products:\n" + "".join(shop.yaml_of(product) for product in products)
        (folder / "catalog" / "all.yaml").write_text(text, encoding="utf-8")
        shop.write_ledger(folder, 1_000)
        with serving(1_000) as server:
            out = folder / "plan.json"
            run([*TOOL, "plan", "--quiet", "--out", out], folder=folder, environ=server.environ)
        found = len(json.loads(out.read_text(encoding="utf-8"))["operations"])
        yield Figure(name, found, line, unit="")


def _fewest(values: list[list[str]], batch: int = 100) -> int:
    """The fewest calls that set these values: one value a call, `batch` products at the most."""
    alike: dict[tuple[str, ...], int] = {}
    for value in values:
        key = tuple(sorted(value))
        alike[key] = alike.get(key, 0) + 1
    return sum(ceil(number / batch) for number in alike.values())


def start(bench: Bench) -> Iterator[Figure]:
    """How long the tool takes to say something about itself, against Python that says nothing."""
    folder = bench.new_folder()
    folder.mkdir()
    for option, line in (("--version", 3.0), ("--help", 8.0)):
        pairs = paired(
            10 * bench.times,
            lambda: run([*TOOL, option], folder=folder),  # noqa: B023
            lambda: run([PYTHON, "-c", "pass"], folder=folder),
        )
        note = f"{1000 * median(tool.cpu for tool, _ in pairs):.0f} ms CPU"
        yield Figure(f"reconciler {option}: CPU, against python -c pass", cpu_ratio(pairs), line,
                     note=note)  # fmt: skip


def formatting(bench: Bench) -> Iterator[Figure]:
    """CPU time of bringing one large file into form, against that of reading it."""
    folder = bench.new_folder()
    shop.write_catalog(folder, 12_000, files=1)
    pairs = paired(
        bench.times,
        lambda: run([*TOOL, "fmt", "--check"], folder=folder, codes=[2]),
        lambda: run([*TOOL, "validate"], folder=folder),
    )
    note = f"{median(f.cpu for f, _ in pairs):.2f} s : {median(v.cpu for _, v in pairs):.2f} s CPU"
    yield Figure("fmt, 12,000 in one file: CPU, against validate", cpu_ratio(pairs), 3.0,
                 note=note)  # fmt: skip


def linear(bench: Bench) -> Iterator[Figure]:
    """Whether ten times the changes take ten times as long, in whatever handles changes."""
    small, large = job("growth", 10_000), job("growth", 100_000)
    for name, seconds in large.items():
        # What takes no time is of no interest, and its ratio is noise.
        if seconds > 0.1:
            ratio = seconds / max(small[name], 0.001)
            yield Figure(f"{name}: CPU at 100,000 changes against 10,000", ratio, 15,
                         note=f"{seconds:.2f} s")  # fmt: skip


def fleet(bench: Bench) -> Iterator[Figure]:
    """300 stores of 200 products: against latency and cap, separate plans, one core; memory."""
    stores, count, page = 300, 200, 50
    folder = shop.write_fleet(bench.new_folder(), stores, count)
    for name, at_once, rounds, line in (
        # A call at once for each store: page after page. Neighbours share a product, which proves
        # the list (see remote/paging.py), so 200 products take five pages of 50 and not four.
        ("16 calls at once", 1, 1 + ceil((count - page) / (page - 1)), 0.9),
        # The first page tells how many there are, the others come side by side: here a plan of 200
        # products takes two cores about as long as its calls take.
        ("16 stores at once", 16, 2, None),
    ):
        reached = []
        with serving(count, latency_ms=1000 * _LATENCY, page_max=page) as server:
            for _ in range(bench.times):
                concurrency = {"RECONCILER_REQUESTS__CONCURRENCY": str(at_once)}
                fleet_plan(server, folder, stores, **concurrency)
                listed = server.measured()["GET"]
                ideal_seconds = rounds * listed["latency"] * stores / _STORES
                reached.append((ideal_seconds, listed["seconds"]))
        yield _of_the_ideal(f"fleet plan, 300 stores, 50 ms, {name}: of the ideal", reached, line)
    with serving(count, page_max=page) as server:
        rate = 100.0
        fleet_plan(server, folder, stores, RECONCILER_FLEET__RATE=str(rate))
        listed = server.measured()["GET"]
    ideal = (listed["calls"] / rate, listed["seconds"])
    yield _of_the_ideal("fleet plan, 300 stores, 100 calls a second: of the ideal", [ideal], 0.9)
    with serving(count) as server:
        one = [*TOOL, "plan", "--quiet", "--store", "s00000"]
        pairs = paired(
            bench.times,
            lambda: fleet_plan(server, folder, stores),
            lambda: run(one, folder=folder, environ=server.environ),
        )
        separate = median(single.cpu for _, single in pairs) * stores
        together = median(whole.cpu for whole, _ in pairs)
        yield Figure("fleet plan, 300 stores: CPU, against 300 plans", together / separate, 0.6,
                     note=f"{together:.1f} s : {separate:.0f} s CPU")  # fmt: skip
    # One core has all of it, the server too: else that would have the other core to itself.
    alone = ("taskset", "-c", "0")
    with serving(count, prefix=alone) as server_alone, serving(count) as server:
        cores = paired(
            bench.times,
            lambda: fleet_plan(server_alone, folder, stores, prefix=alone),
            lambda: fleet_plan(server, folder, stores),
        )
    walls = [median(usage.wall for usage in side) for side in zip(*cores, strict=True)]
    yield Figure(
        "fleet plan, 300 stores: wall on one core, against all",
        wall_ratio(cores),
        1.7,
        at_most=False,
        note=f"{walls[0]:.1f} s : {walls[1]:.1f} s",
    )
    peaks = []
    for number in (100, 1_100):
        few = shop.write_fleet(bench.new_folder(), number, 2)
        with serving(2) as server:
            peaks.append(fleet_plan(server, few, number).peak)
    yield Figure(
        "fleet plan: peak memory per store",
        (peaks[1] - peaks[0]) / 1_000 / 1_000,
        50,
        unit="KB",
        note=f"{peaks[1] / 1e6:.0f} MB at 1,100",
    )


def fleet_plan(
    server: Server, folder: Path, stores: int, *, prefix: Sequence[str] = (), **environ: str
) -> Usage:
    """One plan of a fleet that is in sync."""
    usage = run(
        [*prefix, *TOOL, "fleet", "plan", "--quiet"],
        folder=folder,
        environ={**server.environ, **environ},
    )
    assert f"{stores} stores, 0 with changes" in usage.output, usage.output[-500:]
    return usage


def scale(bench: Bench) -> Iterator[Figure]:
    """A plan of a million products: its time, its peak, and where both go."""
    count = 1_000_000
    with serving(count) as server:
        for name, ledger in (("first plan", False), ("plan with a ledger", True)):
            folder = bench.shop(count, ledger=ledger)
            usage = plan(server, folder)
            note = f"{usage.wall:.0f} s wall, {usage.cpu:.0f} s CPU"
            yield Figure(f"{name}, 1,000,000: peak memory", usage.peak / 1e9, 1.6, unit="GB",
                         note=note)  # fmt: skip
        for name, value in job("phases", folder, server.url).items():
            yield Figure(f"plan with a ledger, 1,000,000, in parts: {name}", value, unit="")


GROUPS: Final[dict[str, Callable[[Bench], Iterator[Figure]]]] = {
    "start": start,
    "calls": calls,
    "floor": floor,
    "policy": policy,
    "files": files,
    "imports": imports,
    "memory": memory,
    "listing": listing,
    "creates": creates,
    "peers": peers,
    "formatting": formatting,
    "linear": linear,
    "fleet": fleet,
    "scale": scale,
}
"""The groups by name; `scale` runs only where it is asked for."""
