"""The words that all formats share: kinds of change, counts, values as people read them."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from reconciler.codes import Code
from reconciler.model import Finding, Location, Record
from reconciler.planning.hints import HAND_ENTERED
from reconciler.planning.plan import Blocked, Change, Delete, FieldChange, Origin, Plan, Rehearsal
from reconciler.report.escape import escape

ChangeKind: TypeAlias = Literal["create", "update", "rename", "delete"]
"""An action, with the renames told apart from the other updates."""

KINDS: Final[tuple[ChangeKind, ...]] = ("create", "update", "rename", "delete")
VERBS: Final[Mapping[ChangeKind, str]] = {
    "create": "create",
    "update": "change",
    "rename": "rename",
    "delete": "delete",
}
ORIGINS: Final[Mapping[Origin, str]] = {
    "edit": "this branch made the change",
    "drift": "the remote was changed since the base",
    "both": "this branch and the remote each changed it",
}
BLOCK_REASONS: Final[Mapping[Code, str]] = {
    Code.DUPLICATE_REMOTE: "several remote products have this store_id",
    Code.MISSING_STORE_ID: "the remote product has no store_id",
    Code.MISSING_ID: "the remote product has no id that a call could name",
    Code.RENAME_CONFLICT: "the rename's old and new store_id are both at the remote",
    Code.RENAME_WAITS: "another product still has its store_id, or the rest of its ring waits",
    Code.NOT_LISTED_YET: "it was created, and the list does not show it yet",
    Code.NOT_WRITABLE: "no catalogue can hold its store_id or its name",
}
NO_VALUE: Final = "nothing"
UNKNOWN: Final = "unknown"
IN_DOUBT: Final = "in doubt"
IN_DOUBT_MEANS: Final = (
    "In doubt: the value was sent once and the answer never seen, so it is sent again."
)
_RESERVED: Final = frozenset({NO_VALUE, UNKNOWN, IN_DOUBT})


def kind_of(change: Change) -> ChangeKind:
    """The change's action, or "rename" for an Update that changes the store_id."""
    if change.action == "update" and "store_id" in change.fields:
        return "rename"
    return change.action


def count_kinds(changes: Iterable[Change]) -> dict[ChangeKind, int]:
    """How many changes there are of each kind, zeros included, in the order of KINDS."""
    counts = dict.fromkeys(KINDS, 0)
    for change in changes:
        counts[kind_of(change)] += 1
    return counts


def by_kind(changes: Iterable[Change]) -> dict[ChangeKind, list[Change]]:
    """The changes of each kind, in the order of the plan."""
    groups: dict[ChangeKind, list[Change]] = {kind: [] for kind in KINDS}
    for change in changes:
        groups[kind_of(change)].append(change)
    return groups


def plural(count: int, one: str, many: str | None = None) -> str:
    """`count` with its noun: "1 call", "2 calls"."""
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"


def counted(counts: Mapping[ChangeKind, int], order: Iterable[ChangeKind] = KINDS) -> str:
    """The counts that are not zero: "3 to create, 1 to delete"."""
    return ", ".join(f"{counts[kind]} to {VERBS[kind]}" for kind in order if counts[kind])


def summary_line(plan: Plan, calls: int | Mapping[str, int]) -> str:
    """The plan in one sentence, with the number of calls it needs, by method if known."""
    others = other_counts(plan)
    if not plan.changes:
        # Without the first of the others: `matching` counts the unchanged ones already.
        return f"Nothing to change: {', '.join([matching(plan), *others[1:]])}."
    text = f"Plan: {counted(count_kinds(plan.changes))}; {', '.join(others)}."
    origins = origins_text(plan.changes)
    return " ".join([text, *([f"{origins}."] if origins else []), f"{calls_text(calls)}."])


def rehearsal_text(rehearsal: Rehearsal) -> str:
    """How a plan went on a copy of the remote, in one sentence."""
    end = "converges" if rehearsal.converges else "does not converge"
    return f"Rehearsed: {plural(rehearsal.calls, 'call')}, {end}."


def matching(plan: Plan) -> str:
    """How many products match; if values are unconfirmed, only as far as the API shows."""
    text = plural(plan.unchanged, "product matches", "products match")
    return f"{text} as far as the API shows" if plan.unconfirmed else text


def other_counts(plan: Plan) -> list[str]:
    """Counts of the products that the plan does not change; the first is the unchanged ones."""
    others = [f"{plan.unchanged} unchanged"]
    if plan.blocked:
        others.append(f"{len(plan.blocked)} blocked")
    if plan.unconfirmed:
        others.append(f"{plan.unconfirmed} unconfirmed")
    if plan.kept:
        others.append(f"{plan.kept} kept by the server in another form")
    if plan.undeclared:
        others.append(f"{plan.undeclared} undeclared and left")
    return others


def calls_text(calls: int | Mapping[str, int]) -> str:
    """The calls: "6 calls", or "6 calls (1 POST, 5 PATCH)" if the methods are known."""
    if isinstance(calls, int):
        return plural(calls, "call")
    total = plural(sum(calls.values()), "call")
    methods = [f"{count} {escape(method)}" for method, count in sorted(calls.items()) if count]
    return f"{total} ({', '.join(methods)})" if len(methods) > 1 else total


