"""Sandbox, a local server in this process, and `serve`, which runs one until it is stopped.

starlette and uvicorn are imported when a sandbox starts, because nothing else needs them.
"""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

from reconciler.errors import UsageError
from reconciler.installed import import_extra
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


def shop_key(number: int) -> str:
    """The key of the n-th shop of a sandbox with several, from 1."""
    return f"shop-{number}"


class Sandbox:
    """A running server that implements the documented API; a context manager.

    `database` is a file or ":memory:". `api_key` None accepts any key that is not empty. `page_max`
    is the largest page, `port` 0 takes any free one. `seed` fills the store before the first call
    is answered. `faults` say how it misbehaves. With `unique_store_ids` a store_id that is in use
    is refused. `clock` gives the seconds since 1970 by which lists lag. `store` holds the products
    and the recorded calls; it is open during the block. With `shops` it is so many remotes, each
    with its own key, products and file (see `shop_key`); `stores` holds theirs by key. Raises
    MissingExtra without starlette or uvicorn, UsageError if the file or the port is not available.
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
        shops: int = 0,
        own_pictures: bool = False,
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
        self._own_pictures = own_pictures
        self._keys: list[str | None] = [shop_key(n) for n in range(1, shops + 1)] or [api_key]
        self.stores: dict[str | None, SandboxStore] = {}
        self._products: dict[str | None, ProductApp] = {}
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        """Open the database and start to answer calls."""
        _require_extra()
        try:
            for key in self._keys:
                store = SandboxStore(self._file_of(key), clock=self._clock)
                self.stores[key] = store
                if self._seed is not None:
                    self._seed(store)
            self._listen()
        # Python calls no `__exit__` if `__enter__` fails, and Ctrl-C is no Exception.
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop answering, drop open calls and close the database."""
        if self._listener is not None:
            # Before the databases close: calls under way still use them.
            self._listener.stop()
        self._close()

    def _close(self) -> None:
        for store in self.stores.values():
            store.close()

    def _file_of(self, key: str | None) -> str | Path:
        """The database of one shop; without shops, the one that was given."""
        if self._keys == [self._api_key] or self._database == ":memory:":
            return self._database
        file = Path(self._database)
        return file.with_name(f"{file.stem}-{key}{file.suffix}")

    @property
    def store(self) -> SandboxStore:
        """The products and the log of calls; with shops, the first one's."""
        return _running(next(iter(self.stores.values()), None))

    @property
    def url(self) -> str:
        """The full URL of the product endpoint, without a key."""
        from reconciler.sandbox.app import PATH

        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{_running(self._listener).port}{PATH}"

    def misbehave(self, *faults: Fault, seed: int = 0) -> None:
        """Replace the faults from the next call on; without any, it behaves."""
        schedule = Schedule(faults, seed)
        for product in self._products.values():
            product.schedule = schedule

    def _listen(self) -> None:
        from reconciler.sandbox.app import ProductApp, ShopsApp, application
        from reconciler.sandbox.endpoint import Endpoint
        from reconciler.sandbox.listener import Listener

        for key, store in self.stores.items():
            endpoint = Endpoint(
                store,
                api_key=key,
                page_max=self._page_max,
                unique_store_ids=self._unique_store_ids,
                own_pictures=self._own_pictures,
            )
            self._products[key] = ProductApp(store, endpoint, self._schedule, self._latency_ms)
        shops = {key: product for key, product in self._products.items() if key is not None}
        product = ShopsApp(shops) if len(shops) > 1 else next(iter(self._products.values()))
        try:
            whole = application(product, self.stores.values())
            self._listener = Listener(whole, self._host, self._port)
            self._listener.start()
        except OSError as error:
            raise UsageError(
                f"The sandbox cannot listen on {self._host} port {self._port}: {error}.",
                hint="Choose another port; 0 takes any that is free.",
            ) from error


def serve(
    sandbox: Sandbox, ready: Callable[[str], None], stop: threading.Event | None = None
) -> None:
    """Run a sandbox until SIGINT, SIGTERM or `stop`; print nothing.

    `ready` is called with the URL once calls are answered. Raises the errors of Sandbox.
    """
    stop = threading.Event() if stop is None else stop
    with handled_by(lambda *_: stop.set()), sandbox:
        ready(sandbox.url)
        while not stop.wait(1):
            # On Windows a wait without a time limit would block signals.
            continue


def _require_extra() -> None:
    """Raise MissingExtra if starlette or uvicorn is not installed."""
    for name in ("starlette", "uvicorn"):
        import_extra(name, "sandbox", needs="The sandbox needs")


def _running(part: _Part | None) -> _Part:
    """A part of the running sandbox; RuntimeError if it is not running."""
    if part is None:
        raise RuntimeError("The sandbox is not running: use it in a with statement.")
    return part
