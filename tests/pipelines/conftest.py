"""A repository with a catalogue at a code host, and the sandbox as its shop."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.server import Sandbox
from tests.cli.run import environment
from tests.pipelines.action import Run, Step
from tests.pipelines.door import stand_ins
from tests.pipelines.gh import EMPTY, STATE

KEY = "hush-hush-key"
PRODUCTS = {
    "shirt": "store_id: '1'\nname: Shirt\ntype: top\nimage_url: ''\n",
    "coat": "store_id: '2'\nname: Coat\ntype: coat\nimage_url: ''\n",
}


class Repository:
    """A clone of a bare origin, with `ledger: git`, and the runs that are made in it."""

    def __init__(
        self, folder: Path, sandbox: Sandbox, path: str, start: Path | None = None
    ) -> None:
        self.sandbox = sandbox
        self.folder, self._temporary, self._runs = folder / "clone", folder / "runner", 0
        self._state = folder / "gh.json"
        self._state.write_text(json.dumps(EMPTY), encoding="utf-8")
        home = folder / "home"
        home.mkdir()
        kept = {
            name: value
            for name, value in environment().items()
            if not name.startswith(("GIT_", "GITHUB_", "CI_"))
        }
        self.environ = {
            **kept,
            "PATH": path,
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "shop/catalog",
            "GITHUB_SHA": "5ea5ea5ea5ea",
            "GITHUB_RUN_ID": "4711",
            "ROBOSIZE_API_URL": sandbox.url,
            STATE: str(self._state),
        }
        if start is not None:
            for name in ("origin", "clone"):
                shutil.copytree(start / name, folder / name)
            return
        self.folder.mkdir()
        self.git("init", "--quiet", "--bare", "--initial-branch=main", "../origin")
        self.git("init", "--quiet", "--initial-branch=main")
        # By its relative place, so that a copy of both folders has a copy of the origin.
        self.git("remote", "add", "origin", "../origin")
        self.write("reconciler.yaml", "ledger: git\n")
        for name, text in PRODUCTS.items():
            self.write(f"catalog/{name}.yaml", text)
        self.push("main")

    def git(self, *arguments: str) -> None:
        """One git command in the clone; who commits is told for it alone."""
        who = ("-c", "user.name=Shop", "-c", "user.email=shop@shop.example")
        subprocess.run(
            ["git", *who, *arguments],
            cwd=self.folder,
            env=self.environ,
            check=True,
            capture_output=True,
        )

    def write(self, name: str, text: str) -> None:
        """Write one file of the clone."""
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def push(self, branch: str) -> None:
        """Commit everything and push it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change the catalogue")
        self.git("push", "--quiet", "origin", f"HEAD:{branch}")
        self.git("fetch", "--quiet", "origin")

    def run(
        self, command: str, event: Mapping[str, str] | None = None, **inputs: str
    ) -> tuple[Run, list[Step]]:
        """Use the action once."""
        self._runs += 1
        given = {"command": command, "api-key": KEY}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        run = Run(
            self.folder,
            self._temporary / str(self._runs),
            given,
            event or {},
            self.environ,
        )
        return run, run.steps()

    def pull_request(
        self, *, fork: bool = False, author: str = "somebody", **inputs: str
    ) -> tuple[Run, list[Step]]:
        """Use the action as on a push to a pull request to main."""
        self.environ["GITHUB_BASE_REF"] = "main"
        event = {
            "github.event.pull_request.number": "7",
            "github.event.pull_request.head.sha": "4ead4ead4ead",
            "github.event.pull_request.user.login": author,
            "github.event.pull_request.head.repo.full_name": "else/catalog"
            if fork
            else "shop/catalog",
        }
        try:
            return self.run("plan", event, **inputs)
        finally:
            del self.environ["GITHUB_BASE_REF"]

    @property
    def host(self) -> Any:
        """What the code host holds: comments, issues, calls."""
        return json.loads(self._state.read_text(encoding="utf-8"))

    def host_has(self, what: str, **entry: object) -> None:
        """Put a comment or an issue at the host that somebody else wrote."""
        state = self.host
        state[what].append(entry)
        self._state.write_text(json.dumps(state), encoding="utf-8")

    def names(self) -> dict[str, str]:
        """What the shop holds: store_id to name."""
        return {str(row.store_id): str(row.value("name")) for row in self.sandbox.store.rows()}


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PATH with the command and `gh` before all others."""
    with stand_ins(tmp_path_factory.mktemp("bin")) as folder:
        yield f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def start(path: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the repository as every test finds it."""
    folder = tmp_path_factory.mktemp("repository")
    with Sandbox(api_key=KEY) as sandbox:
        Repository(folder, sandbox, path)
    return folder


@pytest.fixture
def repository(tmp_path: Path, path: str, start: Path) -> Iterator[Repository]:
    """A repository whose catalogue has a shirt and a coat, and an empty shop."""
    with Sandbox(api_key=KEY) as sandbox:
        yield Repository(tmp_path, sandbox, path, start)
