"""A Plan as a comment on a pull request: Markdown that GitHub and GitLab render alike.

One table line a product, its details folded inside it, so that a plan too long for a comment is
shortened by whole products. Everything remote or declared stands in a code element with all its
punctuation as entities: there neither Markdown, nor HTML, nor mentions and references take hold.
"""

import hashlib
import html
import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.planning.plan import Change, Delete, FieldChange, Plan, Update
from reconciler.report.context import Context, without_stale_links
from reconciler.report.escape import escape
from reconciler.report.explain import tag_changes
from reconciler.report.links import image_source, location_url
from reconciler.report.words import (
    IN_DOUBT_MEANS,
    VERBS,
    ChangeKind,
    any_in_doubt,
    block_text,
    by_kind,
    calls_text,
    clip,
    count_kinds,
    counted,
    destroyed,
    finding_line,
    location_text,
    matching,
    origin_legend,
    origins_text,
    other_counts,
    plural,
    rehearsal_text,
    shown,
    shown_pair,
    telling_fields,
)

LIMIT: Final = 65_000
"""The longest text, in characters: GitHub takes 65,536."""

_ORDER: Final[tuple[ChangeKind, ...]] = ("delete", "create", "rename", "update")
_NOTE_ROOM: Final = 300
_MARKER_LIMIT: Final = 200
_VALUE_LIMIT: Final = 400
_TAG_LIMIT: Final = 60
_SHORT: Final = 120
_TAGS_SHOWN: Final = 40
_LISTED: Final = 20
_PUNCTUATION: Final = re.compile(r"[!-/:-@\[-`{-~]")
# Within a line of a table these need no entity: the rest of the punctuation, and the dot that
# could make an address ("www.").
_ACTIVE: Final = re.compile(r"[!-+:-@\[-`{-~]|(?<=www)\.", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"[@#!~%$&:](?=\w)|(?<=\bGH)-(?=\d)", re.IGNORECASE)
_BREAK: Final = "\u200b"


def plan_markdown(plan: Plan, context: Context) -> str:
    """The plan as Markdown of at most LIMIT characters, deletes first.

    What does not fit is left out by whole products from the end, and counted by kind. The first
    line is a hidden comment that names the store: a later run finds its own comment by it.
    """
    context = without_stale_links(plan, context)
    head, foot = _head(plan, context), _foot(plan)
    body = _body(plan, context, LIMIT - len(head) - len(foot) - _NOTE_ROOM)
    return head + body + foot


def marker(store: str) -> str:
    """The hidden comment by which the plan of `store` is found again."""
    name = quote(store, safe="", errors="backslashreplace")
    if len(name) > _MARKER_LIMIT:
        name = hashlib.sha256(name.encode()).hexdigest()
    return f"<!-- reconciler:{name} -->"


def escape_markdown(text: str) -> str:
    """`text` as prose that renders as itself: no markup, no mention, no reference, no new line.

    A zero-width space parts `@` and `#` from what they would refer to; in a code element, where
    that is not needed, use `code`.
    """
    return _entities(_REFERENCE.sub(lambda found: found[0] + _BREAK, escape(text)))


def code(text: str) -> str:
    """`text` as a code element, exactly as it is, for anywhere but the start of a line."""
    return f"<code>{_ACTIVE.sub(_entity, escape(text))}</code>"


def _entities(text: str) -> str:
    """All ASCII punctuation as numeric entities, which Markdown never reads as markup."""
    return _PUNCTUATION.sub(_entity, text).replace(_BREAK, "&#8203;")


def _entity(found: re.Match[str]) -> str:
    """One character as a numeric entity."""
    return f"&#{ord(found[0])};"


def _attribute(url: str) -> str:
    """A URL as the value of an HTML attribute that stands in a table."""
    return html.escape(url).replace("|", "%7C").replace("`", "%60")


def _head(plan: Plan, context: Context) -> str:
    """Marker, title, counts, and why apply will refuse."""
    title = f"Plan for {code(clip(plan.store, _TAG_LIMIT))}"
    if context.compared:
        title = f"Comparison of two revisions: {code(clip(context.compared, _TAG_LIMIT))}"
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
        message = escape_markdown(clip(refusal.message, _VALUE_LIMIT))
        allow = code(clip(refusal.allow, _TAG_LIMIT))
        lines.append(f"> - {message} ({code(refusal.code)}): allow it with {allow}.")
    return "\n".join(lines) + "\n"


def _body(plan: Plan, context: Context, room: int) -> str:
    """The tables, as many products as `room` characters hold, and what was left out."""
    groups = by_kind(plan.changes)
    parts: list[str] = []
    left_out: dict[ChangeKind, int] = dict.fromkeys(_ORDER, 0)
    full = False
    for kind in _ORDER:
        changes = groups[kind]
        shown_count = 0
        heading = _table_heading(kind, changes)
        for row in _rows(changes, context) if changes and not full else ():
            cost = len(row) + (0 if shown_count else len(heading))
            if cost > room:
                full = True
                break
            parts.append(row if shown_count else heading + row)
            room -= cost
            shown_count += 1
        left_out[kind] = len(changes) - shown_count
    if any(left_out.values()):
        counts = counted(left_out, _ORDER)
        parts.append(f"\n**Left out here, as a comment has no more room: {counts}.**\n")
    return "".join(parts)


