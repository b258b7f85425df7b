"""Sends this package's log to the console, and silences the logs of libraries."""

import logging
from typing import Final

from reconciler.cli.console import Console, MessageLevel

_FOREIGN: Final = ("urllib3", "requests", "asyncio", "uvicorn", "filelock")


def start_logging(console: Console) -> None:
    """Send this package's log to the console: warnings, or everything with --verbose.

    Libraries stay silent even then: urllib3 logs URLs, and these hold the key.
    """
    for name in _FOREIGN:
        foreign = logging.getLogger(name)
        foreign.setLevel(logging.CRITICAL + 1)
        # A handler at the root would get the records all the same.
        foreign.propagate = False
    logger = logging.getLogger("reconciler")
    # Set, not added: tests and programs run many commands in one process.
    logger.handlers = [_Handler(console)]
    logger.propagate = False
    logger.setLevel(logging.DEBUG if console.verbose else logging.WARNING)


class _Handler(logging.Handler):
    """Passes log records to the console."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print the record at its level."""
        trace = record.exc_text
        if trace is None and record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)
        level, message = _level(record.levelno), record.getMessage()
        self._console.say(level, message, logger=record.name, traceback=trace)
        self._console.trace(trace)


def _level(number: int) -> MessageLevel:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"
