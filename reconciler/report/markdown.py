"""A Plan as a comment on a pull request: Markdown that GitHub and GitLab render alike.

One table line a product, its details folded inside it, so that a plan too long for a comment is
shortened by whole products. Everything remote or declared stands in a code element with all its
punctuation as entities: there neither Markdown, nor HTML, nor mentions and references take hold.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.model import Finding
from reconciler.planning.plan import Change, Plan
from reconciler.report.context import Context, without_stale_links
from reconciler.report.escape import escape
from reconciler.report.markdown_cells import (
    TAG_LIMIT,
    VALUE_LIMIT,
    change_rows,
    folded,
    has_places,
    linked,
)
from reconciler.report.markup import attribute, code, entities, escape_markdown, prose
from reconciler.report.words import (
    IN_DOUBT_MEANS,
    VERBS,
    ChangeKind,
    any_in_doubt,
    block_text,
    by_code,
    by_kind,
    calls_text,
    clip,
    count_kinds,
    counted,
    matching,
    origin_legend,
    origins_text,
    other_counts,
    plural,
    rehearsal_text,
    shown,
)

LIMIT: Final = 65_000
"""The longest text, in characters: GitHub takes 65,536."""

_ORDER: Final[tuple[ChangeKind, ...]] = ("delete", "create", "rename", "update")
# For the sentences that count what was left out.
_NOTE_ROOM: Final = 500
# Each kind of change may fill at least this part of the room.
_SHARES: Final = 8
_MARKER_LIMIT: Final = 200
_LISTED: Final = 20
_TIMES: Final = "\N{MULTIPLICATION SIGN}"


def plan_markdown(plan: Plan, context: Context) -> str:
    """The plan as Markdown of at most LIMIT characters, deletes first.

    What does not fit is left out by whole products, some of each kind are kept, and what is left
    out is counted by kind. The first line is a hidden comment that names the store: a later run
    finds its own comment by it.
    """
    context = without_stale_links(plan, context)
    head, foot = _head(plan, context), _foot(plan)
    room = LIMIT - len(head) - len(foot) - _NOTE_ROOM
    body = "" if context.summary else _body(plan, context, room)
    return head + body + foot


def changes_markdown(plan: Plan, context: Context, *, room: int = 16_000) -> str:
    """The tables of changes alone, deletes first, in at most `room` characters."""
    return _body(plan, without_stale_links(plan, context), room - _NOTE_ROOM)


def text_markdown(text: str, *, room: int = 16_000) -> str:
    """A text of several lines as it is; what does not fit is left out, and that is said."""
    lines = [entities(escape(line)) for line in text.splitlines()]
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < _NOTE_ROOM:
            kept.append(f"and {len(lines) - len(kept)} more lines")
            break
        kept.append(line)
    return "<pre>\n{}\n</pre>\n".format("\n".join(kept))


def marker(store: str) -> str:
    """The hidden comment by which the plan of `store` is found again."""
    # Quoted, a name cannot end the comment.
    name = quote(store, safe="", errors="backslashreplace")
    if len(name) > _MARKER_LIMIT:
        name = hashlib.sha256(name.encode()).hexdigest()
    return f"<!-- reconciler:{name} -->"


def _head(plan: Plan, context: Context) -> str:
    """Marker, title, counts, and why apply will refuse."""
    title = f"Plan for {code(clip(plan.store, TAG_LIMIT))}"
    # A comparison asked no remote, so there is no store to name.
    if context.compared:
        title = f"Comparison of two revisions: {code(clip(context.compared, TAG_LIMIT))}"
    lines = [marker(plan.store), f"### {title}", ""]
    others = other_counts(plan)
    if plan.changes:
        counts = counted(count_kinds(plan.changes), _ORDER)
        sentences = [", ".join(others), origins_text(plan.changes), calls_text(context.calls)]
        lines.append(f"**{counts}**; {'. '.join(filter(None, sentences))}.")
    else:
        lines.append(f"**Nothing to change**: {', '.join([matching(plan), *others[1:]])}.")
    if context.rehearsal is not None:
        lines += ["", rehearsal_text(context.rehearsal)]
    if plan.refusals:
        lines += ["", "> [!CAUTION]", "> **Apply will refuse this plan.**"]
    for refusal in plan.refusals[:_LISTED]:
        message = prose(clip(refusal.message, VALUE_LIMIT))
        allow = code(clip(refusal.allow, TAG_LIMIT))
        lines.append(f"> - {message} ({code(refusal.code)}): allow it with {allow}.")
    return "\n".join([*lines, *_warnings(plan, context)]) + "\n"


def _warnings(plan: Plan, context: Context) -> Iterator[str]:
    """The warnings as a list: one line a kind, the messages of several folded under their number.

    A share of _LISTED messages of each kind is shown.
    """
    groups = list(by_code(plan.warnings).items())
    if not groups:
        return
    yield f"\n**{plural(len(plan.warnings), 'warning')}**\n"
    most = max(1, _LISTED // len(groups))
    for name, found in groups[:_LISTED]:
        lines = [_warning(warning, context) for warning in found[:most]]
        if len(found) == 1:
            yield f"- {lines[0]} ({code(name)})"
            continue
        more = [f"and {len(found) - most} more"] if len(found) > most else []
        items = "".join(f"<li>{line}</li>" for line in [*lines, *more])
        yield f"- {folded(f'{len(found)} {_TIMES} {code(name)}', [f'<ul>{items}</ul>'])}"
    if len(groups) > _LISTED:
        yield f"- and {len(groups) - _LISTED} more kinds"


def _warning(warning: Finding, context: Context) -> str:
    """One warning, with its place."""
    message = prose(clip(warning.message, VALUE_LIMIT))
    return f"{linked(warning.location, context)}: {message}" if warning.location else message


def _body(plan: Plan, context: Context, room: int) -> str:
    """The tables, as many products as `room` characters hold, and what was left out."""
    groups = {kind: changes for kind, changes in by_kind(plan.changes).items() if changes}
    share = room // _SHARES
    parts: list[str] = []
    left_out: dict[ChangeKind, int] = {}
    waiting = [kind for kind in _ORDER if kind in groups]
    while waiting:
        kind = waiting.pop(0)
        # Every kind that is still to come keeps a share, so that a reviewer sees some of it.
        rows = _fitting(kind, groups[kind], context, room - share * len(waiting))
        room -= sum(map(len, rows))
        parts += rows
        # The first of the rows is the heading.
        left_out[kind] = len(groups[kind]) - max(0, len(rows) - 1)
    if any(left_out.values()):
        counts = counted({**dict.fromkeys(_ORDER, 0), **left_out}, _ORDER)
        parts.append(
            f"\n**Left out here, as a comment has no more room: {counts}.** "
            f"{_all_of_them(context)}\n"
        )
    return "".join(parts)


def _all_of_them(context: Context) -> str:
    """A sentence that names the page with the products that a comment has no room for."""
    page = "`reconciler show FILE --format html` makes a page of a saved plan that has them all."
    if context.run_url is None:
        return page
    return (
        f'The page has them all: <a href="{attribute(context.run_url)}">the files of this run</a>.'
    )


def _fitting(kind: ChangeKind, changes: Sequence[Change], context: Context, room: int) -> list[str]:
    """The heading of one kind's table and as many of its rows as there is room for; or nothing."""
    parts = [_table_heading(kind, changes)]
    room -= len(parts[0])
    for row in change_rows(changes, context):
        room -= len(row)
        if room < 0:
            break
        parts.append(row)
    # A heading without rows would look as if there were no such products.
    return parts if len(parts) > 1 else []


