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
    """Run one command and return its exit code; None means the arguments of the process."""
    if arguments is None:
        # Loading takes a while, and until it is done there is nothing to clean up.
        heed(_exit_at_once)
    given = sys.argv[1:] if arguments is None else list(arguments)
    # Scripts ask for the version often, so answer without the imports of a command.
    if given == ["--version"] and _printed_version():
        return 0
    # Here, since click takes longer to load than the version takes to print.
    from reconciler.cli.main import run

    # A caller in the same process keeps its own signal handlers and collector.
    return run(given) if arguments is not None else _as_process(given, run)


def _as_process(given: Sequence[str], run: Callable[[Sequence[str]], int]) -> int:
    """Run one command in a process of its own."""
    from reconciler.interpreter import for_one_command, leave_alone

    for_one_command()
    try:
        heed(_interrupt)
        code = run(given)
    except KeyboardInterrupt:  # between the lines above and those that tell it
        _exit_at_once()
    # The exit code is final, so a late signal must not print anything.
    heed(signal.SIG_IGN)
    leave_alone()
    _give_up_lost_messages()
    # Python would wait for threads whose calls may take minutes to end.
    if code == INTERRUPTED:
        _leave()
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _exit_at_once(number: int = 0, frame: FrameType | None = None) -> None:
    """End with one line on stderr, without Python's shutdown."""
    # A signal handler must not touch a buffered stream that it may have interrupted.
    os.write(2, b"error: Interrupted.\n")
    os._exit(INTERRUPTED)


def _give_up_lost_messages() -> None:
    """Drop messages that a full disk has refused; they must not replace the exit code."""
    try:
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        from reconciler.report.output import abandon

        if sys.stderr is not None:
            abandon(sys.stderr)


def _leave() -> None:
    """End an interrupted command without waiting for threads with calls in flight."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # closed, or full: told already
            continue
    os._exit(INTERRUPTED)


def _printed_version() -> bool:
    """Print the version without loading click; False if stdout cannot be written."""
    from reconciler.version import version_text

    try:
        sys.stdout.write(f"reconciler {version_text()}\n")
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):  # closed, or full: the long way tells it properly
        return False
    return True
