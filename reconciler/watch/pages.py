"""WatchPages: what a watch answers on each path, from what its rounds have seen."""

import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from reconciler.clock import stamp
from reconciler.codes import Code
from reconciler.errors import ReconcilerError
from reconciler.planning.bare import bare
from reconciler.planning.plan import Plan
from reconciler.reconcile.history import ledger_store, log
from reconciler.report.context import Context
from reconciler.report.history import LogEntry, counts_in
from reconciler.report.watch_html import (
    Condition,
    PastApply,
    StoreView,
    watch_html,
    watch_store_html,
)
from reconciler.report.words import count_kinds, counted, other_counts, summary_line
from reconciler.version import VERSION
from reconciler.watch.metrics import Meters
from reconciler.watch.serve import HTML, NOT_FOUND, Reply
from reconciler.watch.state import StoreState

if TYPE_CHECKING:
    from reconciler.watch.loop import Watch

_APPLIES: Final = 40
# Seconds for which the applies of a store are not read again: they may be in git.
_FRESH: Final = 60.0


class WatchPages:
    """Answers paths. Until `show` gives it a watch, it is alive and not ready."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters
        self._watch: Watch | None = None
        self._lock = Lock()
        self._applies: dict[str, tuple[float, list[PastApply]]] = {}

    def show(self, watch: "Watch") -> None:
        """Show this watch from now on."""
        self._watch = watch

    def __call__(self, path: str) -> Reply:
        """The reply to a path."""
        watch = self._watch
        # Before the watch is there as well: a supervisor must not kill what is still starting.
        if path == "/healthz":
            dead = watch is not None and not watch.alive
            return _health("dead" if dead else None)
        if watch is None:
            return _health("starting")
        fixed: dict[str, Callable[[Watch], Reply]] = {
            "/": self._all,
            "/metrics": self._metrics,
            "/readyz": lambda watch: _health(None if watch.ready else "not ready"),
        }
        if path in fixed:
            return fixed[path](watch)
        store, slash, rest = path.removeprefix("/store/").partition("/")
        store = unquote(store)
        if not path.startswith("/store/") or store not in watch.stores:
            return NOT_FOUND
        if rest == "plan":
            return self._plan(watch, store)
        return NOT_FOUND if slash else self._store(watch, store)

    def _metrics(self, watch: "Watch") -> Reply:
        now = watch.now()
        for store in watch.stores:
            # A gauge that says for how long would else stand still between two rounds.
            self._meters.drifted(store, watch.state.of(store).drifted_for(now))
        return Reply(self._meters.text(), "text/plain; version=0.0.4; charset=utf-8")

    def _all(self, watch: "Watch") -> Reply:
        views = [_view(store, watch.state.of(store)) for store in watch.stores]
        page = watch_html(views, now=watch.now(), ref=watch.ref, commit=watch.commit)
        return Reply(page, HTML)

    def _store(self, watch: "Watch", store: str) -> Reply:
        view = _view(store, watch.state.of(store))
        page = watch_store_html(view, self._past(watch, store), now=watch.now())
        return Reply(page, HTML)

    def _plan(self, watch: "Watch", store: str) -> Reply:
        from reconciler.planning.operations import as_json
        from reconciler.report.formats import render_plan

        seen = watch.state.of(store).last
        if seen is None or seen.plan is None:
            return NOT_FOUND
        settings = watch.settings.for_store(store)
        context = Context(
            tool=VERSION,
            created_at=stamp_of(seen.at),
            operations=as_json(seen.plan, batch=settings.requests.batch),
            commit=seen.plan.catalog.commit,
        )
        # Whoever reads the page may not be meant to read whole records.
        return Reply(render_plan(bare(seen.plan), "html", context=context), HTML)

    def _past(self, watch: "Watch", store: str) -> list[PastApply]:
        """The last applies by the ledger's history or the journals, newest first."""
        now = time.monotonic()
        # Held while git is read, so that many readers at once make it run once.
        with self._lock:
            at, known = self._applies.get(store, (0.0, []))
            if known and now - at < _FRESH:
                return known
            try:
                kept = ledger_store(watch.settings, store)
                entries = log(watch.settings, kept, limit=_APPLIES)
            except ReconcilerError:
                return known
            found = [_past_apply(entry) for entry in entries]
            self._applies[store] = now, found
            return found


def _past_apply(entry: LogEntry) -> PastApply:
    counts = counts_in(entry.summary)
    return PastApply(entry.time, *counts, entry.catalog_commit, entry.result)


def stamp_of(at: float) -> str:
    """A Unix time as the tool writes times."""
    from datetime import UTC, datetime

    return stamp(datetime.fromtimestamp(at, UTC))


def _health(trouble: str | None) -> Reply:
    if trouble is None:
        return Reply("ok\n")
    return Reply(f"{trouble}\n", status="503 Service Unavailable")


def _view(store: str, known: StoreState) -> StoreView:
    """What a page shows of one store."""
    seen = known.last
    if seen is None:
        return StoreView(store, drift_since=known.drift_since)
    trouble = seen.failed or seen.refused
    plan = seen.plan
    error, hint = (trouble.message, trouble.hint) if trouble else (None, None)
    if error is None and plan is not None and plan.refusals:
        error = " ".join(refusal.message for refusal in plan.refusals)
        hint = " ".join(f"{refusal.allow} allows it." for refusal in plan.refusals)
    return StoreView(
        store,
        _state(known),
        counts="" if plan is None else _counts_text(plan),
        error=error,
        hint=hint,
        drift_since=known.drift_since,
        succeeded=known.succeeded,
        commit=plan.catalog.commit if plan else None,
        has_plan=plan is not None,
        # Copied at once: the rounds append to it in another thread while the page is made.
        moments=tuple(known.points),
    )


def _counts_text(plan: Plan) -> str:
    """What is left to do, without the number of calls, which takes long to work out."""
    if not plan.changes:
        return summary_line(plan, {})
    return f"{counted(count_kinds(plan.changes))}; {', '.join(other_counts(plan))}."


def _state(known: StoreState) -> Condition:
    seen = known.last
    if seen is None:
        return "waiting"
    if seen.failed is not None:
        return "unreachable" if seen.failed.code == Code.UNREACHABLE else "failed"
    if seen.refused is not None or (seen.plan is not None and seen.plan.refusals):
        return "refused"
    if seen.drift:
        return "drifting"
    return "edited" if seen.plan is not None and seen.plan.changes else "well"
