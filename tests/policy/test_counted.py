"""Findings of rules in numbers."""

from dataclasses import replace

from reconciler.codes import Code
from reconciler.planning.hints import warning
from reconciler.planning.plan import CatalogFacts, Plan
from reconciler.watch.metrics import Meters


def test_rules_of_the_shop_are_counted_as_built_in_ones() -> None:
    """By their names; other warnings are no findings of a rule, and what is mended becomes 0."""
    codes = ["tags-one-of", "tags-one-of", Code.HTTP_IMAGE, Code.UNCONFIRMED]
    plan = Plan("s", CatalogFacts(0), 0, warnings=tuple(warning(c, "…") for c in codes))
    meters = Meters()
    for planned, expected in ((plan, 2.0), (replace(plan, warnings=()), 0.0)):
        meters.planned(planned, at=0.0)
        found = {
            sample.labels["rule"]: sample.value
            for metric in meters.registry.collect()
            for sample in metric.samples
            if sample.name == "reconciler_policy_findings"
        }
        assert found == {"tags-one-of": expected, "http-image": expected / 2}
