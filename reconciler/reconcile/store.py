"""Store: one remote with its ledger and its catalogue, opened for one command."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.catalog.read import loading_catalog
from reconciler.catalog.worktrees import Revision, WorkTrees
from reconciler.ledger.open import open_ledger
from reconciler.ledger.stores import LedgerStore
from reconciler.linting.registry import Ruleset
from reconciler.model import Catalog, Listing
from reconciler.progress import Progress, Silent
from reconciler.settings.model import SANDBOX as SANDBOX
from reconciler.settings.model import is_sandbox, own_sandbox

if TYPE_CHECKING:
    from reconciler.remote.calls import Calls
    from reconciler.remote.client import Client
    from reconciler.remote.pace import Pace
    from reconciler.settings import Settings, StoreSettings

_Result = TypeVar("_Result")

DATA: Final = ".reconciler"
"""The folder in the working folder for ledgers, locks, journals and the sandbox."""


@dataclass(frozen=True, slots=True)
class Store:
    """One open remote: its client, its ledger, and the folder of its catalogue."""

    name: str
    client: "Client"
    ledger: LedgerStore
    catalog: Path
    settings: "Settings"
    """Those of this store: its own replace the general ones."""
    domain: str | None = None
    """The shop's own domain, if it is known."""
    journals: Path | None = None
    """The folder of journals; None means `.reconciler/journal` in the working folder."""

    declared: Catalog | None = None
    """The catalogue if it was read before, as from a commit; None means the files in the folder."""

    earlier: Callable[[str, Callable[[], Catalog]], Catalog] | None = None
    """Gives the catalogue of an earlier revision, by reading it or as it was read before."""

    trees: WorkTrees = field(default_factory=WorkTrees)
    """What asks git about the catalogue's folder."""

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self.settings.folder

    @property
    def endpoint(self) -> str:
        """The endpoint that a saved plan must match: the URL, or "sandbox", whose port varies."""
        return SANDBOX if is_sandbox(self.name) else self.client.api_url

    def loading(self, lint: Ruleset) -> AbstractContextManager[Callable[[], Catalog]]:
        """Read the catalogue in parallel to the block (see `loading_catalog`)."""
        if (declared := self.declared) is not None:
            return nullcontext(lambda: declared)
        return loading_catalog(
            self.catalog, working_folder=self.folder, lint=lint, trees=self.trees
        )

    def revision(self) -> Revision:
        """The commit that the catalogue is at."""
        if self.declared is not None:
            return Revision(self.declared.commit, self.declared.dirty)
        return self.trees.revision(self.catalog)

    def listing(self) -> AbstractContextManager[Callable[[], Listing]]:
        """Read the list in parallel to the block (see `beside`)."""
        return beside(self.client.list)


@contextmanager
def beside(function: Callable[[], _Result]) -> Iterator[Callable[[], _Result]]:
    """Call `function` in a thread during the block; the value given waits for its result."""
    background = ThreadPoolExecutor(1, thread_name_prefix="beside")
    try:
        # Listing waits for the network and reading computes, so side by side they cost the longer
        # of the two.
        yield background.submit(function).result
    finally:
        # Not waiting: an error in the block must show at once, however long the call takes.
        background.shutdown(wait=False)


@contextmanager
def open_store(
    settings: "Settings",
    name: str | None = None,
    *,
    catalog: Path | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
    pace: "Pace | None" = None,
    trees: WorkTrees | None = None,
) -> Iterator[Store]:
    """Open the store called `name`; NoApiKey if it has no key.

    `pace` and `trees` are shared with other open stores of this process.
    """
    store = settings.store(name)
    key = store.api_key.get_secret_value()
    with _opened(
        settings, store.name, store, store.api_url, key, catalog, progress, stop, pace, trees
    ) as opened:
        yield opened


@contextmanager
def open_sandbox(
    settings: "Settings",
    name: str | None = None,
    *,
    catalog: Path | None = None,
    progress: Progress | None = None,
    stop: Event | None = None,
    pace: "Pace | None" = None,
    trees: WorkTrees | None = None,
    own: bool = False,
) -> Iterator[Store]:
    """Open an embedded sandbox as a store, with its data in `.reconciler/sandbox.sqlite3`.

    With `own` it is that of the store called `name` alone, beside those of a fleet's other stores.
    `pace` and `trees` are as for `open_store`.
    """
    from reconciler.sandbox.server import Sandbox

    named = settings.store_name(name)
    # Its own name keeps its ledger and journals apart from those of the store.
    called = own_sandbox(named) if own else SANDBOX
    store = replace(settings.store(named), name=called)
    database = settings.folder / DATA / f"{called}.sqlite3"
    database.parent.mkdir(parents=True, exist_ok=True)
    with (
        Sandbox(database) as sandbox,
        _opened(
            settings, named, store, sandbox.url, SANDBOX, catalog, progress, stop, pace, trees
        ) as opened,
    ):
        yield opened


@contextmanager
def _opened(
    settings: "Settings",
    named: str,
    store: "StoreSettings",
    url: str,
    key: str,
    catalog: Path | None,
    progress: Progress | None,
    stop: Event | None,
    pace: "Pace | None",
    trees: WorkTrees | None,
) -> Iterator[Store]:
    # Commands that make no call import no HTTP.
    from reconciler.remote.client import Client

    stop = stop or Event()
    settings = settings.for_store(named)
    ledger = open_ledger(
        # What was tried in a sandbox must not be pushed for others to read.
        "file" if is_sandbox(store.name) else settings.ledger,
        store=store.name,
        folder=settings.folder,
        remote=settings.ledger_remote,
        stop=stop,
    )
    how = replace(how_to_call(settings), key_variable=store.api_key_env)
    with Client(url, key, how, stop=stop, progress=progress or Silent(), pace=pace) as client:
        folder = settings.folder / catalog if catalog else store.catalog
        yield Store(
            store.name,
            client,
            ledger,
            folder,
            settings,
            domain=store.domain,
            trees=trees or WorkTrees(),
        )


def how_to_call(settings: "Settings") -> "Calls":
    """How calls are made, by the settings."""
    from reconciler.remote.calls import Calls

    requests = settings.requests
    bundle = requests.ca_bundle
    return Calls(
        page_size=requests.page_size,
        concurrency=requests.concurrency,
        timeout=requests.timeout,
        retries=requests.retries,
        rate=requests.rate,
        settle=requests.settle,
        proxy=requests.proxy,
        ca_bundle=str(settings.folder / bundle) if bundle else None,
    )
