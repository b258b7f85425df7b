"""Starting, stopping and serving."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import requests

from reconciler.errors import MissingExtra, UsageError
from reconciler.sandbox.fault_file import read_schedule
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox, serve
from reconciler.sandbox.store import SandboxStore

SERVE = """
import sys
from reconciler.sandbox.server import Sandbox, serve
serve(Sandbox(sys.argv[1]), lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def refused(url: str) -> bool:
    """Whether nobody listens at the address any more."""
    try:
        requests.get(url, timeout=10)
    except requests.ConnectionError:
        return True
    return False


def test_a_sandbox_ends_with_its_block(capfd: pytest.CaptureFixture[str]) -> None:
    """After the block nothing listens, no thread is left and nothing was printed."""
    before = threading.active_count()
    with Sandbox() as sandbox:
        url = sandbox.url
        assert requests.get(url, params={"api_key": "x"}, timeout=10).ok
    assert refused(url)
    assert threading.active_count() == before
    assert capfd.readouterr() == ("", "")


def test_signal_handlers_are_left_alone() -> None:
    """An embedded sandbox takes no signal from the program that it runs in."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Sandbox():
        inside = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert inside == before


def test_calls_that_hang_are_cut_at_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    """The end of a sandbox drops a call that it still holds: no answer, no effect, no noise."""
    caught: list[Exception] = []
    arrived = threading.Event()

    def call(url: str) -> None:
        arrived.set()
        try:
            requests.post(url, params={"api_key": "x"}, json={}, timeout=30)
        except requests.ConnectionError as error:
            caught.append(error)

    with Sandbox(faults=[Fault("hang", seconds=3600)]) as sandbox:
        thread = threading.Thread(target=call, args=(sandbox.url,))
        thread.start()
        arrived.wait()
        while not sandbox.store.calls():
            continue
    thread.join()
    assert len(caught) == 1
    assert capfd.readouterr() == ("", "")


def test_latency_is_waited(start: Any) -> None:
    """With a latency calls still come through, side by side."""
    client = start(latency_ms=20)
    assert client.create().status_code == 201


def test_a_taken_port_is_told() -> None:
    """A port that somebody else has is a UsageError that names it and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)) as caught, Sandbox(port=port):
            pass
    assert "another port" in str(caught.value.hint)


@pytest.mark.parametrize("options", [{"page_max": 0}, {"latency_ms": -1}, {"port": 99999}])
def test_options_that_cannot_be_meant(options: dict[str, Any]) -> None:
    """A page of nothing, a negative wait and a port beyond all ports are refused."""
    with pytest.raises(UsageError), Sandbox(**options):
        pass


def test_a_sandbox_that_does_not_run_has_nothing_to_offer() -> None:
    """Outside its block a sandbox says that it is to be used in one."""
    with pytest.raises(RuntimeError, match="with statement"):
        _ = Sandbox().url


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without starlette or uvicorn the error says what to install."""
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtra) as caught, Sandbox():
        pass
    assert "[sandbox]" in str(caught.value.hint)


def test_importing_the_server_imports_no_extra() -> None:
    """Whoever only imports the module, as the command line does, needs neither extra."""
    extras = "{'starlette', 'uvicorn'}"
    code = f"import sys, reconciler.sandbox.server; print({extras} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_serve_in_a_thread(tmp_path: Path) -> None:
    """A served sandbox is seeded first, obeys a fault file, tells its URL and ends when told to."""
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps([{"kind": "status", "nth": [2]}]), encoding="utf-8")
    stop, urls = threading.Event(), list[str]()
    seen: list[tuple[int, int]] = []

    def ready(url: str) -> None:
        urls.append(url)
        for _ in range(2):
            answer = requests.get(url, params={"api_key": "demo"}, timeout=10)
            seen.append((answer.status_code, answer.json().get("count", -1)))
        stop.set()

    def seed(store: SandboxStore) -> None:
        store.seed([{"store_id": "1", "name": "x"}])

    sandbox = Sandbox(api_key="demo", faults=read_schedule(faults), seed=seed)
    thread = threading.Thread(target=serve, args=(sandbox, ready, stop))
    thread.start()
    thread.join()
    assert seen == [(200, 1), (503, -1)]
    assert refused(urls[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_in_good_order_on_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    """SIGINT and SIGTERM end the server with its database closed and exit code 0."""
    path = tmp_path / "sandbox.sqlite3"
    command = [sys.executable, "-c", SERVE, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        stdout = process.stdout
        assert stdout is not None
        url = stdout.readline().strip()
        body = {"store_id": "1", "name": "x"}
        assert requests.post(url, params={"api_key": "x"}, json=body, timeout=10).ok
        os.kill(process.pid, number)
        assert stdout.read() == "ended\n"
    assert process.returncode == 0
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM products").fetchone() == (1,)
    connection.close()
