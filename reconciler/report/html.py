"""A Plan as one self-contained page: to be opened from a pipeline's artefacts and searched.

The page asks the network for nothing but product images, which its content security policy holds
it to; its one script is allowed by hash. Jinja2 escapes every value.
"""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.model import Finding
from reconciler.planning.plan import Change, Delete, FieldChange, Plan, Update
from reconciler.report.context import Context, title_of, without_stale_links
from reconciler.report.escape import break_commands, escape
from reconciler.report.explain import tag_changes
from reconciler.report.links import image_source, location_url
from reconciler.report.words import (
    BLOCK_REASONS,
    IN_DOUBT_MEANS,
    ORIGINS,
    VERBS,
    ChangeKind,
    any_in_doubt,
    by_code,
    by_kind,
    code_words,
    destroyed,
    kind_of,
    location_text,
    notes_text,
    rehearsal_text,
    shown,
    shown_pair,
    summary_line,
    telling_fields,
)

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATES: Final = Path(__file__).parent / "templates"
_ORDER: Final[tuple[ChangeKind, ...]] = ("delete", "create", "rename", "update")
_MARKS: Final[Mapping[ChangeKind, str]] = {
    "delete": "\N{MINUS SIGN}",
    "create": "+",
    "rename": "»",
    "update": "~",
}
# So many products are drawn, or left for later, together: what is out of sight costs nothing.
_CHUNK: Final = 40
_GARMENTS: Final = re.compile('id="garment-([a-z]+)"')
# So many warnings of one kind are open to read; more are folded.
_OPEN: Final = 3


