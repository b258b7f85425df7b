"""A command that is told to stop ends with 130 and one line, however early it is told."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.run import environment
from tests.trust.conftest import KEY

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
TOLD_AT = """
import os, signal, sys
module, number = sys.argv[1], int(sys.argv[2])

class Meddler:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), number)

from reconciler.cli import main
sys.meta_path.insert(0, Meddler())
sys.argv[1:] = sys.argv[3:]
sys.exit(main())
"""
"""Runs the command, and tells it to stop the moment it begins to load a certain module."""


@pytest.fixture
def silence() -> Iterator[str]:
    """The URL of a server that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("module", "number"),
    [
        *(("reconciler.interpreter", number) for number in SIGNALS),
        *(("reconciler.reconcile.run", number) for number in SIGNALS),
        ("click", signal.SIGHUP),
        ("reconciler.cli.plan", signal.SIGINT),
        ("pydantic", signal.SIGTERM),
        ("requests", signal.SIGINT),
        ("reconciler.remote.client", signal.SIGHUP),
    ],
)
def test_it_is_one_line_while_modules_are_loaded(
    folder: Path, silence: str, module: str, number: int
) -> None:
    """No traceback and no other code in the time before the work begins."""
    done = subprocess.run(
        [sys.executable, "-c", TOLD_AT, module, str(int(number)), "plan"],
        cwd=folder,
        env=environment({"ROBOSIZE_API_URL": silence, "ROBOSIZE_API_KEY": KEY}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: Interrupted.\n")


@pytest.mark.parametrize(
    ("command", "number"),
    [
        *((("plan",), number) for number in SIGNALS),
        (("status",), signal.SIGINT),
        (("apply", "--yes"), signal.SIGTERM),
        (("apply", "--yes"), signal.SIGHUP),
    ],
    ids=str,
)
def test_it_is_one_line_while_the_remote_keeps_silent(
    folder: Path, number: int, command: tuple[str, ...]
) -> None:
    """A call that waits for its answer does not keep the command from ending."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler.cli", *command],
            cwd=folder,
            env=environment({"ROBOSIZE_API_URL": url, "ROBOSIZE_API_KEY": KEY}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1)
                process.send_signal(number)
                # Less than the time limit of the call, which it would else wait for.
                out, err = process.communicate(timeout=25)
    assert (process.returncode, out, err) == (130, "", "error: Interrupted.\n")


def test_a_run_that_shall_outlive_its_terminal_does(folder: Path) -> None:
    """Under nohup SIGHUP is ignored, and stays so."""
    program = TOLD_AT.replace(
        "import os", "import signal; signal.signal(1, signal.SIG_IGN)\nimport os", 1
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "click", "1", "validate"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
