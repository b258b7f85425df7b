"""The console: all messages on stderr, with every key masked. stdout carries only results."""

import json
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO, TypeAlias

from reconciler.clock import stamp
from reconciler.wording import wrapped

ColorChoice: TypeAlias = Literal["auto", "always", "never"]
LogFormat: TypeAlias = Literal["text", "json"]
MessageLevel: TypeAlias = Literal["error", "hint", "warning", "info", "debug"]

_CODES: Final[Mapping[str, str]] = {"error": "31;1", "warning": "33", "hint": "36"}
_UNPRINTED: Final = frozenset({"info", "debug"})


class Console:
    """Writes messages to stderr, as text or JSON lines, with every key masked.

    All of them pass through `redact`; `mask` adds keys to mask.
    """

    def __init__(
        self,
        *,
        color: ColorChoice = "auto",
        log_format: LogFormat = "text",
        verbose: bool = False,
        quiet: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.log_format: LogFormat = log_format
        self.verbose = verbose
        self.quiet = quiet
        self.stdout_color = _wants_color(color, sys.stdout, environ)
        self.stderr_color = _wants_color(color, sys.stderr, environ) and log_format == "text"
        # Reentrant: a signal handler may print while the main thread is printing.
        self._lock = threading.RLock()
        self._keys: frozenset[str] = frozenset()
        # Known before the settings are read: a fault in these may be told with the key in it (P5).
        self.mask([environ.get("ROBOSIZE_API_KEY", "").strip()])

    def mask(self, keys: Iterable[str]) -> None:
        """Mask these keys from now on."""
        self._keys |= {key for key in keys if key}

    def redact(self, text: str) -> str:
        """`text` without any key."""
        # Imported late: `--help` has nothing to hide.
        from reconciler.remote.redaction import Redactor

        return Redactor(self._keys).redact(text)

    def say(self, level: MessageLevel, message: str, **more: Any) -> None:
        """Write one message to stderr; `more` are further keys of its JSON line.

        If stderr cannot be written the message is lost, without an error.
        """
        if self.log_format == "json":
            from reconciler.report.escape import break_commands

            record = {"time": _now(), "level": level, "message": message, **more}
            # In ASCII, and without the commands that a pipeline obeys anywhere within a line.
            self._write(break_commands(json.dumps(record, default=str), "\\u0023"))
        else:
            self._write(self._labelled(level, message))

    def _labelled(self, level: MessageLevel, message: str) -> str:
        from reconciler.report.escape import escape

        # Line breaks too: text from outside could otherwise forge a line that a pipeline obeys.
        text = escape(message)
        label = "" if level in _UNPRINTED else f"{level}: "
        # The key may be longer than its mask, so it is masked before the line is measured.
        lines = wrapped(self.redact(label + text), self.stderr_width, hang="  ")
        whole = "\n".join(lines)
        if not label or not self.stderr_color:
            return whole
        return paint(label.rstrip(), _CODES[level]) + whole[len(label) - 1 :]

    def line(self, text: str) -> None:
        """Write one line to stderr as it is, unless logs are JSON: these have it in a record."""
        if self.log_format == "text":
            self._write(text)

    def trace(self, trace: str | None) -> None:
        """Write a traceback, if there is one and logs are text.

        Each line gets a prefix, since the text of an error may hold line breaks.
        """
        from reconciler.report.escape import escape

        for line in (trace or "").rstrip().splitlines():
            self.line(f"| {escape(line)}")

    def _write(self, text: str) -> None:
        stream = sys.stderr
        # Python sets it to None in a process without one, as with `2>&-`.
        if stream is None:
            return
        try:
            with self._lock:
                # The last step before the stream, so that no message can go round it (P5).
                stream.write(self.redact(text) + "\n")
                stream.flush()
        except (OSError, ValueError, RuntimeError):  # RuntimeError: a signal met a write halfway
            return

    def agreed(self, question: str) -> bool:
        """Whether the person at the terminal answers yes; anything else, also no input, means no.

        The question goes to stderr, because stdout carries only the result.
        """
        asked = "\n".join(wrapped(f"{question} [y/N]", self.stderr_width))
        sys.stderr.write(f"{asked} ")
        sys.stderr.flush()
        answer = ""
        try:
            answer = sys.stdin.readline()
        finally:
            # Ctrl-D leaves the cursor behind the question.
            if not answer.endswith("\n"):
                sys.stderr.write("\n")
        return answer.strip().lower() in ("y", "yes")

    @property
    def interactive(self) -> bool:
        """Whether a person can see the plan and answer a question."""
        # All three: a plan that goes into a file was not seen by whoever answers.
        return all(_is_terminal(stream) for stream in (sys.stdin, sys.stdout, sys.stderr))

    @property
    def animated(self) -> bool:
        """Whether stderr is a terminal on which a bar may move."""
        return (
            _is_terminal(sys.stderr)
            and self.log_format == "text"
            # Log lines would tear the bar apart.
            and not self.verbose
            and os.environ.get("TERM") != "dumb"
        )

    @property
    def width(self) -> int | None:
        """The columns of the terminal, or None if stdout is not a terminal."""
        if not _is_terminal(sys.stdout):
            return None
        import shutil

        return shutil.get_terminal_size().columns

    @property
    def stderr_width(self) -> int | None:
        """The columns of the terminal that messages go to, or None if stderr is not one."""
        stream = sys.stderr
        if stream is None or not _is_terminal(stream):
            return None
        given = os.environ.get("COLUMNS", "")
        # shutil's rule: what the user sets goes before what the terminal says.
        if given.isdecimal() and int(given):
            return int(given)
        try:
            # Asked of stderr itself: stdout may be a file.
            return os.get_terminal_size(stream.fileno()).columns or None
        except (OSError, ValueError):
            return None

    @property
    def ascii(self) -> bool:
        """Whether stdout's encoding lacks the plan's symbols."""
        try:
            "»→…".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            return True
        return False


def paint(text: str, code: str) -> str:
    """`text` in the colour of an ANSI code."""
    return f"\x1b[{code}m{text}\x1b[0m"


def prepare_streams() -> None:
    """Escape characters that the encoding of stdout or stderr lacks, instead of raising."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # It writes what is buffered. On a full disk whoever prints the result tells that.
            with suppress(OSError, ValueError):
                # A product's name may hold any character, and a Windows console may lack it.
                reconfigure(errors="backslashreplace")


def _wants_color(choice: ColorChoice, stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    if choice != "auto":
        return choice == "always"
    # no-color.org: any value that is not empty counts.
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return _is_terminal(stream)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _now() -> str:
    return stamp(datetime.now(UTC))
