"""What breaks the policy at the remote: judged by what is known there, whatever is declared."""

from typing import Any

import pytest

from reconciler.linting.registry import Ruleset
from reconciler.model import State
from reconciler.planning.diff import diff
from reconciler.planning.ignore import Ignore
from reconciler.planning.overview import Problem, overview
from reconciler.policy.at_remote import breaking
from reconciler.settings.policy import PolicyEntry, named_rules
from tests.planning.making import catalog, declared, known, ledger, listed, remote


@pytest.mark.parametrize(
    ("entry", "ids"),
    [
        ({"field": "tags", "one_of": ["women"]}, {"p1"}),
        ({"field": "name", "pattern": "[A-Z].*"}, {"p2"}),
        ({"field": "name", "pattern": "[A-Z].*", "in": "file=catalog/b*"}, {"p2"}),
        ({"field": "name", "pattern": "[A-Z].*", "in": "x-owner=anna"}, set()),
        ({"field": "type", "one_of": ["top"]}, {"p3"}),
        ({"require": ["type", "name", "x-owner"]}, {"p4"}),
        ({"field": "tags", "one_of": ["women"], "level": "off"}, set()),
    ],
)
def test_remote_products_are_judged_like_declared_ones(
    entry: dict[str, Any], ids: set[str]
) -> None:
    """By their values in the list, by the ledger for the rest; what is not known is not judged."""
    there = remote(
        listed("p1", "A", tags=["men", "rs-1"]),
        listed("p2", "B", "shirt", tags=["rs-1"]),
        listed("p3", "C"),
        listed("p4", "D", None),
        listed("p5", "gift-1", "gift", tags=["men"]),
    )
    memory = ledger({"p3": known("C", type=("dress", State.CONFIRMED))})
    products = catalog(declared("B", file="catalog/b.yaml"))
    ruleset = Ruleset(named_rules([PolicyEntry.model_validate(entry)]))
    ignore = Ignore(["rs-*"], ["gift-*"])
    found = breaking(there, memory, products, ruleset, ignore)
    assert found == ids
    seen = overview("default", there, diff(products, there, memory), found)
    assert [row.id for row in seen.problems[Problem.BREAKS_POLICY]] == sorted(ids)


def test_without_rules_nothing_is_looked_at() -> None:
    """A shop without a policy has nothing that breaks it."""
    assert breaking(remote(), ledger(), catalog(), Ruleset(()), Ignore()) == frozenset()
