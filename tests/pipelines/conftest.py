"""A repository with a catalogue at a code host, and the sandbox as its shop."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.server import Sandbox
from tests.cli.run import environment
from tests.pipelines.action import Run, Step, path_with, stand_ins
from tests.pipelines.gh import EMPTY, STATE

KEY = "hush-hush-key"
PRODUCTS = {
    "shirt": "store_id: '1'\nname: Shirt\ntype: top\nimage_url: ''\n",
    "coat": "store_id: '2'\nname: Coat\ntype: coat\nimage_url: ''\n",
}


class Repository:
    """A clone of a bare origin, with `ledger: git`, and the runs that are made in it."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
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
            "PATH": path_with(stand_ins(folder / "bin")),
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "shop/catalog",
            "GITHUB_SHA": "5ea5ea5ea5ea",
            "GITHUB_RUN_ID": "4711",
            "ROBOSIZE_API_URL": sandbox.url,
            STATE: str(self._state),
        }
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(folder / "origin")],
            check=True,
            env=self.environ,
        )
        subprocess.run(
            ["git", "clone", "--quiet", str(folder / "origin"), str(self.folder)],
            check=True,
            env=self.environ,
            stderr=subprocess.DEVNULL,
        )
        self.git("checkout", "--quiet", "-B", "main")
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


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """A repository whose catalogue has a shirt and a coat, and an empty shop."""
    with Sandbox(api_key=KEY) as sandbox:
        yield Repository(tmp_path, sandbox)
