"""A journal as text or JSON: what one apply did, call by call, and what it removed.

A journal may end anywhere, since it is what remains of a run that was killed: a last line that is
cut off is left out, and a call without a result says so.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.errors import PlanFileError
from reconciler.model import read_dirty
from reconciler.report.escape import escape
from reconciler.report.style import Style
from reconciler.report.words import compact, plural

JOURNAL_FORMAT: Final = "reconciler.journal/1"
_MARK: Final = b'{"format":"reconciler.journal/'


@dataclass(frozen=True, slots=True)
class JournalCall:
    """One call of a journal; `result` is None if the run ended before it was known."""

    method: str
    store_ids: Sequence[str]
    ids: Sequence[str]
    at: str
    body: Mapping[str, Any] | None
    record: Mapping[str, Any] | None
    result: str | None


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """What a journal says: its header, and its calls in the order in which they were begun."""

    header: Mapping[str, Any]
    calls: Sequence[JournalCall] = field(default_factory=tuple)


def is_journal(data: bytes) -> bool:
    """Whether a file is a journal, of this format or of a newer one."""
    return data.startswith(_MARK)


def parse_journal(data: bytes) -> JournalRecord:
    """The journal in `data`. Raises PlanFileError if it is of a newer format or damaged."""
    lines = [parsed for line in data.splitlines() if (parsed := _parsed(line)) is not None]
    if not lines or lines[0].get("format") != JOURNAL_FORMAT:
        raise PlanFileError(
            "The journal cannot be read: it is damaged, or a newer reconciler wrote it.",
            hint="Read it with the version that wrote it.",
        )
    results = {line.get("n"): line.get("result") for line in lines if line.get("event") == "result"}
    calls = [
        JournalCall(
            method=str(line.get("method")),
            store_ids=line.get("store_ids") or (),
            ids=line.get("ids") or (),
            at=str(line.get("at", "")),
            body=line.get("body"),
            record=line.get("record"),
            result=results.get(line.get("n")),
        )
        for line in lines
        if line.get("event") == "call"
    ]
    return JournalRecord(lines[0], calls)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = read_dirty(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def journal_text(journal: JournalRecord, *, color: bool = False) -> str:
    """The journal for people: a line a call, and under each delete what went with it."""
    style = Style(color)
    header = journal.header
    commit = header.get("commit")
    title = f"Apply of {_said(header.get('time'))} to the store {_said(header.get('store'))}"
    lines = [
        style.bold(title),
        f"  by {_said(header.get('host'))}, reconciler {_said(header.get('tool'))}",
    ]
    lines.append(f"  plan {_said(header.get('plan_digest'))[:12]}, commit {_said(commit)[:12]}")
    lines.append("")
    for call in journal.calls:
        lines += _call(call, style)
    removed = sum(1 for call in journal.calls if call.record is not None and call.result == "ok")
    unsettled = sum(1 for call in journal.calls if call.result is None)
    lines.append("" if journal.calls else "No call was made.")
    summary = f"{plural(len(journal.calls), 'call')}, {plural(removed, 'product')} removed."
    if unsettled:
        summary += f" The run ended during {plural(unsettled, 'call')}."
    lines.append(style.bold(summary))
    return "\n".join(lines) + "\n"


def _call(call: JournalCall, style: Style) -> list[str]:
    result = call.result or "no result: the run ended during this call"
    shown = escape(result) if call.result == "ok" else style.red(escape(result))
    ids = escape(", ".join(str(id) for id in call.store_ids))
    lines = [f"{escape(call.at)}  {escape(call.method):6}  {ids}  {shown}"]
    if call.body:
        body = ", ".join(f"{key}={compact(value)}" for key, value in call.body.items())
        lines.append(f"    {escape(body)}")
    for key, value in (call.record or {}).items():
        if value not in (None, "", [], {}):
            lines.append(f"    {escape(str(key))}  {escape(compact(value))}")
    return lines


def _said(value: object) -> str:
    return escape(str(value)) if value is not None else "unknown"


def journal_json(journal: JournalRecord) -> str:
    """The journal as one JSON document."""
    document = {
        **journal.header,
        "calls": [
            {
                "method": call.method,
                "ids": list(call.ids),
                "store_ids": list(call.store_ids),
                "body": call.body,
                "record": call.record,
                "at": call.at,
                "result": call.result,
            }
            for call in journal.calls
        ],
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
