"""Pipeline: somebody pushes to main, and every run starts from a fresh shallow clone."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.sandbox.server import Sandbox
from tests.cli.run import COMMAND, Ended, environment, in_process

KEY = "hush-hush-key"
REF = "refs/reconciler/default"
SHIRT = "{store_id: '1', name: Shirt, type: top}"
COAT = "{store_id: '2', name: Coat, type: coat}"

Field = Mapping[str, Any]


def git(folder: Path, *arguments: str) -> str:
    """The output of one git command, which must succeed."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class Pipeline:
    """One repository with its remote shop, and the runs that are made for it."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.origin = folder / "origin.git"
        self.desk = folder / "desk"
        self._clones = 0
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        git(folder, "clone", "--quiet", self.origin.as_uri(), str(self.desk))
        git(self.desk, "checkout", "--quiet", "-b", "main")
        (self.desk / "reconciler.yaml").write_text("ledger: git\n", encoding="utf-8")
        (self.desk / ".gitignore").write_text(".reconciler\n", encoding="utf-8")

    @property
    def environ(self) -> dict[str, str]:
        """What a job's environment has: the secret, and where the shop is."""
        return {"ROBOSIZE_API_KEY": KEY, "ROBOSIZE_API_URL": self.sandbox.url, "CI": "true"}

    def declare(self, *products: str) -> str:
        """Commit a catalogue of these products to main, push it, and return the commit."""
        file = self.desk / "catalog" / "all.yaml"
        file.parent.mkdir(exist_ok=True)
        lines = "".join(f"  - {product}\n" for product in products)
        file.write_text(f"products:\n{lines}" if lines else "", encoding="utf-8")
        git(self.desk, "add", ".")
        git(self.desk, "commit", "--quiet", "--allow-empty", "-m", "Edit the catalogue")
        git(self.desk, "push", "--quiet", "origin", "HEAD:main")
        return git(self.desk, "rev-parse", "HEAD")

    def clone(self, *options: str) -> Path:
        """A fresh clone, shallow unless other options are given."""
        self._clones += 1
        folder = self.folder / f"clone-{self._clones}"
        git(
            self.folder,
            *("clone", "--quiet", *(options or ("--depth=1",))),
            *(self.origin.as_uri(), str(folder)),
        )
        return folder

    def run(self, *arguments: str) -> Ended:
        """One command in a fresh shallow clone, which it must leave as it was."""
        folder = self.clone()
        before = state(folder), state(self.origin)
        done = in_process(folder, *arguments, **self.environ)
        assert (state(folder), state(self.origin)) == before
        assert KEY not in done.out + done.err
        return done

    def changes(self, *options: str) -> list[dict[str, Any]]:
        """The changes of a plan that is made now."""
        done = self.run("plan", "--format", "json", *options)
        assert done.code == 0, done.err
        found: list[dict[str, Any]] = json.loads(done.out)["changes"]
        return found

    def apply_once(self) -> list[Mapping[str, Field]]:
        """Plan and apply; the fields of each change that the plan showed.

        That nothing of it is planned again is seen by the next plan.
        """
        changes = self.changes()
        done = self.run("apply", "--yes", "--allow-deletes", "9")
        assert done.code == 0, done.err
        assert "Converged" in done.out
        return [change["fields"] for change in changes]

    @contextmanager
    def started(self, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
        """A command that goes on in a fresh clone while the block runs; killed at its end."""
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.clone(),
            env=environment({**self.environ, "RECONCILER_REQUESTS__TIMEOUT": "900"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def pause_pushes(self) -> None:
        """Let whoever pushes wait for the end of its push, once the origin has taken it."""
        (self.origin / "paused").touch()
        hook = self.origin / "hooks" / "post-receive"
        hook.write_text("#!/bin/sh\nwhile [ -e paused ]; do sleep 0.05; done\n", encoding="utf-8")
        hook.chmod(0o755)

    def resume_pushes(self) -> None:
        """Let them go on."""
        (self.origin / "paused").unlink(missing_ok=True)

    def held(self) -> bool:
        """Whether a run holds the store, as the origin has it."""
        done = subprocess.run(
            ["git", "cat-file", "-e", f"{REF}:holder.json"],
            cwd=self.origin,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def writes(self) -> int:
        """How many writing calls have reached the shop."""
        return sum(1 for call in self.sandbox.store.calls() if call.method != "GET")

    def sold_as(self, store_id: str) -> object:
        """The type that the shop has for a product."""
        row = self.sandbox.store.row(store_id)
        assert row is not None
        return row.value("type")


def state(folder: Path) -> dict[str, object]:
    """What people see of a repository: branches, tags, index, files. Not the ledger's own ref."""
    top = folder / ".git" if (folder / ".git").exists() else folder
    refs = [path for path in (top / "refs").rglob("*") if path.is_file() and path != top / REF]
    files = [*refs, *(top / name for name in ("HEAD", "config", "index", "FETCH_HEAD"))]
    seen: dict[str, object] = {str(path): path.read_bytes() for path in files if path.exists()}
    if (top / "packed-refs").exists():
        lines = (top / "packed-refs").read_text("utf-8").splitlines()
        seen["packed"] = [line for line in lines if not line.endswith(REF)]
    if top != folder:
        seen["files"] = git(folder, "status", "--porcelain")
    return seen


def wait_until(true: Callable[[], bool]) -> None:
    """Let other processes go on until something is true; a minute at the most."""
    for _ in range(1_200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("It has not come to that within a minute.")
