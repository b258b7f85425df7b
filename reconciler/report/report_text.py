"""A Report as text: what became of every Change, and what happens next.

It stands beside `text`, which draws plans, because the two share nothing but their style.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from reconciler.planning.outcome import Fate, Outcome, Report
from reconciler.planning.plan import Action
from reconciler.report.escape import escape
from reconciler.report.style import Style
from reconciler.report.words import plural, shown, unlabelled_line
from reconciler.wording import few, wrapped

_DONE: Mapping[Action, str] = {"create": "created", "update": "updated", "delete": "deleted"}
_NEXT_FOR_UNKNOWN: Mapping[Action, str] = {
    "create": "The next run looks for it at the remote before it creates anything.",
    "update": "The next run compares again and sends what is still missing.",
    "delete": "The next run looks whether it is still there.",
}
# So many changes that end for one reason have a line each; more share one.
_ALONE: Final = 5
_NAMED: Final = 3
_WORDS = {
    Fate.APPLIED: "applied",
    Fate.FAILED: "failed",
    Fate.NOT_ATTEMPTED: "not attempted",
    Fate.UNKNOWN: "unknown",
}


def report_text(report: Report, *, color: bool = False, width: int | None = None) -> str:
    """The account of an apply: failures with why, unknowns with what follows, then the counts.

    Every count is counted from the outcomes. `width` is in columns; None never breaks a line.
    """
    style = Style(color)
    lines: list[str] = []
    for fate, heading in (
        (Fate.FAILED, "Failed:"),
        (Fate.UNKNOWN, "Unknown, nobody can tell yet:"),
        (Fate.NOT_ATTEMPTED, "Not attempted:"),
    ):
        lines += _section(report.outcomes, fate, heading, style, width)
    if report.warnings:
        lines.append(style.bold(f"{plural(len(report.warnings), 'warning').capitalize()}:"))
        for warning in report.warnings:
            parts = wrapped(f"  {unlabelled_line(warning)}", width, hang="    ")
            lines += [style.yellow(line) for line in parts]
        lines.append("")
    if report.error:
        early = wrapped(f"The apply ended early: {escape(report.error)}", width)
        lines += [style.red(line) for line in early]
    if report.interrupted:
        stopped = "The apply was interrupted; calls under way were let finish."
        lines += [style.yellow(line) for line in wrapped(stopped, width)]
    paint, verdict = _convergence(report, style)
    for told, sentence in (
        (style.bold, _counts(report)),
        (paint, verdict),
        (str, _requests(report.requests)),
    ):
        lines += [told(line) for line in wrapped(sentence, width)]
    return "\n".join(lines) + "\n"


def _section(
    outcomes: Iterable[Outcome], fate: Fate, heading: str, style: Style, width: int | None
) -> list[str]:
    """All outcomes of one fate, each with why and, if it is unknown, what happens next."""
    found = [outcome for outcome in outcomes if outcome.fate is fate]
    if not found:
        return []
    lines = [style.bold(heading)]
    for why, named in _by_reason(found):
        start = f"  {few(named, _NAMED)}"
        if why and width is not None and len(start) + 2 + len(why) > width:
            lines += [style.red(f"{start}:"), *wrapped(f"      {why}", width, hang="      ")]
        else:
            lines.append(style.red(f"{start}: {why}" if why else start))
    if fate is Fate.UNKNOWN:
        actions = [action for action in _DONE if any(o.action == action for o in found)]
        for action in actions:
            lines += wrapped(f"  {_NEXT_FOR_UNKNOWN[action]}", width, hang="  ")
    return [*lines, ""]


def _by_reason(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, list[str]]]:
    """The changes by what became of them: each alone, but those of one reason that are many."""
    groups: dict[str, list[str]] = {}
    for outcome in outcomes:
        why = escape(outcome.error) if outcome.error else ""
        # One cause, such as a dead server, ends thousands of changes: its reason is told once.
        groups.setdefault(why, []).append(f"{outcome.action} {shown(outcome.store_id)}")
    for why, named in groups.items():
        if len(named) > _ALONE:
            yield why, named
        else:
            for each in named:
                yield why, [each]


def _counts(report: Report) -> str:
    """The counts: "Applied 3 of 4 changes: 2 created, 1 updated; 1 failed"."""
    total = len(report.outcomes)
    if not total:
        return "Nothing was to be applied."
    # From the outcomes, never from the plan: what was planned may not have happened (P6).
    done = Counter(o.action for o in report.outcomes if o.fate is Fate.APPLIED)
    detail = ", ".join(f"{done[action]} {word}" for action, word in _DONE.items() if done[action])
    tally = report.summary._asdict()
    others = [
        f"{tally[fate.value]} {word}"
        for fate, word in _WORDS.items()
        if fate is not Fate.APPLIED and tally[fate.value]
    ]
    applied = f"Applied {report.summary.applied} of {plural(total, 'change')}"
    text = f"{applied}: {detail}" if detail else applied
    return f"{text}; {', '.join(others)}." if others else f"{text}."


def _convergence(report: Report, style: Style) -> tuple[Callable[[str], str], str]:
    """Whether the remote now equals the catalogue, with the colour of that."""
    if report.converged:
        text = "is as planned" if report.partial else "equals the catalogue"
        if report.unconfirmed:
            given = plural(report.unconfirmed, "product has", "products have")
            text += (
                f" as far as the API shows; {given} values that it never returns, and that are "
                "taken as given"
            )
        # Nobody has looked at the other products, so nothing is said of them (P6).
        rest = " What was not planned was not compared." if report.partial else ""
        return style.green, f"Converged: the remote {text}.{rest}"
    if report.converged is None:
        return style.yellow, (
            "Not verified: the closing list was not read. Run `reconciler plan` to look again."
        )
    return style.yellow, (
        "Not converged: the remote still differs from the catalogue. Run `reconciler plan` to see"
        " how."
    )


def _requests(requests: Mapping[str, int]) -> str:
    """The calls made: "Requests: 2 GET, 1 PATCH; 1 retry"."""
    methods = [f"{n} {escape(name)}" for name, n in requests.items() if n and name != "retries"]
    retries = plural(requests.get("retries", 0), "retry", "retries")
    return f"Requests: {', '.join(methods) or 'none'}; {retries}."
