"""The command line: parse, call one function of `reconcile.py`, render, exit."""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `arguments` are the process's where None."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"] and _printed_version():
        return 0
    if arguments is None:
        from reconciler.interpreter import for_one_command, leave_alone

        for_one_command()
    from reconciler.cli.main import run

    code = run(given)
    if arguments is None:
        leave_alone()
    return code


def _printed_version() -> bool:
    """Print the version without loading anything else; False where that takes more than this."""
    from reconciler.version import version_text

    try:
        sys.stdout.write(f"reconciler {version_text()}\n")
        sys.stdout.flush()
    except (AttributeError, OSError, ValueError):  # closed, or full: the long way tells it properly
        return False
    return True
