"""What a worker does: it calls the story of one store, and says in a value what became of it.

A worker may be a thread of this command's children or of somebody's Dask worker. It reads the keys
from its own environment.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from reconciler.catalog.worktrees import WorkTrees
from reconciler.clock import stamp
from reconciler.codes import Code
from reconciler.errors import ReconcilerError
from reconciler.fleet.checkout import folder_of
from reconciler.fleet.task import StoreTask
from reconciler.fleet.versions import check_versions
from reconciler.reconcile import run as stories
from reconciler.reconcile.saved import read_plan
from reconciler.reconcile.status import drift_code, status, status_with_plan
from reconciler.reconcile.store import Store, open_sandbox, open_store
from reconciler.remote.pace import Pace
from reconciler.remote.redaction import Redactor
from reconciler.report.fleet_results import FleetAction, StoreResult
from reconciler.report.words import finding_line
from reconciler.version import VERSION

if TYPE_CHECKING:
    from reconciler.planning.outcome import Report
    from reconciler.planning.plan import Plan
    from reconciler.report.plan_json import SavedPlan
    from reconciler.settings import Settings

_CHANGED: Final = 2
_MOST_NOTES: Final = 10
_RUNS_KEPT: Final = 16
"""A worker that lives on forgets the runs before so many."""


@dataclass(slots=True)
class _Run:
    """What the stores of one run share in this process."""

    stop: Event = field(default_factory=Event)
    pace: Pace = field(default_factory=Pace)
    lock: Lock = field(default_factory=Lock)
    settings: "Settings | None" = None
    trees: WorkTrees | None = None

    def load(self, task: StoreTask) -> "tuple[Settings, WorkTrees]":
        """The settings, read once, with this process's own keys; and what asks git about files."""
        from reconciler.settings import load_settings

        with self.lock:
            if self.settings is None:
                folder = folder_of(task.checkout)
                config = task.checkout.config
                self.settings = load_settings(config=config, environ=os.environ, folder=folder)
            if self.trees is None:
                self.trees = WorkTrees(_common_folder(self.settings))
            return self.settings, self.trees


def _common_folder(settings: "Settings") -> Path | None:
    """The folder with the catalogues of all stores that have theirs in the working folder."""
    folders = (settings.store(name).catalog for name in settings.stores)
    within = [folder for folder in folders if folder.is_relative_to(settings.folder)]
    return Path(os.path.commonpath(within)) if within else None


_runs: dict[str, _Run] = {}
_lock: Final = Lock()


def _run_of(name: str) -> _Run:
    with _lock:
        if name not in _runs:
            _runs[name] = _Run()
            for old in [*_runs][:-_RUNS_KEPT]:
                del _runs[old]
        return _runs[name]


def prepare(name: str, settings: "Settings") -> None:
    """Load what every store needs, for children that are forked after this."""
    import reconciler.remote.client  # noqa: F401

    _run_of(name).settings = settings


def stop_run(name: str) -> None:
    """End the stores of a run that are under way here: calls in flight finish and are recorded."""
    _run_of(name).stop.set()


def share_out(name: str, share: float | None) -> None:
    """Let each store of a run that is under way here make so many calls a second."""
    _run_of(name).pace.share = share


def work(task: StoreTask) -> StoreResult:
    """Call the story of one store. Never raises an Exception: what went wrong is in the result."""
    began = monotonic()
    run = _run_of(task.run)
    try:
        result = _result(task, run)
    except ReconcilerError as error:
        result = _failed(task, error)
    except Exception as error:  # told for this store, since the others go on
        what = f"{type(error).__name__}: {error}"
        message = f"This is a bug in reconciler: {what}. Please report it."
        result = StoreResult(task.store, 1, error=message, code=Code.BUG)
    # A message may quote an address, and the result may travel to another machine (P5).
    result = _masked(result, () if run.settings is None else run.settings.keys())
    return replace(result, seconds=round(monotonic() - began, 3))


def _result(task: StoreTask, run: _Run) -> StoreResult:
    # A stop is broadcast at once, and may overtake the task on its way here.
    if run.stop.is_set():
        return StoreResult(task.store, 130, error="Not attempted.", code=Code.NOT_ATTEMPTED)
    check_versions(task.versions)
    settings, trees = run.load(task)
    run.pace.share = task.share
    opening = partial(open_sandbox, own=True) if task.sandbox else open_store
    with opening(
        settings, task.store, catalog=task.catalog, stop=run.stop, pace=run.pace, trees=trees
    ) as store:
        return _STORIES[task.action](store, task)


