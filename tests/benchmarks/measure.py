"""Running and measuring: processes with their cost, the server, and figures with their lines."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any, Final

from tests.project import ROOT

PYTHON: Final = sys.executable
TOOL: Final = (PYTHON, "-c", "import sys; from reconciler.cli import main; sys.exit(main())")
"""The command `reconciler`, as its installed script starts it."""
STORE: Final = ROOT / "build" / "benchmarks"
"""What the benchmarks keep between runs: the last results, and octoDNS."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process with its children took: seconds of wall and CPU time, and bytes at peak."""

    wall: float
    cpu: float
    peak: int
    output: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number and the line that it must keep; `measured` is None where not here."""

    name: str
    measured: float | None
    line: float | None = None
    at_most: bool = True
    unit: str = "x"
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the line is kept, in a word."""
        if self.measured is None:
            return "not here"
        if self.line is None:
            return "-"
        kept = self.measured <= self.line if self.at_most else self.measured >= self.line
        return "pass" if kept else "FAIL"


class CommandFailedError(RuntimeError):
    """A measured command did not end as it should."""


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    codes: Sequence[int] = (0,),
) -> Usage:
    """Run one command to its end; CommandFailedError where its exit code is none of `codes`."""
    began = monotonic()
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=folder or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = monotonic() - began
    if process.returncode not in codes:
        raise CommandFailedError(f"{command} ended with {process.returncode}:\n{output[-2000:]}")
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output)


def paired(
    times: int, first: Callable[[], Usage], second: Callable[[], Usage]
) -> list[tuple[Usage, Usage]]:
    """Run two things by turns, so that what else the machine does meets both alike."""
    return [(first(), second()) for _ in range(times)]


def cpu_ratio(pairs: Sequence[tuple[Usage, Usage]]) -> float:
    """The median of the ratios of CPU time, first to second."""
    return median(first.cpu / second.cpu for first, second in pairs)


def wall_ratio(pairs: Sequence[tuple[Usage, Usage]]) -> float:
    """The median of the ratios of wall time, first to second."""
    return median(first.wall / second.wall for first, second in pairs)


@dataclass(frozen=True, slots=True)
class Server:
    """The benchmark server, running."""

    url: str

    @property
    def environ(self) -> dict[str, str]:
        """What makes the tool talk to it."""
        return {"ROBOSIZE_API_KEY": "bench", "ROBOSIZE_API_URL": self.url}

    def measured(self) -> dict[str, dict[str, float]]:
        """Calls, and the seconds from the first to the last of them, by method."""
        with urllib.request.urlopen(f"{self.url}measured") as answer:
            told: dict[str, dict[str, float]] = json.load(answer)
        return told


@contextmanager
def serving(
    products: int, *, latency_ms: float = 0, page_max: int = 200, prefix: Sequence[str] = ()
) -> Iterator[Server]:
    """A server that holds so many products, until the block ends; `prefix` is a command before."""
    module = [*prefix, PYTHON, "-m", "tests.benchmarks.server"]
    options = {"--products": products, "--latency-ms": latency_ms, "--page-max": page_max}
    command = [*module, *(str(part) for option in options.items() for part in option)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            port = process.stdout.readline().strip()
            yield Server(f"http://127.0.0.1:{port}/")
        finally:
            process.stdin.close()
            process.wait()


def job(name: str, *arguments: Any, environ: Mapping[str, str] | None = None) -> dict[str, float]:
    """Run one of `jobs` in a process of its own and return what it measured."""
    given = [str(argument) for argument in arguments]
    usage = run([PYTHON, "-m", "tests.benchmarks.jobs", name, *given], environ=environ)
    told: dict[str, float] = json.loads(usage.output.splitlines()[-1])
    return told
