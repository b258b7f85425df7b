"""Workflow commands: lines of a GitHub Actions log that become annotations.

The total comes first, then the places that matter most. What has no room among the annotations is
printed as plain lines of the log, so that nothing is lost.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from reconciler.model import Finding, Location
from reconciler.planning.plan import Change, Delete, Plan
from reconciler.report.context import Context
from reconciler.report.escape import escape
from reconciler.report.findings import Read, findings_summary
from reconciler.report.words import (
    ChangeKind,
    block_text,
    by_kind,
    clip,
    destroyed,
    finding_line,
    location_text,
    notes_text,
    rehearsal_text,
    shown,
    summary_line,
)
from reconciler.wording import few

_Level: TypeAlias = Literal["error", "warning", "notice"]

PER_LEVEL: Final = 10
"""How many annotations of one level GitHub shows for a step."""

_NAMED: Final = 20
_MESSAGE_LIMIT: Final = 2000
_FIRST: Final[tuple[ChangeKind, ...]] = ("rename", "update", "create")
_DID: Final[dict[ChangeKind, str]] = {
    "rename": "would be renamed",
    "update": "would be changed",
    "create": "would be created",
}


def annotation(level: _Level, message: str, location: Location | None = None) -> str:
    """One workflow command; nothing in `message` or `location` can end it or begin another."""
    place_text = ""
    if location:
        file = _property(escape(location.file))
        place_text = f" file={file},line={location.line},col={location.column}"
    return f"::{level}{place_text}::{_data(clip(escape(message), _MESSAGE_LIMIT))}"


def plan_github(plan: Plan, context: Context) -> str:
    """The plan as annotations: the total, what apply will refuse, deletes, warnings, changes."""
    groups = by_kind(plan.changes)
    lines = [annotation("notice", summary_line(plan, context.calls))]
    if context.rehearsal is not None:
        lines.append(annotation("notice", rehearsal_text(context.rehearsal)))
    refusals = [
        f"Apply will refuse: {refusal.message} Allow it with {refusal.allow}."
        for refusal in plan.refusals
    ]
    # The total and the rehearsal have taken notices, so fewer changes have room.
    notices = PER_LEVEL - len(lines)
    # GitHub drops the eleventh annotation of a level without a word, so the rest goes to the log.
    lines += [annotation("error", refusal) for refusal in refusals[:PER_LEVEL]]
    deletes = groups["delete"]
    if deletes:
        lines.append(annotation("warning", _deletes(deletes)))
    # All deletes together are one warning.
    room = PER_LEVEL - bool(deletes)
    warnings = _spread(plan.warnings)
    lines += [_of_finding(warning) for warning in warnings[:room]]
    plain = [escape(refusal) for refusal in refusals[PER_LEVEL:]]
    plain += [finding_line(warning) for warning in warnings[room:]]
    changes = [(kind, change) for kind in _FIRST for change in groups[kind]]
    for kind, change in changes[:notices]:
        lines.append(annotation("notice", _sentence(kind, change), change.source))
    plain += [_plain(kind, change) for kind, change in changes[notices:]]
    plain += [f"- {shown(change.store_id)} would be deleted" for change in deletes[_NAMED:]]
    plain += [
        f"- {shown(blocked.store_id or '')} is blocked: {block_text(blocked)}"
        for blocked in plan.blocked
    ]
    return "\n".join([*lines, *plain]) + "\n"


def findings_github(findings: Sequence[Finding], read: Read | None = None) -> str:
    """Findings as annotations: the total first, then places from as many files as there are."""
    errors = [finding for finding in findings if finding.severity == "error"]
    warnings = [finding for finding in findings if finding.severity == "warning"]
    total: _Level = "error" if errors else "warning" if warnings else "notice"
    room = {"error": PER_LEVEL - (total == "error"), "warning": PER_LEVEL - (total == "warning")}
    lines = [annotation(total, findings_summary(findings, read))]
    plain = []
    for group in (_spread(errors), _spread(warnings)):
        fits = room[group[0].severity] if group else 0
        lines += [_of_finding(finding) for finding in group[:fits]]
        plain += [finding_line(finding) for finding in group[fits:]]
    return "\n".join([*lines, *plain]) + "\n"


def _of_finding(finding: Finding) -> str:
    """One finding as an annotation at its location."""
    return annotation(finding.severity, f"{finding.message} [{finding.code}]", finding.location)


def _spread(findings: Iterable[Finding]) -> list[Finding]:
    """The first finding of every file, then the second of each, and so on."""
    # One bad file would else take all the annotations that a step may have.
    seen: Counter[str] = Counter()
    ranked = []
    for finding in findings:
        file = finding.location.file if finding.location else ""
        ranked.append((seen[file], finding))
        seen[file] += 1
    return [finding for _, finding in sorted(ranked, key=lambda entry: entry[0])]


def _deletes(deletes: Sequence[Change]) -> str:
    """All deletes in one warning: they have no line in the catalogue to stand at."""
    named = few([shown(change.store_id) for change in deletes], _NAMED)
    losing = sum(isinstance(c, Delete) and bool(destroyed(c.record)) for c in deletes)
    by_hand = f", {losing} of them with data entered by hand" if losing else ""
    return f"{len(deletes)} to delete{by_hand}: {named}"


def _sentence(kind: ChangeKind, change: Change) -> str:
    """What would happen to one product."""
    fields = "" if kind == "create" else f" ({', '.join(change.fields)})"
    origin = f" [{change.origin}]" if change.origin else ""
    notes = "".join(f", {key}: {note}" for key, note in notes_text(change))
    return f"{shown(change.store_id)} {_DID[kind]}{fields}{origin}{notes}"


def _plain(kind: ChangeKind, change: Change) -> str:
    """A change as a line of the log."""
    where = f" at {location_text(change.source)}" if change.source else ""
    # Behind a dash a store_id that begins with `::` is no command.
    return f"- {escape(_sentence(kind, change))}{where}"


def _data(text: str) -> str:
    """The message of a command, as the runner decodes it."""
    # The % first, or those of the other two would be encoded again.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of a command, as the runner decodes it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
