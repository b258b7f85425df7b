"""A Dask cluster of processes on this machine, and a fleet in git for it."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.server import Sandbox, shop_key
from tests.fleet.shops import write_shops


@contextmanager
def cluster(workers: int, folder: Path, environ: Mapping[str, str], **more: Any) -> Iterator[Any]:
    """A scheduler on loopback, and worker processes with this environment beside ours."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        local_directory=str(folder),
        env=dict(environ),
        silence_logs=60,
        **more,
    ) as running:
        yield running


def keys(shops: int) -> dict[str, str]:
    """The keys of so many shops, as their environment variables hold them."""
    return {f"SHOP_{number}_KEY": shop_key(number) for number in range(1, shops + 1)}


def fleet_in_git(folder: Path, shops: int, products: int = 2) -> Path:
    """A checkout with a fleet whose ledgers are in git, and its bare remote beside it."""
    work, origin = folder / "work", folder / "origin.git"
    write_shops(work, shops, products)
    with (work / "reconciler.yaml").open("a", encoding="utf-8") as file:
        file.write("ledger: git\n")
    git(folder, "init", "--quiet", "--bare", str(origin))
    git(work, "init", "--quiet", "-b", "main")
    git(work, "remote", "add", "origin", str(origin))
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "-m", "A fleet")
    git(work, "push", "--quiet", "origin", "main")
    return work


def git(folder: Path, *arguments: str) -> str:
    """Run git there."""
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()


def contents(remote: Sandbox) -> list[list[str]]:
    """The store_ids at each shop, in order."""
    return [sorted(str(row.store_id) for row in store.rows()) for store in remote.stores.values()]
