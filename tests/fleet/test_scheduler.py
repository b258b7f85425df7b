"""A fleet on a Dask scheduler: what travels, who is refused, and workers that die."""

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from reconciler.codes import Code
from reconciler.errors import SettingsError
from reconciler.fleet import scheduler
from reconciler.fleet.scheduler import scheduler_place
from reconciler.fleet.task import Checkout, StoreTask
from reconciler.fleet.work import stop_run
from reconciler.fleet.work import work as run_here
from reconciler.sandbox.calls import CallLog
from reconciler.sandbox.server import Sandbox
from tests.cli.run import environment
from tests.commands.here import Here
from tests.fleet.cluster import cluster, contents, fleet_in_git, git, keys
from tests.fleet.test_commands import document
from tests.git.conftest import plain_git  # noqa: F401  (a fixture)

SOAK = settings.get_current_profile_name() == "soak"
"""`make soak` kills twenty workers over a hundred shops."""
SHOPS = 100 if SOAK else 5
PRODUCTS = 5
KILLS = range(12, 480, 24) if SOAK else (5,)
"""After how many writes of all shops a worker is killed."""


@pytest.fixture
def travelled(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All that this process pickles for Dask."""
    core = pytest.importorskip("distributed.protocol.core")

    seen: list[bytes] = []
    original = core.dumps

    def dumps(*arguments: Any, **options: Any) -> Any:
        frames = original(*arguments, **options)
        seen.extend(bytes(frame) for frame in frames)
        return frames

    # Each kind of connection has its own name for it.
    for module in [*sys.modules.values()]:
        if getattr(module, "__name__", "").startswith("distributed."):
            for name, value in vars(module).copy().items():
                if value is original:
                    monkeypatch.setattr(module, name, dumps)
    return seen


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A server of several shops, slow enough to be interrupted."""
    with Sandbox(shops=SHOPS, latency_ms=15) as sandbox:
        for name, value in keys(SHOPS).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("RECONCILER_REQUESTS__CONCURRENCY", "1")
        monkeypatch.setenv("RECONCILER_REQUESTS__SETTLE", "0.3")
        yield sandbox


@pytest.mark.usefixtures("plain_git")
def test_a_fleet_on_a_scheduler(
    tmp_path: Path,
    remote: Sandbox,
    here: Here,
    travelled: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers use keys of their own, and none travels; others' versions and changes are refused."""
    work = fleet_in_git(tmp_path, SHOPS, 2)
    monkeypatch.chdir(work)
    # The workers have no key for the last shop, and the first shop's only they have.
    with cluster(2, tmp_path, {f"SHOP_{SHOPS}_KEY": ""}) as running:
        at = ("--scheduler", running.scheduler_address)
        monkeypatch.delenv("SHOP_1_KEY")
        ended = here("fleet", "apply", "--yes", *at, "--format", "json")
        stores = document(ended.out)["stores"]
        assert [store["exit_code"] for store in stores] == [0] * (SHOPS - 1) + [1], ended
        assert stores[-1]["code"] == "no_api_key"
        assert contents(remote) == [["0", "1"]] * (SHOPS - 1) + [[]]
        assert git(work, "ls-remote", "origin", "refs/reconciler/*").count("\n") == SHOPS - 2
        ended = here("fleet", "plan", *at, "--store", "s[12]", "--out", "plans")
        assert ended.code == 0
        assert here("fleet", "apply", "plans", *at).code == 0
        assert any(b"StoreTask" in part for part in travelled)
        assert not [part for part in travelled if b"shop-" in part]
        with scheduler_place(running.scheduler_address, 2) as place:
            assert place.alive()
            place.broadcast(stop_run, "stopped")
            late = [StoreTask("stopped", "plan", f"s{n}", Checkout(work)) for n in (1, 2, 3, 4)]
            told = [place.executor.submit(run_here, task) for task in late]
            assert {future.result(60).code for future in told} == {Code.NOT_ATTEMPTED}
        monkeypatch.setattr(scheduler, "VERSION", "0.9.9")
        ended = here("fleet", "plan", *at)
        assert ended.code == 1
        assert "The worker tcp://127.0.0.1" in ended.err
        monkeypatch.undo()
        monkeypatch.chdir(work)
        (work / "shops" / "s1" / "catalog" / "all.yaml").write_text("products: []\n")
        ended = here("fleet", "plan", *at)
        assert (ended.code, "not committed" in ended.err) == (1, True)


@pytest.mark.usefixtures("plain_git")
def test_killed_workers_cost_nothing_but_time(
    tmp_path: Path, remote: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers are killed in the middle of their writes; every shop converges, and none doubles."""
    work = fleet_in_git(tmp_path, SHOPS, PRODUCTS)
    environ = environment()
    with cluster(0, tmp_path, {}) as running:
        workers = Workers(running.scheduler_address, tmp_path, KILLS)
        monkeypatch.setattr(
            CallLog, "arrived", lambda log, *arguments: workers.arrived(log, *arguments)
        )
        command = [sys.executable, "-m", "reconciler.cli", "fleet", "apply", "--yes"]
        at = ["--scheduler", running.scheduler_address, "--format", "json"]
        try:
            done = subprocess.run(
                [*command, *at], cwd=work, env=environ, stdout=subprocess.PIPE, encoding="utf-8",
                timeout=1800 if SOAK else 60, check=False,
            )  # fmt: skip
        finally:
            workers.close()
    out = done.stdout
    found = document(out)
    assert workers.killed == len(KILLS), out[-3000:]
    assert found["exit_code"] == 0, out
    assert contents(remote) == [[str(number) for number in range(PRODUCTS)]] * SHOPS
    takeovers = sum(store["takeovers"] for store in found["stores"])
    # A worker may be killed while it has no store, or twice while it begins.
    assert 0 < takeovers <= workers.killed
    assert all(store["converged"] for store in found["stores"])
    posts = sum(len(store.calls("POST")) for store in remote.stores.values())
    assert found["summary"]["applied"] <= posts


class Workers:
    """Two worker processes that are started anew when they die, and killed by the count of creates.

    Dask's own nanny gives a worker up that dies while it starts.
    """

    def __init__(self, address: str, folder: Path, after: Iterable[int]) -> None:
        self.after = deque(after)
        self.killed = 0
        self._sent = 0
        self._original = CallLog.arrived
        self._ended = threading.Event()
        self._command = [
            *(sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny"),
            *("--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)),
        ]
        self._running = [self._begun() for _ in range(2)]
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def arrived(self, log: CallLog, method: str, *arguments: Any) -> int:
        """`CallLog.arrived`, which then also counts, and kills a worker."""
        self._sent += method == "POST"
        if self.after and self._sent >= self.after[0]:
            self.after.popleft()
            self._running[self.killed % 2].kill()
            self.killed += 1
        return self._original(log, method, *arguments)

    def close(self) -> None:
        """End both."""
        self._ended.set()
        self._keeper.join()
        for process in self._running:
            process.kill()
            process.wait()

    def _begun(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _keep(self) -> None:
        while not self._ended.wait(0.02):
            for number, process in enumerate(self._running):
                if process.poll() is not None:
                    self._running[number] = self._begun()


@pytest.mark.usefixtures("plain_git")
def test_a_scheduler_needs_git(fleet: Path, here: Here) -> None:
    """Without git there is no commit to name, and a ledger in files is nobody's to take over."""
    ended = here("fleet", "apply", "--yes", "--scheduler", "tcp://127.0.0.1:1")
    assert (ended.code, "ledger: git" in ended.err) == (1, True)
    ended = here("fleet", "plan", "--scheduler", "tcp://127.0.0.1:1")
    assert (ended.code, "needs the catalogue in git" in ended.err) == (1, True)


def test_a_connection_to_elsewhere_must_be_encrypted() -> None:
    """A scheduler on another machine is refused before any connection, unless it speaks TLS."""
    pytest.importorskip("distributed")
    for address in ("tcp://scheduler.example:8786", "10.0.0.1:8786", "[2001:db8::1]:8786"):
        with pytest.raises(SettingsError, match="not encrypted"), scheduler_place(address, 1):
            pass


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    from reconciler.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra) as caught, scheduler_place("tcp://127.0.0.1:1", 1):
        pass
    assert "[fleet]" in str(caught.value.hint)


def certificate(folder: Path) -> dict[str, str]:
    """A certificate for this machine, as Dask's configuration names it."""
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    cert, key = folder / "cert.pem", folder / "key.pem"
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-keyout", str(key), "-out", str(cert), *names],
        check=False, capture_output=True,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("openssl cannot make a certificate here")
    return {"ca": str(cert), "cert": str(cert), "key": str(key)}


@pytest.mark.usefixtures("plain_git")
def test_tls_lets_in_whom_it_knows(
    tmp_path: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With certificates in Dask's configuration a fleet runs; without them nobody gets in."""
    dask = pytest.importorskip("dask")
    distributed = pytest.importorskip("distributed")
    work = fleet_in_git(tmp_path, 2)
    monkeypatch.chdir(work)
    files = certificate(tmp_path)
    both = {"cert": files["cert"], "key": files["key"]}
    security = distributed.Security(
        require_encryption=True,
        tls_ca_file=files["ca"],
        **{f"tls_{role}_{name}": file for role in ("scheduler", "worker", "client")
           for name, file in both.items()},
    )  # fmt: skip
    with cluster(1, tmp_path, {}, security=security, protocol="tls://") as running:
        at = ("--scheduler", running.scheduler_address)
        assert at[1].startswith("tls://")
        monkeypatch.setattr(scheduler, "_CONNECT", 1.0)
        ended = here("fleet", "plan", *at)
        assert (ended.code, "cannot be reached" in ended.err) == (1, True)
        with dask.config.set(
            {"distributed.comm.tls.ca-file": files["ca"], "distributed.comm.tls.client": both}
        ):
            monkeypatch.setattr(scheduler, "_CONNECT", 30.0)
            assert here("fleet", "plan", *at).code == 0


def test_a_client_that_cannot_connect_is_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left to the garbage collector, which would close it while another one starts."""
    distributed = pytest.importorskip("distributed")
    made: list[Any] = []
    begin = distributed.Client.__init__

    def noted(self: Any, *arguments: Any, **options: Any) -> None:
        made.append(self)
        begin(self, *arguments, **options)

    monkeypatch.setattr(distributed.Client, "__init__", noted)
    monkeypatch.setattr(scheduler, "_CONNECT", 0.2)
    with (
        pytest.raises(SettingsError, match="cannot be reached"),
        scheduler_place("tls://127.0.0.1:9", 1),
    ):
        pass
    assert [client.status for client in made] == ["closed"]
