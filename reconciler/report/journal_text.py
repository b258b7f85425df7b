"""A journal as text or JSON: what one apply did, call by call, and what it removed.

A call without a result says so: the run was killed during it.
"""

import json

from reconciler.report.escape import escape
from reconciler.report.history import JournalCall, JournalRecord
from reconciler.report.style import Style
from reconciler.report.words import compact, filled_in, plural


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
        if filled_in(value):
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
