"""Prints the error of a failed command: what happened, its locations, and what to do."""

import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import click

from reconciler.cli.console import Console
from reconciler.codes import Code
from reconciler.errors import ReconcilerError
from reconciler.model import Finding
from reconciler.wording import wrapped


def tell(error: ReconcilerError, console: Console) -> int:
    """Print the error and return its exit code."""
    from reconciler.report.findings import findings_text

    # Only some errors have them.
    findings: Sequence[Finding] = getattr(error, "findings", ())
    details: Sequence[str] = getattr(error, "details", ())
    console.say("error", error.message, **_record(error, findings, details))
    if findings:
        text = findings_text(
            findings, color=console.stderr_color, width=console.stderr_width, indent="  "
        )
        lines = text.splitlines()
        # The last line repeats the count in the error's message.
        for line in lines[:-1]:
            console.line(line)
    from reconciler.report.escape import escape

    for detail in details:
        for line in wrapped(f"  {escape(detail)}", console.stderr_width, hang="    "):
            console.line(line)
    # A JSON line holds the hint already.
    if error.hint and console.log_format == "text":
        console.say("hint", error.hint)
    return error.exit_code


def _record(
    error: ReconcilerError, findings: Sequence[Finding], details: Sequence[str]
) -> Mapping[str, Any]:
    """The keys of an error's JSON line, besides its message."""
    record: dict[str, Any] = {"code": error.code, "hint": error.hint}
    if findings:
        record["findings"] = [
            {
                "severity": finding.severity,
                "code": finding.code,
                "message": finding.message,
                "place": str(finding.location) if finding.location else None,
            }
            for finding in findings
        ]
    if details:
        record["details"] = list(details)
    return record


def tell_usage(error: click.ClickException, console: Console) -> int:
    """Print a usage error and which help to read; return the exit code 1."""
    context: click.Context | None = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "reconciler"
    hint = f"`{path} --help` lists what it takes."
    console.say("error", error.format_message().rstrip("."), code=Code.USAGE, hint=hint)
    if console.log_format == "text":
        console.say("hint", hint)
    return 1


def shortage(error: MemoryError | RuntimeError) -> ReconcilerError | None:
    """The error of a system without memory or threads for this run; None if `error` is another."""
    if isinstance(error, MemoryError):
        lacks = "memory"
    elif "start new thread" in str(error):  # Python has no class of its own for it.
        lacks = "threads"
    else:
        return None
    return ReconcilerError(
        f"The system has no more {lacks} for this run.",
        hint="Close other programs, or give the job or container more; then run it again.",
    )


def tell_bug(error: BaseException, console: Console) -> int:
    """Report a bug of this tool, with the redacted traceback if --verbose is set; return 1."""
    # The type too: the text of a KeyError is only the key.
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    more = "" if console.verbose else " Run it again with -v for the details, and"
    message = f"This is a bug in reconciler: {what}"
    hint = f"Nothing that you did should end like this.{more} please report it."
    trace = "".join(traceback.format_exception(error)) if console.verbose else None
    console.say("error", message, code=Code.BUG, hint=hint, traceback=trace)
    console.trace(trace)
    if console.log_format == "text":
        console.say("hint", hint)
    return 1