def _table_heading(kind: ChangeKind, changes: Sequence[Change]) -> str:
    """The title of one kind's table, and its first two lines."""
    names = ["store_id", "Name", "Destroys" if kind == "delete" else "Change"]
    names += ["Declared at"] if has_places(changes) else []
    title = f"\n#### {plural(len(changes), 'product')} to {VERBS[kind]}\n"
    return f"{title}\n| {' | '.join(names)} |\n{'| --- ' * len(names)}|\n"


def _foot(plan: Plan) -> str:
    """Blocked products, folded; legends; the digest."""
    blocked = [
        f"{code(clip(shown(b.store_id), TAG_LIMIT))}: " if b.store_id is not None else ""
        for b in plan.blocked[:_LISTED]
    ]
    lines = [
        start + escape_markdown(clip(block_text(b), VALUE_LIMIT))
        for start, b in zip(blocked, plan.blocked, strict=False)
    ]
    text = _list("blocked product", lines, len(plan.blocked))
    if any_in_doubt(plan.changes):
        text += f"\n{IN_DOUBT_MEANS}\n"
    if legend := origin_legend(plan.changes):
        text += f"\n{legend}\n"
    return f"{text}\nDigest {code(plan.digest)}\n"


def _list(noun: str, lines: Sequence[str], count: int) -> str:
    """A folded list of the first few lines, and how many more there are."""
    if not count:
        return ""
    more = [f"and {count - len(lines)} more"] if count > len(lines) else []
    items = "".join(f"- {line}\n" for line in [*lines, *more])
    return f"\n<details><summary>{plural(count, noun)}</summary>\n\n{items}\n</details>\n"
