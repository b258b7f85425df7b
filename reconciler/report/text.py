"""A Plan as text that people read before they agree to it.

Values are never shortened: what would be written is shown whole, on a line of its own if it is
long.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from reconciler.model import KEYS
from reconciler.planning.plan import Change, Delete, FieldChange, Plan, Refusal
from reconciler.report.escape import escape
from reconciler.report.explain import tag_changes
from reconciler.report.style import Style
from reconciler.report.words import (
    IN_DOUBT_MEANS,
    KINDS,
    VERBS,
    ChangeKind,
    any_in_doubt,
    block_text,
    by_kind,
    clip,
    count_kinds,
    destroyed,
    kind_of,
    location_text,
    notes_text,
    origin_legend,
    plural,
    shown,
    shown_pair,
    summary_line,
    telling_fields,
    unlabelled_line,
)
from reconciler.wording import wrapped

_KEY_WIDTH: Final = 9
_INDENT: Final = "    "
# A pipe has no width, but something must decide which changes have room on one line.
_PIPE_WIDTH: Final = 100
_RECORD_LIMIT: Final = 200


class _Look(NamedTuple):
    """How one rendering draws: its style, its symbols, its width."""

    style: Style
    symbols: Mapping[ChangeKind, str]
    paint: Mapping[ChangeKind, Callable[[str], str]]
    arrow: str
    width: int


def plan_text(
    plan: Plan,
    calls: int | Mapping[str, int] = 0,
    *,
    color: bool = False,
    width: int | None = None,
    ascii: bool = False,
    summary: bool = False,
) -> str:
    """The plan for people: a block a product, then blocks, warnings and refusals, then the sum.

    `calls` is the number of HTTP calls, by method if known; `width` is in columns, None for a
    pipe; `ascii` draws the symbols with ASCII alone; `summary` counts the products of each kind
    in place of their blocks. The text ends with a line break.
    """
    look = _look(color, width, ascii)
    # Plain strings and not a layout library: 100,000 changes must take seconds.
    lines: list[str] = []
    if summary:
        lines += _kind_lines(plan, look)
    else:
        for change in plan.changes:
            lines += _change_lines(change, look)
    if plan.changes:
        lines += ["", *([] if summary else [_legend(plan, look), ""])]
    legends = [IN_DOUBT_MEANS] if any_in_doubt(plan.changes) else []
    if origins := origin_legend(plan.changes):
        legends.append(origins)
    for legend in legends:
        lines += [*map(look.style.dim, wrapped(legend, width)), ""]
    lines += _blocked_lines(plan, look.style, width)
    lines += _warning_lines(plan, look.style, width)
    lines += _refusal_lines(plan.refusals, look.style, width)
    lines += map(look.style.bold, wrapped(summary_line(plan, calls), width))
    return "\n".join(lines) + "\n"


def _look(color: bool, width: int | None, ascii: bool) -> _Look:
    """The drawing that these wishes ask for."""
    style = Style(color)
    rename, arrow = (">", "->") if ascii else ("»", "→")
    symbols: dict[ChangeKind, str] = {
        "create": "+",
        "update": "~",
        "rename": rename,
        "delete": "-",
    }
    paint: dict[ChangeKind, Callable[[str], str]] = {
        "create": style.green,
        "update": style.yellow,
        "rename": style.cyan,
        "delete": style.red,
    }
    return _Look(style, symbols, paint, arrow, width or _PIPE_WIDTH)


def _kind_lines(plan: Plan, look: _Look) -> Iterator[str]:
    """One line a kind of change: its symbol, its number, and which fields it is about."""
    for kind, changes in by_kind(plan.changes).items():
        if not changes:
            continue
        start = f"{look.symbols[kind]} {len(changes)} to {VERBS[kind]}"
        ends = []
        if kind == "delete":
            losing = sum(isinstance(c, Delete) and bool(destroyed(c.record)) for c in changes)
            ends = [f"{losing} with data entered by hand"] if losing else []
        elif kind != "create":
            fields = Counter(key for change in changes for key in change.fields)
            ends = [f"{fields[key]} {key}" for key in KEYS if fields[key] and key != "store_id"]
        yield look.paint[kind](start) + (f"  {look.style.dim(', '.join(ends))}" if ends else "")


def _legend(plan: Plan, look: _Look) -> str:
    """The meaning of the symbols in this plan."""
    counts = count_kinds(plan.changes)
    found = [kind for kind in KINDS if counts[kind]]
    words = [look.paint[kind](f"{look.symbols[kind]} {VERBS[kind]}") for kind in found]
    return "  ".join(["Legend:", *words])


def _change_lines(change: Change, look: _Look) -> Iterator[str]:
    """The block of one product."""
    yield from _heading(change, look)
    for key, note in notes_text(change):
        yield look.style.dim(f"{_INDENT}{key:<{_KEY_WIDTH}}  {note}")
    if isinstance(change, Delete):
        yield from _destroyed_lines(change, look)
        return
    for key, field in telling_fields(change):
        if isinstance(field.before, tuple) or isinstance(field.after, tuple):
            yield from _tag_lines(key, field, look)
        else:
            yield from _text_lines(key, field, change.action == "create", look)


def _heading(change: Change, look: _Look) -> Iterator[str]:
    """Symbol, store_id, name, location and origin: on one line, or two if they do not fit."""
    kind = kind_of(change)
    name = "(no name)" if change.name is None else shown(change.name)
    start = f"{look.symbols[kind]} {shown(change.store_id)}  {name}"
    ends = [location_text(change.source)] if change.source else []
    if change.origin:
        ends.append(f"[{change.origin}]")
    end = "  ".join(ends)
    painted = look.paint[kind](start)
    if not end:
        yield painted
    elif _columns(start) + 2 + _columns(end) <= look.width:
        yield f"{painted}  {look.style.dim(end)}"
    else:
        yield painted
        yield _INDENT + look.style.dim(end)


def _text_lines(key: str, field: FieldChange, created: bool, look: _Look) -> Iterator[str]:
    """A text field: `key  before → after`, with the new value below if it is long."""
    before, after = shown_pair(field)
    start = f"{_INDENT}{escape(key):<{_KEY_WIDTH}}  "
    if created:
        yield start + after
        return
    if len(start) + _columns(before) + len(look.arrow) + 2 + _columns(after) <= look.width:
        yield f"{start}{before} {look.arrow} {after}"
    else:
        yield start + before
        yield " " * (len(start) - len(look.arrow) - 1) + f"{look.arrow} {after}"


def _tag_lines(key: str, field: FieldChange, look: _Look) -> Iterator[str]:
    """A set of tags: what comes and what goes, broken between tags if the line is full."""
    added, removed = tag_changes(field.before, field.after)
    signed = [(f"+ {shown(tag)}", look.style.green) for tag in added]
    signed += [(f"- {shown(tag)}", look.style.red) for tag in removed]
    if not signed:
        signed = [("(no tags)", look.style.dim)]
    start = f"{_INDENT}{escape(key):<{_KEY_WIDTH}}"
    line, used = start, len(start)
    for text, paint in signed:
        columns = _columns(text) + 2
        # A tag that is longer than a line must not leave an empty line before it.
        if used + columns > look.width and used > len(start):
            yield line
            line, used = " " * len(start), len(start)
        line += "  " + paint(text)
        used += columns
    yield line


def _destroyed_lines(change: Delete, look: _Look) -> Iterator[str]:
    """What hand-entered data a delete destroys; the whole record is in the saved plan."""
    label = "destroys"
    for key, value in destroyed(change.record):
        text = f"{key} {clip(value, _RECORD_LIMIT)}"
        yield f"{_INDENT}{label:<{_KEY_WIDTH}}  {look.style.red(text)}"
        label = ""


def _blocked_lines(plan: Plan, style: Style, width: int | None) -> list[str]:
    """The products left untouched, whatever is declared."""
    if not plan.blocked:
        return []
    lines = [style.bold("Blocked, left untouched:")]
    for blocked in plan.blocked:
        store_id = "(no store_id)" if blocked.store_id is None else shown(blocked.store_id)
        first, *rest = wrapped(f"  {store_id}  {block_text(blocked)}", width, hang=_INDENT)
        # Painted after it was wrapped: colour codes take no columns, but would be counted.
        lines += [f"  {style.yellow(store_id)}{first[2 + len(store_id) :]}", *rest]
    return [*lines, ""]


def _warning_lines(plan: Plan, style: Style, width: int | None) -> list[str]:
    """The plan's warnings, each with its location if it has one."""
    if not plan.warnings:
        return []
    heading = style.bold(f"{plural(len(plan.warnings), 'warning').capitalize()}:")
    lines = []
    for warning in plan.warnings:
        told = wrapped(f"  {unlabelled_line(warning)}", width, hang=_INDENT)
        lines += [style.yellow(line) for line in told]
    return [heading, *lines, ""]


def _refusal_lines(refusals: tuple[Refusal, ...], style: Style, width: int | None) -> list[str]:
    """Why apply will refuse, with the flag that allows each."""
    if not refusals:
        return []
    lines = [style.bold("Apply will refuse this plan:")]
    for refusal in refusals:
        told = wrapped(f"  {escape(refusal.message)} [{refusal.code}]", width, hang=_INDENT)
        lines += [style.red(line) for line in told]
        lines.append(f"    To allow it: {escape(refusal.allow)}")
    return [*lines, ""]


def _columns(text: str) -> int:
    """How many columns of a terminal `text` takes: wide characters take two, marks none."""
    if text.isascii():
        return len(text)
    columns = 0
    for character in text:
        if not unicodedata.combining(character):
            columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return columns
