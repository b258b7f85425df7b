"""An apply that takes over the lock of another run says what it knows of that run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler import reconcile
from reconciler.durable import write
from reconciler.ledger.file import FileLedger
from reconciler.ledger.holder import Holder
from reconciler.reconcile.store import Store
from reconciler.sandbox.server import Sandbox
from tests.applying.world import KEY, World, product
from tests.ledger.worlds import QuickClock, dead, elsewhere


@pytest.mark.parametrize(
    ("holder", "told"),
    [(dead, "A run that died held"), (elsewhere, "A run that did not renew its lock held")],
)
def test_the_report_says_whose_lock_it_was(
    holder: Callable[[], Holder], told: str, tmp_path: Path
) -> None:
    """Of a run on another machine it is told that it was silent, not that it is dead (P6)."""
    left = holder()
    with Sandbox(api_key=KEY) as sandbox:
        world = World(tmp_path, sandbox)
        world.declare([product("1")])
        write(tmp_path / ".reconciler" / "lock" / "default.json", left.encode())
        ledger = FileLedger(tmp_path, store="default", clock=QuickClock())
        with world.client() as client:
            store = Store("default", client, ledger, world.catalog, world.settings)
            report = reconcile.apply(store, lock_timeout=300)
        assert report.converged
        assert report.warnings[0].message.startswith(f"{told} the store: {left}.")
