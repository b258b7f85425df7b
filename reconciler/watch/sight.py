"""Observation: what one round saw and did at one store, as a value; and `observe`, which makes it.

A round plans with the commit that was applied last as its base: what that commit would change too
is drift, the rest are edits.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Final

from reconciler.codes import Code
from reconciler.errors import GuardRefused, ReconcilerError
from reconciler.planning.origin import only_of
from reconciler.planning.plan import Change, Origin, Plan
from reconciler.reconcile.making import APPLIED, Options
from reconciler.reconcile.run import apply, plan
from reconciler.reconcile.store import open_store
from reconciler.remote.pace import Pace
from reconciler.report.words import finding_line
from reconciler.watch.branch import Branch

if TYPE_CHECKING:
    from reconciler.planning.outcome import Report
    from reconciler.settings import Settings

_DRIFT: Final = ("drift", "both")
# A message that holds more is no message any more.
_FAULTS: Final = 3


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a store could not be done: an error's code, message and hint."""

    code: str
    message: str
    hint: str | None = None

    @staticmethod
    def of(error: ReconcilerError) -> "Failed":
        """An error as a Failed, with the locations of its first faults."""
        faults = [finding_line(finding) for finding in getattr(error, "findings", ())]
        faults += getattr(error, "details", ())
        if (more := len(faults) - _FAULTS) > 0:
            faults[_FAULTS:] = [f"And {more} more."]
        return Failed(error.code, " ".join([error.message, *faults]), error.hint)


@dataclass(frozen=True, slots=True)
class Observation:
    """One store in one round.

    `plan` is what is left to do at the end of the round, or None if that could not be told.
    `report` is that of the apply, if there was one, and `refused` says why a guard stopped it.
    `seconds` is how long the plan took, `calls` are the calls by method and outcome.
    """

    store: str
    at: float
    plan: Plan | None = None
    report: "Report | None" = None
    refused: Failed | None = None
    failed: Failed | None = None
    seconds: float = 0.0
    calls: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def drift(self) -> tuple[Change, ...]:
        """The changes by which the remote has drifted."""
        changes = () if self.plan is None else self.plan.changes
        return tuple(change for change in changes if change.origin in _DRIFT)


@dataclass(frozen=True, slots=True)
class Healing:
    """Rounds apply what they plan: changes of these origins, or all changes if none is given."""

    only: tuple[Origin, ...] = ()


def observe(
    settings: "Settings",
    store: str,
    branch: Branch,
    *,
    now: Callable[[], float],
    healing: Healing | None = None,
    stop: Event | None = None,
    pace: Pace | None = None,
) -> Observation:
    """Plan one store, and apply that if it is to be healed; errors become part of the result."""
    seen = Observation(store, now())
    calls: Mapping[tuple[str, str], int] = {}
    try:
        declared = branch.catalog(settings, store)
        with open_store(settings, store, stop=stop, pace=pace) as opened:
            try:
                # The branch's catalogue, not the work tree's, in which somebody may be in the
                # middle of an edit.
                at_commit = replace(
                    opened, declared=declared, earlier=partial(branch.earlier, store)
                )
                began = time.monotonic()
                made = plan(at_commit, Options(base=APPLIED))
                seen = replace(seen, plan=made, seconds=time.monotonic() - began)
                due = made if healing is None else only_of(made, healing.only)
                if healing is not None and due.changes:
                    seen = replace(seen, report=apply(at_commit, saved=due))
                    # The plan that was applied says nothing about what is left now.
                    seen = replace(seen, plan=plan(at_commit, Options(base=APPLIED)))
            finally:
                # Calls before a failure were made too, so they are counted on every way out.
                calls = dict(opened.client.outcomes)
    except GuardRefused as error:
        seen = replace(seen, refused=Failed.of(error))
    except ReconcilerError as error:
        seen = replace(seen, failed=Failed.of(error))
    except Exception as error:  # one store's must not end the watch of the others
        what = f"This is a bug in reconciler: {type(error).__name__}: {error}. Please report it."
        seen = replace(seen, failed=Failed(Code.BUG, what))
    return replace(seen, at=now(), calls=calls)
