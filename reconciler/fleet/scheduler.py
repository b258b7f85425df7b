"""Workers on other machines: those of a Dask scheduler that somebody has started.

The queue of stores is this command's, so the scheduler never holds a task that it could move or run
again: it gets as many as its workers have threads. A task whose worker has died comes back here at
once, and is sent again from here; the ledger's lease keeps two workers from writing to one store.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Final

from reconciler.errors import SettingsError
from reconciler.fleet.place import Place
from reconciler.hosts import is_loopback
from reconciler.installed import import_extra
from reconciler.version import VERSION

_CONNECT: Final = 30.0
"""Seconds to wait for the scheduler, and for its first worker."""
_TOOL: Final = "robosize-reconciler"


@contextmanager
def scheduler_place(address: str, parallel: int) -> Iterator[Place]:
    """A place with as many slots as the scheduler's workers have threads, `parallel` at most.

    TLS is as Dask's own configuration says, and is demanded unless the scheduler is on this
    machine. Raises MissingExtra without Dask, and SettingsError if the scheduler cannot be reached
    or a worker has other versions than this process.
    """
    dask = _dask()
    with _connected(address, dask) as client:
        threads = _checked_workers(client, str(dask.__version__))
        client.run_on_scheduler(_rules())
        lost = (dask.KilledWorker, CancelledError)
        slots = min(parallel, threads)
        yield Place(SchedulerExecutor(client), slots, _broadcast(client), lost, _alive(client))


class SchedulerExecutor(Executor):
    """Runs tasks on a Dask client's workers, once each.

    Like `Client.get_executor()`, but a result is released as soon as it has come.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run `function(*args, **kwargs)` on a worker that has nothing to do."""
        answer: Future[Any] = Future()
        answer.set_running_or_notify_cancel()

        def settle(task: Any) -> None:
            try:
                result = task.result()
            except (Exception, CancelledError) as error:  # raised again when it is asked for
                answer.set_exception(error)
            else:
                answer.set_result(result)
            finally:
                # A result that Dask still holds dies with its worker, and Dask would run the task
                # again.
                task.release()

        # pure: Dask would take a second call with equal arguments for the first one.
        task = self._client.submit(function, *args, pure=False, retries=0, **kwargs)
        task.add_done_callback(settle)
        return answer


def _dask() -> Any:
    """The package of Dask's scheduler, which has no types; MissingExtra without it."""
    dask = import_extra("distributed", "fleet", needs="--scheduler needs")
    # It logs every lost worker with a traceback; what matters of it is in the results.
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return dask


@contextmanager
def _connected(address: str, dask: Any) -> Iterator[Any]:
    encrypted = address.startswith("tls://")
    if not encrypted and not _here(address):
        raise SettingsError(
            f"The scheduler {address} is on another machine, and the connection to it is not "
            "encrypted: who reaches a scheduler runs code as its workers, who hold the keys.",
            hint="Start it with certificates (`distributed.comm.tls` in Dask's configuration), and "
            "give its address as tls://HOST:PORT.",
        )
    security = dask.Security(require_encryption=True) if encrypted else dask.Security()
    # Made in two steps, so that a client that cannot connect is closed here. The garbage collector
    # would close it in any thread, maybe while another client starts and holds the same lock.
    client = dask.Client.__new__(dask.Client)
    try:
        client.__init__(address, security=security, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        # It may have failed before there was anything to close.
        with suppress(AttributeError, OSError, RuntimeError):
            client.close()
        raise SettingsError(
            f"The scheduler {address} cannot be reached: {error}",
            hint="Check that it runs, its address, and the certificates in Dask's configuration.",
        ) from error
    with client:
        yield client


def _here(address: str) -> bool:
    """Whether an address such as tcp://127.0.0.1:8786 is this machine's own."""
    rest = address.partition("://")[2] or address
    host = rest.rpartition(":")[0] or rest
    return address.startswith("inproc://") or is_loopback(host.strip("[]"))


def _checked_workers(client: Any, dask_version: str) -> int:
    """The threads of all workers; SettingsError that names each one with other versions."""
    try:
        client.wait_for_workers(1, timeout=_CONNECT)
    except TimeoutError as error:
        raise SettingsError(
            "The scheduler has no workers.",
            hint="Start some: dask worker ADDRESS --nthreads 1, in the repository's folder.",
        ) from error
    wanted = (VERSION, dask_version)
    found: dict[str, Any] = client.run(_version_probe(), on_error="return")
    for worker, versions in sorted(found.items()):
        if versions != wanted:
            told = versions if isinstance(versions, tuple) else (f"none ({versions})", "")
            raise SettingsError(
                f"The worker {worker} has reconciler {told[0]} and Dask {told[1]}; this run has "
                f"{wanted[0]} and {wanted[1]}: a worker must have the same.",
                hint=f'Install "{_TOOL}[fleet]=={VERSION}" and distributed {wanted[1]} there.',
            )
    return sum(client.nthreads().values())


def _version_probe() -> Callable[[], tuple[str, str]]:
    """A function that tells a worker's versions, also if the worker lacks this package."""

    # Nested, so that it travels as code and not as a name in a module.
    def probe() -> tuple[str, str]:

        found = []
        for module, name in (("reconciler.version", "VERSION"), ("distributed", "__version__")):
            try:
                found.append(str(getattr(import_module(module), name)))
            except ImportError:
                found.append("not at all")
        return found[0], found[1]

    return probe


def _rules() -> Callable[[Any], Any]:
    """A function that forbids a scheduler to run a lost task again, and to move tasks."""

    async def rules(dask_scheduler: Any) -> None:
        # A lost task is this command's to send again, with the patience that the lease needs.
        dask_scheduler.allowed_failures = 0
        if "stealing" in dask_scheduler.extensions:
            await dask_scheduler.extensions["stealing"].stop()

    return rules


def _alive(client: Any) -> Callable[[], bool]:
    def alive() -> bool:
        try:
            return client.status == "running" and bool(client.scheduler_info()["workers"])
        except (OSError, TimeoutError):
            return False

    return alive


def _broadcast(client: Any) -> Callable[..., None]:
    def broadcast(function: Callable[..., object], *arguments: Any) -> None:
        # A worker or a scheduler that is just ending needs no message.
        with suppress(OSError, TimeoutError):
            client.run(function, *arguments, on_error="ignore")

    return broadcast
