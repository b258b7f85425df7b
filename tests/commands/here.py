"""Runs commands in this process, and keeps what they wrote."""

import pytest

from reconciler.cli.main import run
from tests.cli.run import Ended


class Here:
    """Commands run here, in the working folder of the test."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ended:
        """Run one command to its end."""
        code = run(arguments)
        return Ended(code, *self._capsys.readouterr())
