"""Runs the command in a folder of its own, with no key around: as a process, or in this one."""

import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

from reconciler.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "reconciler.cli")


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of this process with the package in reach."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **(more or {})}


def reconciler(folder: Path, *arguments: str, **environ: str) -> Ended:
    """Run one command in `folder` to its end, without a terminal."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def in_process(folder: Path, *arguments: str, **environ: str) -> Ended:
    """Run one command in `folder` to its end in this process.

    It takes a tenth of what a process takes; so do all tests that are not about processes.
    """
    return run_here(folder, arguments, {**os.environ, **environ})


def run_here(folder: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> Ended:
    """The same with an environment that is given whole."""
    out, err = io.BytesIO(), io.BytesIO()
    streams = [io.TextIOWrapper(stream, encoding="utf-8") for stream in (out, err)]
    with (
        pytest.MonkeyPatch.context() as patch,
        mock.patch.dict(os.environ, environ, clear=True),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
    ):
        patch.chdir(folder)
        code = run(arguments)
    for stream in streams:
        stream.flush()
    return Ended(code, out.getvalue().decode("utf-8"), err.getvalue().decode("utf-8"))


def shop(folder: Path, *names: str) -> Path:
    """A working folder whose catalogue declares one product for each name."""
    catalog = folder / "catalog"
    catalog.mkdir(exist_ok=True)
    for number, name in enumerate(names, start=1):
        text = f"store_id: '{number:04}'\nname: {name}\ntype: top\nimage_url: ''\n"
        (catalog / f"{number:04}.yaml").write_text(text, encoding="utf-8")
    return folder
