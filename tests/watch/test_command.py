"""`reconciler watch` as a process: its signals, its ends, its words."""

import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.run import COMMAND, environment, in_process
from tests.watch.world import Shops


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so; two minutes at the most, however busy the machine is."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


class Process:
    """A watch that runs; what it says is in `log`."""

    def __init__(self, shops: Shops, log: Path, *arguments: str) -> None:
        self.log = log
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [*COMMAND, "watch", "--listen", "127.0.0.1:0", *arguments],
                cwd=shops.folder,
                env=environment(shops.environ),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )

    @property
    def said(self) -> str:
        """What it said so far."""
        return self.log.read_text(encoding="utf-8")

    def page(self, path: str) -> str:
        """One of its pages."""
        url = re.search(r"http://127\.0\.0\.1:\d+/", self.said)
        assert url is not None
        with urllib.request.urlopen(url[0] + path, timeout=10) as answer:
            text: str = answer.read().decode()
        return text


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP")
def test_signals_read_anew_and_end_it(shops: Shops, tmp_path: Path) -> None:
    """SIGHUP reads the settings, bad ones are refused, SIGTERM ends it in order with 130."""
    watch = Process(shops, tmp_path / "log", "--every", "1h", "--apply")
    try:
        until(lambda: "s1: applied" in watch.said)
        until(lambda: 'side="remote",store="s1"} 2.0' in watch.page("metrics"))
        (shops.folder / "reconciler.yaml").write_text("nonsense: 1\n")
        watch.process.send_signal(signal.SIGHUP)
        until(lambda: "The settings stay as they were" in watch.said)
        shops.write_settings()
        watch.process.send_signal(signal.SIGHUP)
        until(lambda: "The settings were read again." in watch.said)
        watch.process.send_signal(signal.SIGTERM)
        assert watch.process.wait(120) == 130
    finally:
        watch.process.kill()
        watch.process.wait()
    assert "Traceback" not in watch.said
    assert shops.environ["ROBOSIZE_API_KEY"] not in watch.said
    assert shops.remote("s0") == {"1": "One", "2": "Two"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal for one process")
def test_ctrl_c_ends_it_and_a_taken_port_is_an_error(shops: Shops, tmp_path: Path) -> None:
    """Ctrl-C ends a watch that waits at once; meanwhile a second one cannot have its port."""
    watch = Process(shops, tmp_path / "log")
    try:
        until(lambda: "the page is at" in watch.said)
        port = re.search(r"127\.0\.0\.1:(\d+)/", watch.said)
        assert port is not None
        second = in_process(
            shops.folder, "watch", "--listen", f"127.0.0.1:{port[1]}", **shops.environ
        )
        assert second.code == 1
        assert "Choose another address with --listen" in second.err
        watch.process.send_signal(signal.SIGINT)
        assert watch.process.wait(120) == 130
    finally:
        watch.process.kill()
        watch.process.wait()
    assert "Traceback" not in watch.said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "drift"], "--only needs --apply"),
        (["--every", "soon"], "is not a time of a second or more"),
        (["--every", "0s"], "is not a time of a second or more"),
        (["--listen", "nowhere"], "is not an address with a port"),
    ],
)
def test_usage_is_checked_first(tmp_path: Path, arguments: list[str], message: str) -> None:
    """What makes no sense ends it before anything is read."""
    done = in_process(tmp_path, "watch", *arguments)
    assert done.code == 1
    assert message in done.err
