"""What each command loads: counted, not timed, so that start-up cannot grow unseen.

A package that is heavy to import may be loaded only by commands that need it. Commands that may
load the same run one after the other, in a process of their own: what is loaded, stays loaded.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from reconciler.cli.main import COMMANDS
from tests.cli.run import environment, shop
from tests.remote.servers import Server, page, products

HEAVY: Final = frozenset(
    {
        "apprise",
        "click",
        "deepdiff",
        "filelock",
        "jinja2",
        "logging",
        "multiprocessing",
        "packaging",
        "prometheus_client",
        "pydantic",
        "python_calamine",
        "requests",
        "rich",
        "ruamel.yaml",
        "sqlite3",
        "starlette",
        "urllib3",
        "uvicorn",
    }
)
"""Packages that take a while to import, or that drag in many others."""

_NOTHING: Final[frozenset[str]] = frozenset()
_LINE: Final = frozenset({"click"})
_SAY: Final = _LINE | {"logging"}
_OFFLINE: Final = _SAY | {"pydantic", "ruamel.yaml"}
_HOLDING: Final = {"filelock"}
_ONLINE: Final = _OFFLINE | {"requests", "urllib3"}

ALLOWED: Final = {
    "--version": _NOTHING,
    "--help": _LINE,
    **{f"{command} --help": _LINE for command in COMMANDS},
    "explain too_many_deletes": _SAY,
    "schema product": _OFFLINE,  # the policy in the settings has words for it
    "schema plan": _SAY | {"pydantic"},
    "validate": _OFFLINE,
    "validate --format json": _OFFLINE,
    "validate --format github": _OFFLINE,
    "validate --format sarif": _OFFLINE,
    "fmt --check": _OFFLINE,
    "import --id id --map name=name export.csv": _OFFLINE,
    "log": _OFFLINE,
    "ledger show": _OFFLINE,
    "restore": _OFFLINE,
    "show --sandbox": _OFFLINE,
    "unlock": _OFFLINE | _HOLDING,
    "plan": _ONLINE,
    "plan --format json": _ONLINE,
    "plan --format markdown": _ONLINE,
    "plan --format github": _ONLINE,
    "plan --format gitlab": _ONLINE,
    "plan --format html": _ONLINE | {"jinja2"},
    "status": _ONLINE,
    "status --format prometheus": _ONLINE | {"prometheus_client"},
    "plan --metrics run.prom": _ONLINE | {"prometheus_client"},
    "pull": _ONLINE,
    "apply --dry-run": _ONLINE,
    "fleet list": _OFFLINE,
    "fleet plan": _ONLINE | {"multiprocessing"},
    "apply --yes": _ONLINE | _HOLDING,
}
"""By command line, the heavy packages that it may load; the others it may not."""

ALIKE: Final = {
    packages: [command for command, may in ALLOWED.items() if may == packages]
    for packages in dict.fromkeys(ALLOWED.values())
}

_RUN: Final = """
import json, sys
from reconciler.cli import main
for command in sys.argv[1:]:
    main(command.split())
    print(json.dumps([command, [*sys.modules]]), file=sys.stderr)
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """A remote that holds what the catalogue of `folder` declares, but for the second name."""
    records = [{**record, "store_id": f"{n:04}"} for n, record in enumerate(products(2), start=1)]
    with Server(lambda call: page(call, records)) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with a small catalogue."""
    (tmp_path / "export.csv").write_text("id,name\n0001,Shirt\n", encoding="utf-8")
    return shop(tmp_path, "Product 0", "Another name")


def modules_of(folder: Path, server: Server, commands: Sequence[str]) -> dict[str, set[str]]:
    """The modules that are loaded after each of these commands, run one after the other."""
    environ = environment(
        {
            "ROBOSIZE_API_KEY": "demo-key",
            "ROBOSIZE_API_URL": server.url,
            # This server takes every write and shows none: looking again soon is enough.
            "RECONCILER_REQUESTS__SETTLE": "0.1",
        }
    )
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *commands],
        cwd=folder,
        # Measuring coverage loads modules of its own, which are not the command's.
        env={name: value for name, value in environ.items() if not name.startswith("COV")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert [command for command, _ in told] == [*commands]
    return {command: set(modules) for command, modules in told}


@pytest.mark.parametrize("packages", ALIKE, ids=lambda packages: "+".join(sorted(packages)) or "-")
def test_a_command_loads_what_it_needs(
    folder: Path, server: Server, packages: frozenset[str]
) -> None:
    """No heavy package is loaded beyond those that the command's work takes."""
    loaded = modules_of(folder, server, ALIKE[packages])
    assert {command: modules & HEAVY - packages for command, modules in loaded.items()} == {
        command: set() for command in loaded
    }


def test_a_saved_plan_is_shown_without_http(folder: Path, server: Server) -> None:
    """Reading a plan file needs the network as little as reading a catalogue does."""
    modules_of(folder, server, ["plan --out plan.json"])
    (loaded,) = modules_of(folder, server, ["show plan.json"]).values()
    assert loaded & HEAVY <= _OFFLINE


def test_help_stays_small(folder: Path, server: Server) -> None:
    """Help loads no more modules than it does today, plus a few."""
    loaded = modules_of(folder, server, ["--version", "--help"])
    assert len(loaded["--help"]) <= 160
    assert len(loaded["--version"]) <= 90
