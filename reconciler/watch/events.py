"""What a round has to tell: events of a store, each once for as long as nothing changes. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.codes import Code
from reconciler.planning.plan import Change, digest
from reconciler.report.words import plural
from reconciler.watch.sight import Observation

# Errors that the next round settles: another apply is running, or this watch is ending.
_QUIET: Final = frozenset({Code.LOCKED, Code.INTERRUPTED})
_VARYING: Final = frozenset({Code.UNREACHABLE, Code.REJECTED, Code.BAD_ANSWER, Code.UNSTABLE_LIST})


class Happening(StrEnum):
    """The kinds of events."""

    APPLIED = "applied"
    FAILED = "failed"
    IN_PART = "in part"
    REFUSED = "refused"
    DRIFT_FOUND = "drift found"
    DRIFT_GONE = "drift gone"
    KEY_REFUSED = "key refused"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened at a store, in one sentence with its counts."""

    kind: Happening
    store: str
    text: str


Told = Mapping[str, str]
"""By kind, what was told of a state that still lasts: a digest, or an error."""


def events(seen: Observation, told: Told) -> tuple[list[Event], dict[str, str]]:
    """The events to tell after a round, and what has then been told of states that last."""
    # If nobody could look, what was there before is taken to last.
    lasting = (Happening.DRIFT_FOUND, Happening.REFUSED) if seen.plan is None else ()
    now: dict[str, str] = {kind: told[kind] for kind in lasting if kind in told}
    happened = [_of_report(seen)] if seen.report is not None and seen.report.outcomes else []
    if (failed := seen.failed) is not None and failed.code not in _QUIET:
        refused_key = failed.code == Code.KEY_REFUSED
        kind = Happening.KEY_REFUSED if refused_key else Happening.FAILED
        # What a dead server says differs from call to call.
        now[kind] = failed.code if failed.code in _VARYING else f"{failed.code} {failed.message}"
        happened.append(Event(kind, seen.store, _sentence(failed.message, failed.hint)))
    refusal = _refusal(seen)
    if refusal is not None:
        now[Happening.REFUSED] = digest(seen.plan.changes if seen.plan else ())
        happened.append(Event(Happening.REFUSED, seen.store, refusal))
    if drift := seen.drift:
        now[Happening.DRIFT_FOUND] = digest(drift)
        text = f"The remote differs from what was applied last: {counts(drift)}."
        happened.append(Event(Happening.DRIFT_FOUND, seen.store, text))
    elif Happening.DRIFT_FOUND in told and seen.plan is not None:
        text = "The remote is as it was applied last again."
        happened.append(Event(Happening.DRIFT_GONE, seen.store, text))
    fresh = [
        event
        for event in happened
        # What has no lasting state (an apply, drift that is gone) is news each time.
        if event.kind not in now or told.get(event.kind) != now[event.kind]
    ]
    return fresh, now


def counts(changes: tuple[Change, ...]) -> str:
    """The number of changes by action: "2 to create, 1 to delete"."""
    found = Counter(change.action for change in changes)
    return ", ".join(f"{count} to {action}" for action, count in sorted(found.items()))


def _of_report(seen: Observation) -> Event:
    report = seen.report
    assert report is not None  # noqa: S101 - the caller has looked
    kind = {0: Happening.APPLIED, 1: Happening.FAILED}.get(report.exit_code, Happening.IN_PART)
    tally = report.summary._asdict()
    others = [
        f"{n} {fate.replace('_', ' ')}" for fate, n in tally.items() if n and fate != "applied"
    ]
    text = f"Applied {report.summary.applied} of {plural(len(report.outcomes), 'change')}"
    text = f"{text}; {', '.join(others)}." if others else f"{text}."
    return Event(kind, seen.store, f"{text} {report.error}" if report.error else text)


def _refusal(seen: Observation) -> str | None:
    """Why a guard refuses what is to be done, whether or not it was tried."""
    if seen.refused is not None:
        return _sentence(seen.refused.message, seen.refused.hint)
    if seen.plan is None or not seen.plan.refusals:
        return None
    reasons = " ".join(refusal.message for refusal in seen.plan.refusals)
    flags = " ".join(refusal.allow for refusal in seen.plan.refusals)
    return f"An apply would be refused: {reasons} {flags} allows it."


def _sentence(message: str, hint: str | None) -> str:
    return f"{message} {hint}" if hint else message
