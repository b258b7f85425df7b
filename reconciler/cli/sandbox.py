"""`reconciler sandbox`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import FILE, FOLDER, pass_invocation
from reconciler.errors import UsageError
from reconciler.sandbox.paging import PAGE_MAX

if TYPE_CHECKING:
    from reconciler.model import Product
    from reconciler.sandbox.store import SandboxStore

Seed: TypeAlias = Callable[["SandboxStore"], object]

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_MEMORY: Final = ":memory:"
_DEFAULT_DATABASE: Final = ".reconciler/sandbox.sqlite3"


@named("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="The port; 0 takes any free one.",
)
@click.option(
    "--db",
    default=_DEFAULT_DATABASE,
    show_default=True,
    metavar="FILE",
    help="The database of its products; :memory: keeps them only until it ends.",
)
@click.option(
    "--seed",
    type=Choice(["drifted", "catalog", "empty"]),
    help="Start with a remote that drifted from the catalogue, with the catalogue, or empty.",
)
@click.option("--seed-only", is_flag=True, help="Fill the database and exit.")
@click.option("--catalog", type=FOLDER, metavar="DIR", help="The catalogue's folder, for --seed.")
@click.option("--api-key", metavar="TEXT", help="Accept only this key, instead of any.")
@click.option(
    "--latency-ms", type=click.FloatRange(0, 600_000), default=0, help="Delay each answer."
)
@click.option(
    "--page-max",
    type=click.IntRange(min=1),
    default=PAGE_MAX,
    show_default=True,
    help="The most products on one page.",
)
@click.option("--faults", type=FILE, metavar="FILE", help="Misbehave as this JSON file says.")
@click.option(
    "--shops",
    type=click.IntRange(min=1, max=10_000),
    metavar="N",
    help="Be N remotes, each with its own key (shop-1, shop-2, …) and products.",
)
@click.option("--unique-store-ids", is_flag=True, help="Refuse a store_id that is in use.")
@pass_invocation
def command(
    invocation: Invocation,
    db: str,
    seed: str | None,
    seed_only: bool,
    catalog: Path | None,
    faults: Path | None,
    shops: int | None,
    **behaviour: Any,
) -> int:
    """Run a local server that speaks the API.

    It implements the documented API and keeps its products in a file, the same that --sandbox
    uses. Prints the URL and the line that makes other commands use it; Ctrl-C ends it.
    """
    from reconciler.sandbox.fault_file import read_schedule
    from reconciler.sandbox.server import Sandbox, serve, shop_key

    database = _database(db, invocation.folder)
    # Read before the server starts, so that errors are told at once.
    filling = None if seed is None else _seed(seed, catalog, invocation)
    if shops is not None and (seed_only or behaviour["api_key"]):
        raise UsageError(
            "--shops goes with neither --seed-only nor --api-key: each shop has its own key.",
            hint="Leave out the one or the other.",
        )
    if seed_only:
        _fill(database, filling)
        return 0
    # A warning, not an error: whoever names the address may well mean it.
    if behaviour["host"] not in _LOOPBACK:
        invocation.console.say(
            "warning", "Others can reach this address, and the sandbox does not encrypt."
        )
    key = behaviour["api_key"]
    sandbox = Sandbox(
        database,
        seed=filling,
        faults=read_schedule(faults) if faults is not None else None,
        shops=shops or 0,
        # This one stays while people look at pages, so its pictures can be loaded later.
        own_pictures=True,
        **behaviour,
    )
    serve(sandbox, lambda url: _announce(url, shop_key(1) if shops else key, invocation))
    return 0


def _database(name: str, folder: Path) -> str | Path:
    if name == _MEMORY:
        return name
    file = folder / name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The folder {file.parent.name!r} of --db cannot be made: {error.strerror}.",
            hint="Name a file in a folder that may be written to.",
        ) from None
    return file


def _seed(kind: str, catalog: Path | None, invocation: Invocation) -> Seed:
    """A function that replaces the store's content; CatalogError comes before that."""
    from reconciler.catalog.read import load_catalog
    from reconciler.sandbox.seed import seed_drifted

    declared: Sequence[Product] = ()
    if kind != "empty":
        folder = invocation.folder / catalog if catalog else invocation.settings.store().catalog
        declared = tuple(load_catalog(folder, working_folder=invocation.folder).products.values())
    products = [_plain(product) for product in declared]
    renames = [(p.renamed_from, p.store_id) for p in declared if p.renamed_from is not None]

    # The catalogue was read above: its errors must not cost the data that is there.
    def fill(store: "SandboxStore") -> None:
        with store.transaction():
            store.clear()
            if kind == "drifted":
                seed_drifted(store, products, renames)
            else:
                store.seed(products)

    return fill


def _plain(product: "Product") -> dict[str, Any]:
    """A product as the mapping that a seed takes."""
    from reconciler.model import KEYS

    values = zip(KEYS, product.values, strict=True)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values}


def _fill(database: str | Path, seed: Seed | None) -> None:
    from reconciler.sandbox.store import SandboxStore

    if seed is None or database == _MEMORY:
        raise UsageError(
            "--seed-only needs --seed, and a --db that is a file.",
            hint="For instance: reconciler sandbox --seed drifted --seed-only",
        )
    store = SandboxStore(database)
    try:
        seed(store)
    finally:
        store.close()


def _announce(url: str, key: str | None, invocation: Invocation) -> None:
    """Print the URL, then a line for the shell that makes other commands use the server."""
    import shlex

    from reconciler.report.output import write_stdout

    word = shlex.quote(key or "sandbox")
    write_stdout(f"{url}\nexport ROBOSIZE_API_URL={shlex.quote(url)} ROBOSIZE_API_KEY={word}\n")
    if not invocation.console.quiet:
        invocation.console.say("info", "The sandbox is running. Ctrl-C ends it.")
