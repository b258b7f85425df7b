"""The story of a fleet: its workers, and a task for each store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from uuid import uuid4

from reconciler.errors import UsageError
from reconciler.fleet.checkout import checkout_of
from reconciler.fleet.choose import check_apart
from reconciler.fleet.run import run_fleet
from reconciler.fleet.task import Checkout, StoreTask
from reconciler.fleet.versions import versions
from reconciler.fleet.work import prepare
from reconciler.report.fleet_results import StoreResult

if TYPE_CHECKING:
    from reconciler.settings import Settings


@contextmanager
def open_fleet(
    settings: "Settings",
    task: StoreTask,
    stores: Sequence[str] | None = None,
    *,
    plans: Path | None = None,
    config: Path | None = None,
    scheduler: str | None = None,
    stop: Event | None = None,
    fail_fast: bool = False,
) -> Iterator[Iterator[StoreResult]]:
    """Do `task` for these stores, or for all; gives each result as its store ends.

    `task` says what to do; the store and the rest are filled in. `plans` is the folder of the plans
    to apply, each called `<store>.json`. The workers are processes of this machine, or those of a
    Dask `scheduler`, which read `config` anew; `stop` and `fail_fast` are as for `run_fleet`. To be
    entered before this process starts threads: processes are quicker to start then. Raises
    SettingsError if two stores are one shop, UsageError for an apply on a scheduler with ledgers in
    files.
    """
    from reconciler.fleet.local import local_place
    from reconciler.fleet.scheduler import scheduler_place

    names = settings.stores if stores is None else stores
    if task.action == "apply":
        _check(settings, [*names], task, scheduler)
    parallel = settings.fleet.parallel
    # Workers outlive a run, so they must be able to tell one from the next.
    run = uuid4().hex
    checkout = Checkout(settings.folder, config)
    if scheduler is not None:
        checkout = checkout_of(settings.folder, config, remote=settings.ledger_remote)
    prepare(run, settings)
    opening = local_place(parallel) if scheduler is None else scheduler_place(scheduler, parallel)
    with opening as place:
        tasks = [
            replace(
                task,
                run=run,
                store=store,
                checkout=checkout,
                saved=None if plans is None else plans / f"{store}.json",
                # Other machines may have other versions of this tool.
                versions={} if scheduler is None else versions(),
            )
            for store in names
        ]
        rate = settings.fleet.rate
        yield run_fleet(place, tasks, stop=stop or Event(), fail_fast=fail_fast, rate=rate)


def _check(
    settings: "Settings", stores: Sequence[str], task: StoreTask, scheduler: str | None
) -> None:
    """Raise an error if an apply could write a product twice."""
    if scheduler is not None and settings.ledger == "file":
        raise UsageError(
            "A fleet is not applied on a scheduler with `ledger: file`: each worker would have a "
            "ledger of its own, and nobody could take over from one that dies.",
            hint="Write `ledger: git` in reconciler.yaml; `reconciler ledger move file git` moves "
            "a store's ledger.",
        )
    # In sandboxes each store has a shop of its own, whatever the settings say.
    if not task.sandbox:
        check_apart(settings, stores)
