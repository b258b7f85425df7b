"""What applies leave behind, as it is written and as it is read again.

An apply commits its ledger twice, if git keeps it: before its first write, and at its end. The
subjects of these commits, and the lines of journals, are made here, and taken apart here for
`log`, `show` and `restore`. A journal may end anywhere: lines that cannot be read are left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from reconciler.clock import stamp
from reconciler.errors import PlanFileError
from reconciler.model import LedgerCommit, read_dirty
from reconciler.planning.operations import Operation, Patch, Remove, operation_json
from reconciler.planning.outcome import Fate, Verdict
from reconciler.planning.plan import Plan

_JOURNAL_FORMAT: Final = "reconciler.journal/1"
# Of any version: a journal of a newer tool must not be taken for a damaged plan.
_MARK: Final = b'{"format":"reconciler.journal/'
# `log` reads the subjects of old commits too, so these words must not change.
_COUNTS: Final = r"\d+ created, \d+ updated, \d+ deleted"
_BEGUN: Final = re.compile(rf"Begin ({_COUNTS})")
_ENDED: Final = re.compile(rf"Apply ({_COUNTS}): (\d+ of \d+ done)")
_UNFINISHED: Final = "unfinished"


class LogEntry(NamedTuple):
    """One apply, or another write of the ledger, as its history or a journal tells of it.

    `time` is UTC, ISO 8601; `source` is the ledger's commit, or the name of the journal. None is
    what is not known.
    """

    time: str
    by: str | None
    summary: str
    result: str | None
    plan_digest: str | None
    catalog_commit: str | None
    source: str
    catalog_dirty: bool = False
    """Whether the catalogue differed from that commit."""


# Commits of a ledger -----------------------------------------------------------------------------


def doubt_message(plan: Plan) -> str:
    """What the first save of an apply says."""
    return f"Begin {_counts(plan)}\n\n{_trailers(plan)}"


def final_message(plan: Plan, verdicts: Iterable[Verdict]) -> str:
    """What the last save of an apply says."""
    if not plan.changes:
        return f"Adopt {len(plan.adoptions)}, nothing to change\n\n{_trailers(plan)}"
    applied = sum(1 for verdict in verdicts if verdict.fate is Fate.APPLIED)
    return f"Apply {_counts(plan)}: {applied} of {len(plan.changes)} done\n\n{_trailers(plan)}"


def _counts(plan: Plan) -> str:
    return _counted(plan.summary._asdict())


def _counted(summary: Mapping[str, Any]) -> str:
    created, updated, deleted = (summary.get(key, 0) for key in ("create", "update", "delete"))
    return f"{created} created, {updated} updated, {deleted} deleted"


def counts_in(summary: str) -> tuple[int, int, int]:
    """The numbers of created, updated and deleted products in the summary of a LogEntry."""
    found = re.search(_COUNTS, summary)
    created, updated, deleted = map(int, re.findall(r"\d+", found[0])) if found else (0, 0, 0)
    return created, updated, deleted


def _trailers(plan: Plan) -> str:
    commit = plan.catalog.commit or "none"
    dirty = "Catalogue-Dirty: yes\n" if plan.catalog.dirty else ""
    return f"Plan-Digest: {plan.digest}\nCatalogue-Commit: {commit}\n{dirty}"


def applies_of(history: Iterable[LedgerCommit]) -> Iterator[LogEntry]:
    """The applies in the history of a ledger, newest first."""
    ended = None
    for revision in history:
        digest, commit = _trailer(revision, "Plan-Digest"), _trailer(revision, "Catalogue-Commit")
        summary, result = revision.subject, None
        if found := _ENDED.fullmatch(summary):
            summary, result = found.groups()
        elif begun := _BEGUN.fullmatch(summary):
            # Newest first, so the end of this apply was told already.
            if digest is not None and digest == ended:
                ended = None
                continue
            summary, result = begun[1], _UNFINISHED
        # Only neighbours belong together: the same plan may have been begun before, and cut off.
        ended = digest if found else None
        yield LogEntry(
            time=stamp(datetime.fromisoformat(revision.time)),
            by=revision.author,
            summary=summary,
            result=result,
            plan_digest=digest,
            catalog_commit=None if commit == "none" else commit,
            source=revision.commit,
            catalog_dirty=_trailer(revision, "Catalogue-Dirty") == "yes",
        )


def _trailer(revision: LedgerCommit, key: str) -> str | None:
    """The value of the line `key: value` in a commit's message, or None."""
    found = re.search(rf"(?m)^{key}: (\S+)$", revision.body)
    return found[1] if found else None


# Journals ----------------------------------------------------------------------------------------


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


def header_line(store: str, time: str, header: Mapping[str, Any]) -> dict[str, Any]:
    """The first line of a journal."""
    return {"format": _JOURNAL_FORMAT, "store": store, "time": time, **header}


def call_line(number: int, operation: Operation) -> dict[str, Any]:
    """The line of a call that is about to be made; a delete's holds the whole remote record."""
    line: dict[str, Any] = {"n": number, "event": "call", **operation_json(operation)}
    if isinstance(operation, Remove):
        line["record"] = operation.change.record
    elif isinstance(operation, Patch) and operation.parking:
        line["parking"] = True
    return line


def result_line(number: int, result: str) -> dict[str, Any]:
    """The line of what came of a call."""
    return {"n": number, "event": "result", "result": result}


def is_journal(data: bytes) -> bool:
    """Whether a file is a journal, of this format or of a newer one."""
    return data.startswith(_MARK)


def parse_journal(data: bytes) -> JournalRecord:
    """The journal in `data`. Raises PlanFileError if it is of a newer format or damaged."""
    lines = [parsed for line in data.splitlines() if (parsed := _parsed(line)) is not None]
    if not lines or lines[0].get("format") != _JOURNAL_FORMAT:
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
        # As a list is read: the record of a delete may hold what strict JSON refuses.
        value = read_dirty(line)
    # A run that was killed may leave half a line.
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def apply_of(journal: JournalRecord, name: str) -> LogEntry:
    """The apply that the journal `name` records."""
    header, calls = journal.header, journal.calls
    done = sum(1 for call in calls if call.result == "ok")
    # A run that ended by itself has written a result for each of its calls.
    cut = any(call.result is None for call in calls)
    return LogEntry(
        time=str(header.get("time", "")),
        by=header.get("host"),
        summary=_counted(header.get("summary") or {}),
        result=_UNFINISHED if cut else f"{done} of {len(calls)} calls done",
        plan_digest=header.get("plan_digest"),
        catalog_commit=header.get("commit"),
        source=name,
        catalog_dirty=header.get("dirty") is True,
    )
