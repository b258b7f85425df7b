"""Target: the store that a command works on, and the options that name it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Decorator, catalog_option, gathered
from reconciler.codes import Code

if TYPE_CHECKING:
    from reconciler.reconcile.store import Store


@dataclass(frozen=True, slots=True)
class Target:
    """The store to work on: one of the settings, or the embedded sandbox."""

    store: str | None
    catalog: Path | None
    sandbox: bool

    @contextmanager
    def open(self, invocation: Invocation, stop: Event) -> "Iterator[Store]":
        """Open the store until the block ends; `stop` interrupts its work."""
        from reconciler.reconcile.store import open_sandbox, open_store

        settings, progress = invocation.settings, invocation.progress
        opening = open_sandbox if self.sandbox else open_store
        with opening(
            settings, self.store, catalog=self.catalog, progress=progress, stop=stop
        ) as store:
            if not self.sandbox:
                _warn_of_missing_ledger(store, invocation)
            yield store

    def api_path(self, invocation: Invocation) -> str:
        """The path of the product endpoint, as in a request line."""
        if self.sandbox:
            from reconciler.sandbox.app import PATH

            return PATH
        return urlsplit(invocation.settings.store(self.store).api_url).path


def _warn_of_missing_ledger(store: "Store", invocation: Invocation) -> None:
    """Warn a pipeline that keeps its ledger in a file that is lost when the job ends."""
    # GitHub, GitLab and most others set it.
    in_pipeline = invocation.environ.get("CI", "").strip().lower() not in ("", "0", "false")
    if not in_pipeline or store.settings.ledger != "file" or store.ledger.exists():
        return
    invocation.warn_once(
        Code.NO_LEDGER,
        f"Nothing is known of earlier runs: {store.ledger.describe()} does not exist, and "
        "the ledger of this run is lost with the pipeline's files. Edits of type and "
        "image_url cannot be seen. Write `ledger: git` in reconciler.yaml (the job that applies "
        "may then have to be "
        "allowed to push), or keep .reconciler/ledger between runs.",
    )


def _one_store(
    context: click.Context, parameter: click.Parameter, names: tuple[str, ...]
) -> str | None:
    """The name given; UsageError for a second one, which click would silently prefer."""
    if len(names) > 1:
        raise click.UsageError(
            f"--store is given twice ({', '.join(names)}): this command works on one store. "
            "`reconciler fleet` works on several",
            ctx=context,
        )
    return names[0] if names else None


store_option: Final[Decorator] = click.option(
    "--store",
    multiple=True,
    callback=_one_store,
    metavar="NAME",
    help="The store, if the settings have several.",
)
sandbox_option: Final[Decorator] = click.option(
    "--sandbox", is_flag=True, help="Use the embedded sandbox instead of a store."
)


def target() -> Decorator:
    """--store, --catalog, --sandbox."""
    return gathered(
        "target",
        Target,
        {
            "store": store_option,
            "catalog": catalog_option,
            "sandbox": click.option(
                "--sandbox",
                is_flag=True,
                help="Use a local server instead, with its data in .reconciler; needs no key.",
            ),
        },
    )
