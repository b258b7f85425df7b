"""A fleet as one comment on a pull request: a table, then details while they fit, worst first."""

from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.report.fleet_results import (
    FleetAction,
    StoreResult,
    sums,
    touched,
    worst_code,
    worst_first,
)
from reconciler.report.fleet_text import counts_text, takeover_text, tally_text
from reconciler.report.markdown import LIMIT
from reconciler.report.markup import code, escape_markdown
from reconciler.report.words import clip, plural

MARKER: Final = "<!-- reconciler-fleet -->"
"""The hidden comment by which a later run finds the comment of a fleet. No store can have it."""

# Less than half of a comment, so that the details of the worst stores have room as well.
_TABLE_ROOM: Final = 30_000
# For the sentence that counts what was left out.
_FOOT_ROOM: Final = 300
_ERROR_LIMIT: Final = 300
_NOTES: Final = 3


def fleet_markdown(results: Sequence[StoreResult], action: FleetAction) -> str:
    """The results as Markdown of at most LIMIT characters; what is left out is counted."""
    ranked = worst_first(results)
    telling = [result for result in ranked if action == "status" or _tells(result)]
    # A hundred rows that say nothing would hide the store that failed.
    quiet = len(results) - len(telling)
    head = _head(results, action)
    rows, left_rows = _fitting(map(_row, telling), _TABLE_ROOM - len(head))
    table = "\n| Store | Result | Exit code |\n| --- | --- | --- |\n" + "".join(rows)
    text = head + (table if rows else "")
    if left_rows:
        text += f"\n**Left out of this table: {plural(left_rows, 'store')}.**\n"
    if quiet:
        text += f"\n{plural(quiet, 'store')} with nothing to tell.\n"
    sections = [_section(result) for result in telling if result.texts.get("details")]
    details, left = _fitting(sections, LIMIT - len(text) - _FOOT_ROOM)
    text += "".join(details)
    if left:
        text += f"\n**Left out, as a comment has no more room: the details of {left} stores.**\n"
    return text


def _tells(result: StoreResult) -> bool:
    return bool(touched(result) or result.exit_code or result.refused or result.takeovers)


def _head(results: Sequence[StoreResult], action: FleetAction) -> str:
    failed = sum(1 for result in results if result.failed)
    lines = [MARKER, f"### Fleet {action}: {plural(len(results), 'store')}", ""]
    counts = counts_text(sums(results))
    changed = tally_text(results, action)
    sentence = ": ".join(filter(None, [f"**{changed}**" if changed else "", counts]))
    ends = f"**{failed} failed**." if failed else "None failed."
    lines.append(f"{sentence}. {ends}" if sentence else ends)
    refused = sum(1 for result in results if result.refused)
    if refused:
        lines += ["", "> [!CAUTION]", f"> **Apply will refuse {plural(refused, 'plan')}.**"]
    lines += ["", f"Exit code {worst_code(results)}."]
    return "\n".join(lines) + "\n"


def _row(result: StoreResult) -> str:
    parts = [escape_markdown(counts_text(result.summary))]
    if result.refused:
        parts.append("**apply will refuse it**")
    if result.takeovers:
        parts.append(takeover_text(result.takeovers))
    if result.error:
        parts.append(escape_markdown(clip(result.error, _ERROR_LIMIT)))
        # What is wrong where: the comment is all that a reviewer sees of this run.
        parts += [escape_markdown(clip(note, _ERROR_LIMIT)) for note in result.notes[:_NOTES]]
    told = "<br>".join(part for part in parts if part)
    return f"| {code(result.store)} | {told} | {result.exit_code} |\n"


def _section(result: StoreResult) -> str:
    counts = escape_markdown(counts_text(result.summary) or (result.error or ""))
    summary = f"<summary>{code(result.store)}: {clip(counts, _ERROR_LIMIT)}</summary>"
    return f"\n<details>{summary}\n{result.texts['details']}\n</details>\n"


def _fitting(pieces: Iterable[str], room: int) -> tuple[list[str], int]:
    """The first pieces that fit into `room` characters, and how many do not."""
    kept: list[str] = []
    left = 0
    for piece in pieces:
        # After the first that does not fit none is kept: what is shown must be the worst.
        if left or len(piece) > room:
            left += 1
        else:
            kept.append(piece)
            room -= len(piece)
    return kept, left
