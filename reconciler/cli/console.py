"""The console: stdout carries the result and nothing else; stderr everything that is said.

What is said is redacted here, once, whatever it is: the key leaves through no other door.
"""

import json
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO, TypeAlias

from reconciler.clock import stamp

ColorChoice: TypeAlias = Literal["auto", "always", "never"]
LogFormat: TypeAlias = Literal["text", "json"]
Level: TypeAlias = Literal["error", "hint", "warning", "info", "debug"]

_CODES: Final[Mapping[str, str]] = {"error": "31;1", "warning": "33", "hint": "36"}
_UNPRINTED: Final = frozenset({"info", "debug"})


class Console:
    """Says things on stderr, in text or in JSON lines, without any key.

    `redact` is the seam through which all of it goes; `know` adds keys that it must mask.
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
        # Reentrant: a signal may be told while the main thread is telling something else.
        self._lock = threading.RLock()
        self._keys: frozenset[str] = frozenset()
        self.know([environ.get("ROBOSIZE_API_KEY", "").strip()])

    def know(self, keys: Iterable[str]) -> None:
        """Mask these keys from now on."""
        self._keys |= {key for key in keys if key}

    def redact(self, text: str) -> str:
        """`text` without any key."""
        # Imported late: `--help` has nothing to hide.
        from reconciler.remote.redaction import Redactor

        return Redactor(self._keys).redact(text)

    def say(self, level: Level, message: str, **more: Any) -> None:
        """Write one thing on stderr; `more` are further keys of its JSON line.

        A stderr that cannot be written to is no reason to fail: there is nobody left to tell.
        """
        if self.log_format == "json":
            record = {"time": _now(), "level": level, "message": message, **more}
            self._write(json.dumps(record, ensure_ascii=False, default=str))
        else:
            self._write(self._labelled(level, message))

    def _labelled(self, level: Level, message: str) -> str:
        from reconciler.report.escape import escape

        # Whole: a line break within a message may be somebody's who wants the log to obey him.
        text = escape(message)
        if level in _UNPRINTED:
            return text
        label = f"{level}:"
        return f"{paint(label, _CODES[level]) if self.stderr_color else label} {text}"

    def line(self, text: str) -> None:
        """Write one line on stderr as it is, where logs are text; JSON logs have it in a record."""
        if self.log_format == "text":
            self._write(text)

    def trace(self, trace: str | None) -> None:
        """Write a traceback, if there is one, where logs are text.

        Its lines are marked, since an error's own text may break lines: none may be one that a
        pipeline obeys.
        """
        from reconciler.report.escape import escape

        for line in (trace or "").rstrip().splitlines():
            self.line(f"| {escape(line)}")

    def _write(self, text: str) -> None:
        stream = sys.stderr
        if stream is None:
            return
        try:
            with self._lock:
                stream.write(self.redact(text) + "\n")
                stream.flush()
        except (OSError, ValueError, RuntimeError):  # RuntimeError: a signal met a write halfway
            return

    def agreed(self, question: str) -> bool:
        """Whether the person at the terminal answers yes; all else, an end of input too, is no.

        The question stands on stderr: stdout carries the result and nothing else.
        """
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        answer = ""
        try:
            answer = sys.stdin.readline()
        finally:
            if not answer.endswith("\n"):
                sys.stderr.write("\n")
        return answer.strip().lower() in ("y", "yes")

    @property
    def interactive(self) -> bool:
        """Whether a person sees the plan, reads the question and can answer it."""
        return all(_is_terminal(stream) for stream in (sys.stdin, sys.stdout, sys.stderr))

    @property
    def animated(self) -> bool:
        """Whether stderr is a terminal on which a bar may move."""
        return (
            _is_terminal(sys.stderr)
            and self.log_format == "text"
            and not self.verbose
            and os.environ.get("TERM") != "dumb"
        )

    @property
    def width(self) -> int | None:
        """The columns of the terminal that stdout is, None where it is none."""
        if not _is_terminal(sys.stdout):
            return None
        import shutil

        return shutil.get_terminal_size().columns

    @property
    def ascii(self) -> bool:
        """Whether stdout's encoding lacks the plan's symbols."""
        try:
            "»→…".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
        except UnicodeEncodeError:
            return True
        return False


def paint(text: str, code: str) -> str:
    """`text` between a terminal's colour code and its reset."""
    return f"\x1b[{code}m{text}\x1b[0m"


def prepare_streams() -> None:
    """Let a narrow encoding spell what it lacks: text for people must not end in a crash."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _wants_color(choice: ColorChoice, stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    if choice != "auto":
        return choice == "always"
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