def _table_heading(kind: ChangeKind, changes: Sequence[Change]) -> str:
    """The title of one kind's table, and its first two lines."""
    names = ["store_id", "Name", "Destroys" if kind == "delete" else "Change"]
    names += ["Declared at"] if _has_places(changes) else []
    title = f"\n#### {plural(len(changes), 'product')} to {VERBS[kind]}\n"
    return f"{title}\n| {' | '.join(names)} |\n{'| --- ' * len(names)}|\n"


def _has_places(changes: Sequence[Change]) -> bool:
    """Whether a column for locations and origins would hold anything: deletes have no location."""
    return any(change.source or change.origin for change in changes)


def _rows(changes: Sequence[Change], context: Context) -> Iterator[str]:
    """One table line a product."""
    places = _has_places(changes)
    for change in changes:
        name = "(no name)" if change.name is None else code(clip(shown(change.name), _VALUE_LIMIT))
        store_id = code(clip(shown(change.store_id), _VALUE_LIMIT))
        details = (
            _delete_cell(change, context) if isinstance(change, Delete) else _change_cell(change)
        )
        where = f" {_where(change, context)} |" if places else ""
        yield f"| {store_id} | {name} | {details} |{where}\n"


def _delete_cell(change: Delete, context: Context) -> str:
    """The picture and the hand-entered data that go with a deleted product."""
    lost = destroyed(change.record)
    picture = _picture(change.record.get("image_md"), "deleted")
    if not lost:
        # Of a remote that nobody asked nothing is said.
        return "" if context.compared else f"{picture} nothing entered by hand".strip()
    lines = [f"{key}: {code(clip(value, _VALUE_LIMIT))}" for key, value in lost]
    summary = ", ".join(key for key, _ in lost)
    return _folded(f"**{summary}**", [picture, *lines] if picture else lines)


def _change_cell(change: Change) -> str:
    """The fields that change, folded under their names; one that is short is plain to see."""
    fields = telling_fields(change)
    lines = [f"{_entities(escape(key))}: {_field(field, change)}" for key, field in fields]
    if pictures := _pictures(change):
        lines.append(pictures)
    if len(lines) == 1 and len(html.unescape(lines[0])) <= _SHORT:
        return lines[0]
    summary = ", ".join(_entities(escape(key)) for key, _ in fields) or "store_id, name"
    return _folded(summary, lines) if lines else summary


def _field(field: FieldChange, change: Change) -> str:
    """One field before and after; tags as what comes and what goes."""
    if isinstance(field.before, tuple) or isinstance(field.after, tuple):
        added, removed = tag_changes(field.before, field.after)
        signed = [f"+ {code(clip(shown(tag), _TAG_LIMIT))}" for tag in added]
        signed += [f"&#45; {code(clip(shown(tag), _TAG_LIMIT))}" for tag in removed]
        more = len(signed) - _TAGS_SHOWN
        listed = " ".join(signed[:_TAGS_SHOWN]) or "no tags"
        return f"{listed} and {more} more" if more > 0 else listed
    before, after = (clip(text, _VALUE_LIMIT) for text in shown_pair(field))
    return code(after) if change.action == "create" else f"{code(before)} → {code(after)}"


def _pictures(change: Change) -> str:
    """The old and the new image side by side, if the image changes."""
    field = change.fields.get("image_url")
    if field is None:
        return ""
    old = change.image_md if isinstance(change, Update) else None
    before, after = _picture(old, "before"), _picture(field.after, "after")
    return f"{before} → {after}" if before and after else before or after


def _picture(url: object, label: str) -> str:
    """A small picture, or nothing if the URL is not one that a page may show."""
    source = image_source(url)
    if source is None:
        return ""
    return f'<img src="{_attribute(source)}" alt="{label}" height="64">'


def _folded(summary: str, lines: Sequence[str]) -> str:
    """Lines folded under a summary, all of it on one line of a table."""
    return f"<details><summary>{summary}</summary>{'<br>'.join(lines)}</details>"


def _where(change: Change, context: Context) -> str:
    """Where the product is declared, linked to the commit if that is known, and the origin."""
    parts = []
    if change.source:
        text = code(clip(location_text(change.source), _VALUE_LIMIT))
        url = location_url(change.source, context.repository_url, context.commit)
        parts.append(f'<a href="{_attribute(url)}">{text}</a>' if url else text)
    if change.origin:
        parts.append(f"({change.origin})")
    return " ".join(parts)


def _foot(plan: Plan) -> str:
    """Blocked products and warnings, folded; legends; the digest."""
    blocked = [
        f"{code(clip(shown(b.store_id), _TAG_LIMIT))}: " if b.store_id is not None else ""
        for b in plan.blocked[:_LISTED]
    ]
    lines = [
        start + escape_markdown(clip(block_text(b), _VALUE_LIMIT))
        for start, b in zip(blocked, plan.blocked, strict=False)
    ]
    text = _list("blocked product", lines, len(plan.blocked))
    warnings = [
        escape_markdown(clip(finding_line(warning), _VALUE_LIMIT))
        for warning in plan.warnings[:_LISTED]
    ]
    text += _list("warning", warnings, len(plan.warnings))
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
