"""StoreTask: all that travels to a worker. It holds no key, and no product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.reconcile.making import Options
from reconciler.report.fleet_results import FleetAction


@dataclass(frozen=True, slots=True)
class Checkout:
    """The files that a run works on: the working folder, and its commit if that matters.

    `commit` is None on this machine, since every worker has the folder itself. Else `below` is the
    working folder within the repository, `remote` the name of its remote, and `address` where that
    is, without credentials.
    """

    folder: Path
    config: Path | None = None
    commit: str | None = None
    below: str = "."
    remote: str = "origin"
    address: str = ""


@dataclass(frozen=True, slots=True)
class StoreTask:
    """One story to call for one store.

    `run` names the fleet's run, which is what a stop or a new share is for. `share` is the calls a
    second that this store may make, None for no limit. `texts` are the renderings that are to come
    back. `saved` is the plan to apply, relative to the working folder; the action "plan" looks what
    an apply would do with it now. `versions` are those of the tool and of Dask that the run has; a
    worker with others refuses. With `sandbox` it is the store's own embedded sandbox.
    """

    run: str = ""
    action: FleetAction = "plan"
    store: str = ""
    checkout: Checkout = Checkout(Path())
    options: Options = field(default_factory=Options)
    catalog: Path | None = None
    saved: Path | None = None
    lock_timeout: float = 0.0
    detailed: bool = False
    share: float | None = None
    texts: frozenset[str] = frozenset()
    repository_url: str | None = None
    sandbox: bool = False
    versions: Mapping[str, str] = field(default_factory=dict)
