"""Frees the locks of many stores. It needs no key, and no worker."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from reconciler.errors import ReconcilerError
from reconciler.reconcile import unlock
from reconciler.reconcile.history import ledger_store
from reconciler.report.fleet_results import StoreResult
from reconciler.settings import Settings


def unlock_stores(settings: Settings, stores: Sequence[str]) -> Iterator[StoreResult]:
    """Free the lock of each store, and tell whose it was; a run that is alive keeps its lock."""

    def free(store: str) -> StoreResult:
        began = monotonic()
        try:
            holder = unlock(ledger_store(settings, store))
        except ReconcilerError as error:
            return StoreResult(
                store, error.exit_code, error=error.message, code=error.code, hint=error.hint
            )
        seconds = round(monotonic() - began, 3)
        notes = () if holder is None else (f"freed the lock of {holder}",)
        freed = {"freed": int(holder is not None)}
        return StoreResult(store, 0, summary=freed, notes=notes, seconds=seconds)

    with ThreadPoolExecutor(settings.fleet.parallel) as pool:
        yield from pool.map(free, stores)
