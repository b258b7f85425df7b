"""The command line: parse, call one story, render, exit."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from reconciler.signals import heed

INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `arguments` are the process's where None."""
    if arguments is None:
        # Before anything is loaded, which takes a while: there is nothing yet to come to an end.
        heed(_exit_at_once)
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"] and _printed_version():
        return 0
    from reconciler.cli.main import run

    return run(given) if arguments is not None else _as_process(given, run)


def _as_process(given: Sequence[str], run: Callable[[Sequence[str]], int]) -> int:
    """Run the one command that this process is for."""
    from reconciler.interpreter import for_one_command, leave_alone

    for_one_command()
    try:
        heed(_interrupt)
        code = run(given)
    except KeyboardInterrupt:  # between the lines above and those that tell it
        _exit_at_once()
    # The code is settled, and nothing is told any more by whoever ends.
    heed(signal.SIG_IGN)
    leave_alone()
    if code == INTERRUPTED:
        _leave()
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _exit_at_once(number: int = 0, frame: FrameType | None = None) -> None:
    """End with one line on stderr, without what Python does at its end."""
    os.write(2, b"error: Interrupted.\n")
    os._exit(INTERRUPTED)


def _leave() -> None:
    """End an interrupted command without waiting for the threads that still wait for answers."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # closed, or full: told already
            continue
    os._exit(INTERRUPTED)


def _printed_version() -> bool:
    """Print the version without loading anything else; False where that takes more than this."""
    from reconciler.version import version_text

    try:
        sys.stdout.write(f"reconciler {version_text()}\n")
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):  # closed, or full: the long way tells it properly
        return False
    return True