def _failed(task: StoreTask, error: ReconcilerError) -> StoreResult:
    findings = [finding_line(finding) for finding in getattr(error, "findings", ())]
    return StoreResult(
        task.store,
        error.exit_code,
        error=error.message,
        code=error.code,
        hint=error.hint,
        notes=_few([*findings, *getattr(error, "details", ())]),
    )


def _few(notes: Sequence[str]) -> tuple[str, ...]:
    more = len(notes) - _MOST_NOTES
    return (*notes[:_MOST_NOTES], *((f"and {more} more",) if more > 0 else ()))


def _masked(result: StoreResult, keys: Sequence[str]) -> StoreResult:
    """The result without any key of this process in its messages."""
    redact = Redactor(keys).redact
    return replace(
        result,
        error=redact(result.error) if result.error else result.error,
        hint=redact(result.hint) if result.hint else result.hint,
        notes=tuple(redact(note) for note in result.notes),
    )


def _plan(store: Store, task: StoreTask) -> StoreResult:
    made = stories.dry_run(store, task.options, _saved(store, task))
    notes = [f"apply will refuse: {r.message} {r.allow} allows it." for r in made.refusals]
    return StoreResult(
        task.store,
        _CHANGED if task.detailed and made.changes else 0,
        summary=_counts(made.summary._asdict()),
        notes=_few([*notes, *(finding_line(warning) for warning in made.warnings)]),
        refused=bool(made.refusals),
        texts=_plan_texts(made, store, task),
    )


def _plan_texts(made: "Plan", store: Store, task: StoreTask) -> dict[str, str]:
    from reconciler.planning.operations import as_json
    from reconciler.report.context import Context
    from reconciler.report.formats import render_plan

    if not task.texts:
        return {}
    now, batch = stamp(datetime.now(UTC)), store.settings.requests.batch
    calls = tuple(as_json(made, batch=batch))
    context = Context(
        tool=VERSION,
        created_at=now,
        api_url=store.endpoint,
        operations=calls,
        repository_url=task.repository_url,
        commit=made.catalog.commit,
    )
    pages = task.texts - {"details", "calls"}
    texts = {name: render_plan(made, name, context=context) for name in pages}
    if "calls" in task.texts:
        from reconciler.report.calls_text import call_lines

        path = urlsplit(store.client.api_url).path
        texts["calls"] = "\n".join(call_lines(made, path, batch))
    if "details" in task.texts and made.changes:
        from reconciler.report.markdown import changes_markdown

        texts["details"] = changes_markdown(made, context)
    return texts


def _saved(store: Store, task: StoreTask) -> "SavedPlan | None":
    return None if task.saved is None else read_plan(store.folder / task.saved)


def _apply(store: Store, task: StoreTask) -> StoreResult:
    done = stories.apply(
        store, task.options, saved=_saved(store, task), lock_timeout=task.lock_timeout
    )
    return StoreResult(
        task.store,
        done.exit_code or (_CHANGED if task.detailed and done.outcomes else 0),
        summary=_counts(done.summary._asdict()),
        error=done.error,
        notes=_few([finding_line(warning) for warning in done.warnings]),
        converged=done.converged,
        texts=_report_texts(done, task),
    )


def _report_texts(done: "Report", task: StoreTask) -> dict[str, str]:
    from reconciler.report.report_json import report_json
    from reconciler.report.report_text import report_text

    texts = {}
    if "json" in task.texts:
        texts["json"] = report_json(done)
    if "details" in task.texts and done.exit_code:
        from reconciler.report.markdown import text_markdown

        texts["details"] = text_markdown(report_text(done))
    return texts


def _status(store: Store, task: StoreTask) -> StoreResult:
    from reconciler.report.overview_text import overview_counts, overview_json

    code = 0
    if task.detailed:
        seen, made = status_with_plan(store)
        code = drift_code(made)
    else:
        seen = status(store)
    texts = {"json": overview_json(seen)} if "json" in task.texts else {}
    return StoreResult(task.store, code, summary=_counts(overview_counts(seen)), texts=texts)


def _counts(values: Mapping[str, Any]) -> dict[str, int]:
    return {key: value for key, value in values.items() if isinstance(value, int)}


_STORIES: Final[Mapping[FleetAction, Callable[[Store, StoreTask], StoreResult]]] = {
    "plan": _plan,
    "apply": _apply,
    "status": _status,
}
