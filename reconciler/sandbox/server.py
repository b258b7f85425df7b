"""Sandbox, a local server in this process, and `serve`, which runs one until it is stopped.

starlette and uvicorn are imported when a sandbox starts, because nothing else needs them.
"""

import threading
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

from reconciler.errors import MissingExtra, UsageError
from reconciler.sandbox.fault_file import read_schedule
from reconciler.sandbox.faults import Fault, Schedule
from reconciler.sandbox.paging import PAGE_MAX
from reconciler.sandbox.store import SandboxStore
from reconciler.signals import handled_by

if TYPE_CHECKING:
    from reconciler.sandbox.app import ProductApp
    from reconciler.sandbox.listener import Listener

LOOPBACK: Final = "127.0.0.1"

_LAST_PORT: Final = 65_535
_Part = TypeVar("_Part")


class Sandbox:
    """A running server that implements the documented API; a context manager.

    `database` is a file or ":memory:". `api_key` None accepts any key that is not empty. `page_max`
    is the largest page, `port` 0 takes any free one. `seed` fills the store before the first call
    is answered. `faults` say how it misbehaves. With `unique_store_ids` a store_id that is in use
    is refused. `clock` gives the seconds since 1970 by which lists lag. `store` holds the products
    and the recorded calls; it is open during the block. Raises MissingExtra without starlette or
    uvicorn, UsageError if the file or the port is not available.
    """

    def __init__(
        self,
        database: str | Path = ":memory:",
        *,
        api_key: str | None = None,
        page_max: int = PAGE_MAX,
        latency_ms: float = 0,
        faults: Schedule | Iterable[Fault] | None = None,
        unique_store_ids: bool = False,
        host: str = LOOPBACK,
        port: int = 0,
        seed: Callable[[SandboxStore], object] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if page_max < 1:
            raise UsageError(f"A page cannot hold {page_max} products.", hint="Ask for 1 or more.")
        if latency_ms < 0:
            raise UsageError("The latency cannot be negative.", hint="Ask for 0 ms or more.")
        if not 0 <= port <= _LAST_PORT:
            raise UsageError(f"There is no port {port}.", hint=f"Ports go from 0 to {_LAST_PORT}.")
        self._database = database
        self._api_key = api_key
        self._page_max = page_max
        self._latency_ms = latency_ms
        self._schedule = faults if isinstance(faults, Schedule) else Schedule(faults or ())
        self._unique_store_ids = unique_store_ids
        self._host = host
        self._port = port
        self._seed = seed
        self._clock = clock
        self._store: SandboxStore | None = None
        self._product: ProductApp | None = None
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        """Open the database and start to answer calls."""
        _require_extra()
        self._store = SandboxStore(self._database, clock=self._clock)
        try:
            if self._seed is not None:
                self._seed(self._store)
            self._listen(self._store)
        except BaseException:
            self._store.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop answering, drop open calls and close the database."""
        if self._listener is not None:
            self._listener.stop()
        self.store.close()

    @property
    def store(self) -> SandboxStore:
        """The products and the log of calls."""
        return _running(self._store)

    @property
    def url(self) -> str:
        """The full URL of the product endpoint, without a key."""
        from reconciler.sandbox.app import PATH

        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{_running(self._listener).port}{PATH}"

    def misbehave(self, *faults: Fault, seed: int = 0) -> None:
        """Replace the faults from the next call on; without any, it behaves."""
        _running(self._product).schedule = Schedule(faults, seed)

    def _listen(self, store: SandboxStore) -> None:
        from reconciler.sandbox.app import ProductApp, application
        from reconciler.sandbox.endpoint import Endpoint
        from reconciler.sandbox.listener import Listener

        endpoint = Endpoint(
            store,
            api_key=self._api_key,
            page_max=self._page_max,
            unique_store_ids=self._unique_store_ids,
        )
        self._product = ProductApp(store, endpoint, self._schedule, self._latency_ms)
        try:
            self._listener = Listener(application(self._product), self._host, self._port)
            self._listener.start()
        except OSError as error:
            raise UsageError(
                f"The sandbox cannot listen on {self._host} port {self._port}: {error}.",
                hint="Choose another port; 0 takes any that is free.",
            ) from error


def serve(
    host: str = LOOPBACK,
    port: int = 0,
    database: str | Path = ":memory:",
    api_key: str | None = None,
    page_max: int = PAGE_MAX,
    latency_ms: float = 0,
    seed: Callable[[SandboxStore], object] | None = None,
    faults_file: str | Path | None = None,
    unique_store_ids: bool = False,
    ready: Callable[[str], None] = lambda url: None,
    stop: threading.Event | None = None,
) -> None:
    """Run a sandbox until SIGINT, SIGTERM or `stop`; print nothing.

    `seed` fills the store before the first call; `ready` is called with the URL once calls are
    answered. Raises the errors of Sandbox, and UsageError for a bad fault file.
    """
    schedule = read_schedule(faults_file) if faults_file is not None else None
    stop = threading.Event() if stop is None else stop
    sandbox = Sandbox(
        database,
        api_key=api_key,
        page_max=page_max,
        latency_ms=latency_ms,
        faults=schedule,
        unique_store_ids=unique_store_ids,
        host=host,
        port=port,
        seed=seed,
    )
    with handled_by(lambda *_: stop.set()), sandbox:
        ready(sandbox.url)
        while not stop.wait(1):
            # On Windows a wait without a time limit would block signals.
            continue


def _require_extra() -> None:
    """Raise MissingExtra if starlette or uvicorn is not installed."""
    try:
        for name in ("starlette", "uvicorn"):
            import_module(name)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"The sandbox needs {error.name}, which is not installed.",
            hint='Install it: pip install "robosize-reconciler[sandbox]"',
        ) from error


def _running(part: _Part | None) -> _Part:
    """A part of the running sandbox; RuntimeError if it is not running."""
    if part is None:
        raise RuntimeError("The sandbox is not running: use it in a with statement.")
    return part
