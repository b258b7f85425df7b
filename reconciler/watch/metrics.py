"""Meters: the stores in numbers, as Prometheus reads them.

prometheus_client keeps and prints them; it is imported when a Meters is made. No label holds a key
or a product's id.
"""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from reconciler.codes import Code
from reconciler.installed import import_extra

if TYPE_CHECKING:
    from reconciler.planning.outcome import Report
    from reconciler.planning.plan import Plan

_ACTIONS: Final = ("create", "update", "delete")
_ORIGINS: Final = ("edit", "drift", "both", "none")
_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
# Each meter by its name without the prefix: its kind, its help, and its labels after `store`.
_METERS: Final[Mapping[str, tuple[str, ...]]] = {
    "changes": (
        "Gauge",
        "Changes that apply would make now, by action and by origin: an edit of the catalogue, "
        "drift of the remote, both, or none if that is not known.",
        "action",
        "origin",
    ),
    "blocked": ("Gauge", "Products that are left untouched."),
    "unconfirmed": ("Gauge", "Declared products with values that are not confirmed."),
    "kept": ("Gauge", "Products for which the server keeps another value than was sent."),
    "products": ("Gauge", "Products: declared, or at the remote.", "side"),
    "drift_since_seconds": ("Gauge", "For how long the remote has drifted; 0 if it has not."),
    "last_success_timestamp_seconds": ("Gauge", "When a plan was last made, as Unix time."),
    "refused": ("Gauge", "Whether a guard refuses what apply would do now (1) or not (0)."),
    "errors": ("Counter", "Rounds in which a store could not be done, by error.", "code"),
    "plan_duration_seconds": ("Histogram", "How long a plan took."),
    "requests": (
        "Counter",
        "Calls to the API, by method and what came of it.",
        "method",
        "outcome",
    ),
    "apply_outcomes": ("Counter", "Changes that an apply was to make, by outcome.", "outcome"),
    "policy_findings": ("Gauge", "Findings of a rule in the last plan.", "rule"),
}


class Meters:
    """The meters of a run; a store has series from when it is first planned until `forget`.

    Raises MissingExtra without prometheus_client.
    """

    def __init__(self) -> None:
        client = _prometheus()
        # The library's global registry refuses a second Meters in the same process.
        self.registry = client.CollectorRegistry()
        self._meters = {
            name: getattr(client, kind)(
                f"reconciler_{name}",
                words,
                ("store", *labels),
                registry=self.registry,
                **({"buckets": _SECONDS} if kind == "Histogram" else {}),
            )
            for name, (kind, words, *labels) in _METERS.items()
        }
        # The rules by store that have ever found something.
        self._rules: dict[str, set[str]] = {}

    def planned(self, plan: "Plan", *, at: float, seconds: float | None = None) -> None:
        """Note a plan that was made `at` a Unix time in so many `seconds`."""
        store = plan.store
        counts = Counter((change.action, change.origin or "none") for change in plan.changes)
        # Zeros too: a series that is only there at times breaks sums and alerts.
        for action in _ACTIONS:
            for origin in _ORIGINS:
                self._of("changes", store, action, origin).set(counts[action, origin])
        self._of("blocked", store).set(len(plan.blocked))
        self._of("unconfirmed", store).set(plan.unconfirmed)
        self._of("kept", store).set(plan.kept)
        self._of("products", store, "declared").set(plan.catalog.products)
        self._of("products", store, "remote").set(plan.remote_products)
        self._of("refused", store).set(bool(plan.refusals))
        self._of("last_success_timestamp_seconds", store).set(at)
        if seconds is not None:
            self._of("plan_duration_seconds", store).observe(seconds)
        self._found(plan)

    def drifted(self, store: str, seconds: float) -> None:
        """Note for how long the remote of a store has drifted."""
        self._of("drift_since_seconds", store).set(seconds)

    def failed(self, store: str, code: str) -> None:
        """Count an error that kept a store from being planned or applied."""
        self._of("errors", store, code).inc()

    def called(self, store: str, outcomes: Mapping[tuple[str, str], int]) -> None:
        """Add the calls of one client, by method and outcome."""
        for (method, outcome), count in outcomes.items():
            self._of("requests", store, method, outcome).inc(count)

    def applied(self, report: "Report") -> None:
        """Add the outcomes of an apply."""
        for outcome, count in report.summary._asdict().items():
            self._of("apply_outcomes", report.store, outcome).inc(count)

    def forget(self, store: str) -> None:
        """Drop all series of a store that is not watched any more."""
        for meter in self._meters.values():
            meter.remove_by_labels({"store": store})
        self._rules.pop(store, None)

    def text(self) -> str:
        """Everything, in the text format of Prometheus."""
        text: str = _prometheus().generate_latest(self.registry).decode()
        return text

    def _of(self, name: str, *labels: str) -> Any:
        """One series: that of the store, which is the first label."""
        return self._meters[name].labels(*labels)

    def _found(self, plan: "Plan") -> None:
        """Count the findings of each rule; one that finds nothing any more is 0, not gone."""
        from reconciler.policy.registry import RULES

        rules = {rule.code: rule.id for rule in RULES}
        others = {*Code} - rules.keys()
        # What is no code of this tool is the name of a rule of the shop.
        found = Counter(rules.get(w.code, w.code) for w in plan.warnings if w.code not in others)
        known = self._rules.setdefault(plan.store, set())
        known.update(found)
        for rule in known:
            self._of("policy_findings", plan.store, rule).set(found[rule])


def _prometheus() -> Any:
    client = import_extra("prometheus_client", "watch", needs="Metrics need")
    # Else each counter has a twin that says when it was made.
    client.disable_created_metrics()
    return client
