"""What text may hold: pure functions of one value, each problem told with its remedy.

The reader passes ordinary text (ASCII that can be printed and has no space at its ends) without
coming here.
"""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from reconciler.codes import Code
from reconciler.linting.registry import TEXT_RULES
from reconciler.model import Severity, is_control, shows_nothing


class TextProblem(NamedTuple):
    """What is wrong with a text, and what to do about it."""

    severity: Severity
    code: str
    message: str


def problems_of(text: str) -> Iterator[TextProblem]:
    """What is wrong with `text` as a value: at most one error, or any number of warnings."""
    if shows_nothing(text):
        yield TextProblem("error", Code.BLANK_TEXT, "is blank. Write a value, or leave it out.")
    elif text.strip() != text:
        yield TextProblem(
            "error", Code.PADDED_TEXT, f"begins or ends with white space. {_trim(text)}"
        )
    elif control := next(filter(is_control, text), None):
        message = f"holds the control character U+{ord(control):04X}. Delete it."
        yield TextProblem("error", Code.CONTROL_CHARACTER, message)
    else:
        yield from _warnings_of(text)


def problem_of_url(text: str) -> str | None:
    """Why `text` is not an http(s) URL with a host, or None if it is one."""
    if any(map(str.isspace, text)):
        return "holds white space; write %20 for a space"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"cannot be read: {str(error).rstrip('.')}"
    if parts.scheme not in ("http", "https"):
        return "does not begin with https:// or http://"
    if not host:
        return "names no host after //"
    if "\\" in parts.netloc:
        # Browsers take it for a slash, so they would ask another host than rules have judged.
        return "holds a backslash, which browsers take for a slash"
    if parts.netloc.endswith(":") or port == 0:
        return "has no port number after the colon"
    return None


def _warnings_of(text: str) -> Iterator[TextProblem]:
    for rule in TEXT_RULES:
        if message := rule.check(text):
            yield TextProblem("warning", rule.code, message)


def _trim(text: str) -> str:
    """What to do about the white space at the ends of `text`."""
    if text.endswith("\n") and text.rstrip("\n") == text.strip():
        return "Write `|-` or `>-` for `|` or `>`, which keep the last line break."
    return "Remove it there."
