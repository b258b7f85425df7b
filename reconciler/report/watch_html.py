"""The pages of a watch: all stores at a glance, and one store with its past as plots.

They have no script, and ask the network for nothing. Times are Unix times, shown in UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from reconciler.report.html import page_template
from reconciler.report.words import plural

Condition: TypeAlias = Literal[
    "well", "edited", "drifting", "refused", "unreachable", "failed", "waiting"
]

_WORDS: Final[dict[Condition, str]] = {
    "well": "in sync",
    "edited": "edits to apply",
    "drifting": "drifting",
    "refused": "refused",
    "unreachable": "unreachable",
    "failed": "failed",
    "waiting": "not looked at yet",
}
# The class of plan.css that gives a state its colour.
_COLORS: Final[dict[Condition, str]] = {
    "well": "create",
    "edited": "rename",
    "drifting": "update",
    "refused": "delete",
    "unreachable": "delete",
    "failed": "delete",
    "waiting": "waiting",
}
_WORST_FIRST: Final[tuple[Condition, ...]] = (
    "refused",
    "failed",
    "unreachable",
    "drifting",
    "edited",
    "waiting",
    "well",
)
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_WIDTH: Final = 640
_HEIGHT: Final = 120
_MOST_BARS: Final = 40
# So few are no wider than if there were as many.
_FEWEST_BARS: Final = 8


class Plotted(NamedTuple):
    """A store at one time: how many changes it had to make, and how many of them are drift."""

    at: float
    changes: int
    drift: int


class PastApply(NamedTuple):
    """One apply of the past: when, by what commit, what it made of how many products, its end."""

    time: str
    created: int
    updated: int
    deleted: int
    commit: str | None
    result: str | None


@dataclass(frozen=True, slots=True)
class StoreView:
    """What a page shows of one store; `counts` is what is left to do, in words."""

    store: str
    state: Condition = "waiting"
    counts: str = ""
    error: str | None = None
    hint: str | None = None
    drift_since: float | None = None
    succeeded: float | None = None
    commit: str | None = None
    has_plan: bool = False
    moments: Sequence[Plotted] = ()


def watch_html(views: Sequence[StoreView], *, now: float, ref: str, commit: str | None) -> str:
    """All stores, worst first."""
    ranked = sorted(views, key=lambda view: (_WORST_FIRST.index(view.state), view.store))
    found = [(state, sum(v.state == state for v in views)) for state in _WORST_FIRST]
    return page_template("watch.html").render(
        title=plural(len(views), "store"),
        summary=", ".join(f"{n} {_WORDS[state]}" for state, n in found if n) or "no stores",
        rows=[_row(view, now) for view in ranked],
        ref=ref,
        commit=commit,
        now=_stamp(now),
    )


def watch_store_html(view: StoreView, applies: Sequence[PastApply], *, now: float) -> str:
    """One store: how it is, its changes and its drift over time, and its last applies."""
    return page_template("watch_store.html").render(
        row=_row(view, now),
        plot=_plot(view.moments),
        bars=_bars(applies[:_MOST_BARS]),
        applies=applies,
        now=_stamp(now),
    )


def _row(view: StoreView, now: float) -> dict[str, Any]:
    return {
        "store": view.store,
        "word": _WORDS[view.state],
        "color": _COLORS[view.state],
        "counts": view.counts,
        "error": view.error,
        "hint": view.hint,
        "drifting": _ago(now - view.drift_since) if view.drift_since is not None else None,
        "seen": _ago(now - view.succeeded) if view.succeeded is not None else None,
        "seen_at": _stamp(view.succeeded) if view.succeeded is not None else None,
        "commit": view.commit,
        "has_plan": view.has_plan,
    }


def _ago(seconds: float) -> str:
    """A time in its largest unit: "3 hours"."""
    for unit, size in _UNITS:
        if seconds >= size:
            return plural(int(seconds // size), unit)
    return "a moment"


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _plot(moments: Sequence[Plotted]) -> dict[str, Any] | None:
    """Changes as a line and drift as an area, in steps: a value holds until the next one."""
    if len(moments) < 2:
        return None
    first, last = moments[0].at, moments[-1].at
    most = max(1, *(moment.changes for moment in moments))

    def x(at: float) -> float:
        # The first and the last round may have the same time if the clock was set back.
        return round((at - first) / ((last - first) or 1) * _WIDTH, 1)

    def y(count: int) -> float:
        # With a margin at the top, or half of the highest line would be cut off.
        return round(_HEIGHT - count / most * (_HEIGHT - 4), 1)

    def steps(counts: Sequence[int]) -> str:
        path = f"M0 {y(counts[0])}"
        for moment, count in zip(moments[1:], counts[1:], strict=True):
            path += f"H{x(moment.at)}V{y(count)}"
        return path

    drift = steps([moment.drift for moment in moments])
    return {
        "changes": steps([moment.changes for moment in moments]),
        "drift": f"{drift}H{_WIDTH}V{_HEIGHT}H0Z",
        "most": most,
        "from": _stamp(first),
        "to": _stamp(last),
        "width": _WIDTH,
        "height": _HEIGHT,
    }


def _bars(applies: Sequence[PastApply]) -> dict[str, Any] | None:
    """The applies from the oldest to the newest, each a bar of what was created and so on."""
    if not applies:
        return None
    most = max(1, *(a.created + a.updated + a.deleted for a in applies))
    room = _WIDTH / max(len(applies), _FEWEST_BARS)
    bars = []
    for place, past in enumerate(reversed(applies)):
        top, parts = float(_HEIGHT), []
        for color, count in (
            ("create", past.created),
            ("update", past.updated),
            ("delete", past.deleted),
        ):
            height = count / most * (_HEIGHT - 4)
            top -= height
            if count:
                parts.append({"color": color, "y": round(top, 1), "height": round(height, 1)})
        bars.append(
            {
                "x": round(place * room, 1),
                "parts": parts,
                "title": f"{past.time}: {past.created} created, {past.updated} updated, "
                f"{past.deleted} deleted",
            }
        )
    return {
        "bars": bars,
        "most": most,
        "room": round(room * 0.7, 1),
        "width": _WIDTH,
        "height": _HEIGHT,
        "from": applies[-1].time,
        "to": applies[0].time,
    }