def plan_html(plan: Plan, context: Context) -> str:
    """The plan as an HTML page, with filters, both images of each product, and a link to each."""
    context = without_stale_links(plan, context)
    groups = by_kind(plan.changes)
    script = _asset("plan.js")
    page = page_template("plan.html").render(
        plan=plan,
        context=context,
        title=title_of(plan, context),
        rehearsal=rehearsal_text(context.rehearsal) if context.rehearsal else None,
        summary=summary_line(plan, context.calls).removeprefix("Plan: "),
        counts={kind: len(changes) for kind, changes in groups.items()},
        verbs=VERBS,
        marks=_MARKS,
        kinds=_ORDER,
        origins=_origins(plan.changes),
        sections=_sections(groups, context),
        chunk=_CHUNK,
        block_reasons=BLOCK_REASONS,
        warnings=_warnings(plan.warnings, context),
        few=_OPEN,
        garments=_garments(),
        in_doubt=IN_DOUBT_MEANS if any_in_doubt(plan.changes) else None,
        script=script,
        # The page's policy allows the script with this hash only, so nothing in a product can run.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    # A pipeline that prints the page into its log must not obey it; browsers show a `#`.
    return break_commands(page, "&#35;")


def _origins(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """The origins that the changes have, each with its meaning and how many changes have it."""
    counts = Counter(change.origin for change in changes)
    return [
        {"name": origin, "meaning": meaning, "count": counts[origin]}
        for origin, meaning in ORIGINS.items()
        if counts[origin]
    ]


def _warnings(warnings: Iterable[Finding], context: Context) -> list[dict[str, Any]]:
    """The warnings of each code, each with its place and its message in pieces."""
    return [
        {"code": code, "words": code_words(code), "found": [_warning(w, context) for w in found]}
        for code, found in by_code(warnings).items()
    ]


def _warning(warning: Finding, context: Context) -> dict[str, Any]:
    """One warning; every second piece of its message stood in backticks."""
    where = warning.location
    pieces = escape(warning.message).split("`")
    return {
        "place": location_text(where) if where else None,
        "url": location_url(where, context.repository_url, context.commit) if where else None,
        # An even number of pieces means a backtick without a partner, which is mere text.
        "pieces": pieces if len(pieces) % 2 else [escape(warning.message)],
    }


def _sections(
    groups: Mapping[ChangeKind, Sequence[Change]], context: Context
) -> Iterator[dict[str, Any]]:
    """The changes of each kind that the plan has, deletes first: a reviewer must see them."""
    for kind in _ORDER:
        if changes := groups[kind]:
            yield {
                "kind": kind,
                "count": len(changes),
                "words": f"{'product' if len(changes) == 1 else 'products'} to {VERBS[kind]}",
                "cards": _cards(changes, context),
            }


def _cards(changes: Iterable[Change], context: Context) -> Iterator[dict[str, Any]]:
    """What the template shows of each change."""
    # One at a time: the cards of 100,000 changes together would take gigabytes.
    for change in changes:
        url = None
        if change.source:
            url = location_url(change.source, context.repository_url, context.commit)
        yield {
            "anchor": anchor(change),
            "kind": kind_of(change),
            "store_id": shown(change.store_id),
            "name": "(no name)" if change.name is None else shown(change.name),
            "place": location_text(change.source) if change.source else None,
            "url": url,
            "origin": change.origin,
            "notes": notes_text(change),
            "fields": [_field(key, field, change) for key, field in _fields(change)],
            "destroyed": destroyed(change.record) if isinstance(change, Delete) else (),
            "garment": _garment(change),
            "before": image_source(_old_image(change)),
            "after": image_source(_new_image(change)),
        }


def anchor(change: Change) -> str:
    """The id of a change's card in the page: the same in every page that shows the change."""
    # Two store_ids may be equal once reduced to letters and digits, so a digest follows.
    readable = re.sub(r"[^A-Za-z0-9]+", "-", change.store_id).strip("-")[:40]
    identity = f"{change.action}\n{change.store_id}".encode("utf-8", "backslashreplace")
    return f"{change.action}-{readable}-{hashlib.sha256(identity).hexdigest()[:8]}"


def _fields(change: Change) -> list[tuple[str, FieldChange]]:
    """The fields that a card lists; a delete's heading shows its store_id and its name."""
    fields = telling_fields(change)
    if change.action == "delete":
        return [pair for pair in fields if pair[0] not in ("store_id", "name")]
    return fields


def _field(key: str, field: FieldChange, change: Change) -> dict[str, Any]:
    """One field before and after, or as tags that come and go."""
    if isinstance(field.before, tuple) or isinstance(field.after, tuple):
        added, removed = tag_changes(field.before, field.after)
        return {
            "key": escape(key),
            "added": [shown(tag) for tag in added],
            "removed": [shown(tag) for tag in removed],
        }
    before, after = shown_pair(field)
    return {
        "key": escape(key),
        "before": None if change.action == "create" else before,
        "after": None if change.action == "delete" else after,
    }


def _garment(change: Change) -> str:
    """Which garment is drawn where a picture cannot be loaded: that of the type, if it is known."""
    field = change.fields.get("type")
    # An update that leaves the type as it is still carries it, to be shown here.
    kind = field.after or field.before if field else getattr(change, "type", None)
    return kind if isinstance(kind, str) and kind in _GARMENTS.findall(_garments()) else "other"


@cache
def _garments() -> str:
    """The drawings of all garments, as symbols of an SVG document."""
    # Above this folder, since the sandbox draws them too and imports nothing of reports.
    return (_TEMPLATES.parents[1] / "templates" / "garments.svg").read_text(encoding="utf-8")


def _old_image(change: Change) -> object:
    """The remote's picture of a product that is changed or deleted."""
    if isinstance(change, Update):
        return change.image_md
    return change.record.get("image_md") if isinstance(change, Delete) else None


def _new_image(change: Change) -> object:
    """The picture that is sent, if one is."""
    field = change.fields.get("image_url")
    return field.after if field else None


@cache
def page_template(name: str) -> "Template":
    """A page's template, compiled once; it has the style sheet as `style`."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        # Templates made from strings have no file name by which Jinja2 could decide.
        autoescape=True,
        # A misspelt name must fail instead of leaving a hole in the page.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["visible"] = escape
    styles = {"style": _asset("plan.css"), "watch_style": _asset("watch.css")}
    return environment.from_string(_asset(name), globals=styles)


@cache
def _asset(name: str) -> str:
    """One file of the templates folder."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")
