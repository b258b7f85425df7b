"""The rows of a plan's tables in Markdown: one line a product, its details folded inside it."""

import html
from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.model import Location
from reconciler.planning.plan import Change, Delete, FieldChange, Update
from reconciler.report.context import Context
from reconciler.report.escape import escape
from reconciler.report.explain import tag_changes
from reconciler.report.links import image_source, location_url
from reconciler.report.markup import attribute, code, entities
from reconciler.report.words import (
    clip,
    destroyed,
    location_text,
    notes_text,
    shown,
    shown_pair,
    telling_fields,
)

VALUE_LIMIT: Final = 400
TAG_LIMIT: Final = 60
_SHORT: Final = 120
_TAGS_SHOWN: Final = 40


def has_places(changes: Sequence[Change]) -> bool:
    """Whether a column for locations and origins would hold anything: deletes have no location."""
    return any(change.source or change.origin for change in changes)


def change_rows(changes: Sequence[Change], context: Context) -> Iterator[str]:
    """One table line a product."""
    places = has_places(changes)
    for change in changes:
        name = "(no name)" if change.name is None else code(clip(shown(change.name), VALUE_LIMIT))
        store_id = code(clip(shown(change.store_id), VALUE_LIMIT))
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
    lines = [f"{key}: {code(clip(value, VALUE_LIMIT))}" for key, value in lost]
    summary = ", ".join(key for key, _ in lost)
    return folded(f"**{summary}**", [picture, *lines] if picture else lines)


def _change_cell(change: Change) -> str:
    """The fields that change, folded under their names; one that is short is plain to see."""
    fields = telling_fields(change)
    lines = [f"{entities(escape(key))}: {_field(field, change)}" for key, field in fields]
    if pictures := _pictures(change):
        lines.append(pictures)
    # Entities make a text several times longer than a reader sees it.
    if len(lines) == 1 and len(html.unescape(lines[0])) <= _SHORT:
        return lines[0]
    summary = ", ".join(entities(escape(key)) for key, _ in fields) or "store_id, name"
    return folded(summary, lines) if lines else summary


def _field(field: FieldChange, change: Change) -> str:
    """One field before and after; tags as what comes and what goes."""
    if isinstance(field.before, tuple) or isinstance(field.after, tuple):
        added, removed = tag_changes(field.before, field.after)
        signed = [f"+ {code(clip(shown(tag), TAG_LIMIT))}" for tag in added]
        # As an entity, since Markdown could take a hyphen for the start of a list.
        signed += [f"&#45; {code(clip(shown(tag), TAG_LIMIT))}" for tag in removed]
        more = len(signed) - _TAGS_SHOWN
        listed = " ".join(signed[:_TAGS_SHOWN]) or "no tags"
        return f"{listed} and {more} more" if more > 0 else listed
    before, after = (clip(text, VALUE_LIMIT) for text in shown_pair(field))
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
    return f'<img src="{attribute(source)}" alt="{label}" height="64">'


def folded(summary: str, lines: Sequence[str]) -> str:
    """Lines folded under a summary, all of it on one line of a table."""
    return f"<details><summary>{summary}</summary>{'<br>'.join(lines)}</details>"


def _where(change: Change, context: Context) -> str:
    """The location of the product, linked to the commit if that is known, and the origin."""
    parts = []
    if change.source:
        parts.append(linked(change.source, context))
    if change.origin:
        parts.append(f"({change.origin})")
    for key, note in notes_text(change):
        parts.append(f"{entities(key)}: {code(clip(note, TAG_LIMIT))}")
    return " ".join(parts)


def linked(location: Location, context: Context) -> str:
    """A place, linked to the commit if that is known."""
    text = code(clip(location_text(location), VALUE_LIMIT))
    url = location_url(location, context.repository_url, context.commit)
    return f'<a href="{attribute(url)}">{text}</a>' if url else text