def origins_text(changes: Iterable[Change]) -> str | None:
    """The changes counted by origin: "2 from this branch, 1 drift"; None if no base was given."""
    counts = Counter(change.origin for change in changes)
    words: Mapping[Origin, str] = {"edit": "from this branch", "drift": "drift", "both": "both"}
    parts = [f"{counts[origin]} {word}" for origin, word in words.items() if counts[origin]]
    return ", ".join(parts) or None


def origin_legend(changes: Iterable[Change]) -> str | None:
    """What the origins in these changes mean; None if no change has one."""
    found = {change.origin for change in changes}
    meanings = [f"{origin}: {meaning}" for origin, meaning in ORIGINS.items() if origin in found]
    return "; ".join(meanings) + "." if meanings else None


def notes_text(change: Change) -> list[tuple[str, str]]:
    """The shop's own keys of a product with their values, as text to be shown."""
    return [
        (escape(key), ", ".join(map(shown, note)) if isinstance(note, tuple) else shown(note))
        for key, note in change.notes
    ]


def telling_fields(change: Change) -> list[tuple[str, FieldChange]]:
    """The fields that a reader needs beside the heading, which shows a create's id and name."""
    hidden = ("store_id", "name") if change.action == "create" else ()
    return [(key, field) for key, field in change.fields.items() if key not in hidden]


def by_code(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings of each code, in the order in which the codes are first met."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.code, []).append(finding)
    return groups


def code_words(code: str) -> str:
    """A code as words: "looks like rename"."""
    return code.replace("_", " ")


def deletes_text(changes: Iterable[Change]) -> str | None:
    """The deletes counted, with what they destroy; None if there are none."""
    losing = [bool(destroyed(change.record)) for change in changes if isinstance(change, Delete)]
    if not losing:
        return None
    deletes = plural(len(losing), "delete")
    if not any(losing):
        return deletes
    return f"{deletes}, {sum(losing)} with data entered by hand that no call can put back"


def any_in_doubt(changes: Iterable[Change]) -> bool:
    """Whether any field is sent because an earlier answer was never seen."""
    return any(field.in_doubt for change in changes for field in change.fields.values())


def block_text(blocked: Blocked) -> str:
    """Why remote products are left untouched, in words, with the code and their ids."""
    why = BLOCK_REASONS.get(blocked.reason, "it is not clear which product is meant")
    ids = f"; remote ids: {', '.join(map(shown, blocked.ids))}" if blocked.ids else ""
    return f"{why} [{blocked.reason}]{ids}"


def location_text(location: Location, *, column: bool = False) -> str:
    """`file:line`, or `file:line:column`, safe at the start of a line of a pipeline's log."""
    file = escape(location.file)
    if file.lstrip().startswith("::"):
        file = "./" + file.lstrip()
    return f"{file}:{location.line}:{location.column}" if column else f"{file}:{location.line}"


def shown(text: str) -> str:
    """One text value: escaped, and quoted if its ends or its emptiness would not be seen."""
    plain = escape(text)
    # Quoted, a value that reads "nothing" or holds an arrow cannot pass for this tool's own words.
    if text != text.strip() or not text or text in _RESERVED or "→" in text or text[0] == '"':
        return f'"{plain}"'
    return plain


def shown_pair(change: FieldChange) -> tuple[str, str]:
    """A text field before and after, told apart also if both look alike to the eye."""
    before, after = change.before, change.after
    if isinstance(before, str) and isinstance(after, str) and not change.in_doubt:
        # What NFKC makes equal looks equal too, as a ligature and its letters do.
        alike = unicodedata.normalize("NFKC", before) == unicodedata.normalize("NFKC", after)
        if alike and before != after:
            return _code_points(before), _code_points(after)
    return _before(change), NO_VALUE if after is None else shown(text_of(after))


def _before(change: FieldChange) -> str:
    """What a field holds so far, or in words why that is not known."""
    if change.in_doubt:
        return IN_DOUBT
    if change.before is None:
        return UNKNOWN if change.write_only else NO_VALUE
    return shown(text_of(change.before))


def text_of(value: str | tuple[str, ...]) -> str:
    """A value as one text; tags are separated by commas."""
    return value if isinstance(value, str) else ", ".join(value)


def _code_points(text: str) -> str:
    """`text` with everything beyond printable ASCII spelled out."""
    return f'"{escape(text).encode("ascii", "backslashreplace").decode("ascii")}"'


def destroyed(record: Record) -> tuple[tuple[str, str], ...]:
    """What a delete destroys of the data entered by hand: (field, its value on one line)."""
    return tuple((key, compact(record[key])) for key in HAND_ENTERED if filled_in(record.get(key)))


def filled_in(value: object) -> bool:
    """Whether a field of a remote record has a value."""
    return value not in (None, "", [], {})


def compact(value: object) -> str:
    """Any JSON value on one escaped line."""
    return escape(json.dumps(value, ensure_ascii=False, default=str))


def columns_text(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells, which are escaped already, as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def clip(text: str, limit: int) -> str:
    """`text`, shortened to `limit` characters, saying how many were left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"


def finding_line(finding: Finding) -> str:
    """`file:line:column: severity: message [code]`, without a location if there is none."""
    return _line(finding, f"{finding.severity}: ")


def unlabelled_line(finding: Finding) -> str:
    """`file:line:column: message [code]`, if the severity is told by what stands around it."""
    return _line(finding, "")


def _line(finding: Finding, label: str) -> str:
    where = f"{location_text(finding.location, column=True)}: " if finding.location else ""
    return f"{where}{label}{escape(finding.message)} [{finding.code}]"
