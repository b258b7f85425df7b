"""The shop's own guards: which plans a rule refuses, by what it is judged, and what allows it."""

from collections.abc import Sequence
from typing import Any

import pytest

from reconciler.errors import UsageError
from reconciler.linting.registry import Ruleset
from reconciler.linting.rule import Level
from reconciler.model import Ledger, Listing, Product, RemoteProduct, State
from reconciler.planning.plan import Plan
from reconciler.policy.guard_rule import check_allowed, guarded
from reconciler.settings.policy import PolicyEntry, named_rules
from tests.planning.making import declared, known, ledger, listed, planned, remote


def rules(*entries: dict[str, Any], levels: dict[str, Level] | None = None) -> Ruleset:
    """The rules that these entries of a policy make."""
    return Ruleset(named_rules([PolicyEntry.model_validate(entry) for entry in entries]), levels)


def judged(
    products: Sequence[Product],
    there: Sequence[RemoteProduct],
    *entries: dict[str, Any],
    allowed: Sequence[str] = (),
    memory: Ledger | None = None,
) -> list[tuple[str, str]]:
    """The code and the flag of each refusal."""
    memory = memory or Ledger()
    plan = planned(products, there, ledger=memory)
    done = guarded(plan, remote(*there), memory, rules(*entries), allowed)
    return [(refusal.code, refusal.allow) for refusal in done.refusals]


NEW = [declared("A"), declared("B"), declared("C", tags=["x"])]


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"plan": "create", "at_most": "2"}, "create-at-most"),
        ({"plan": "create", "at_most": "3"}, None),
        ({"plan": "create", "at_most": "0", "in": "tag=x"}, "create-at-most-in-tag-x"),
        ({"plan": "create", "at_most": "0", "in": ["tag=x", "A"]}, None),
        ({"plan": "create", "at_most": "1", "in": "!tag=x"}, "create-at-most-in-tag-x"),
        ({"plan": "create", "at_most": "0", "in": "file=catalog/*"}, "create-at-most-in-file-"),
        ({"plan": "delete", "at_most": "0"}, None),
    ],
)
def test_creates_are_counted(entry: dict[str, Any], name: str | None) -> None:
    """Above its number a rule refuses, with its own flag; `in` says which products count."""
    refusals = judged(NEW, [], entry)
    assert [code.startswith(name) for code, _ in refusals if name] == ([True] if name else [])
    assert [flag for _, flag in refusals] == [f"--allow {code}" for code, _ in refusals]
    assert judged(NEW, [], entry, allowed=[code for code, _ in refusals]) == []


def test_a_percentage_is_of_the_products_that_are_meant() -> None:
    """5 % of the best sellers, not of the shop; both what they were and what they become count."""
    there = [listed(f"p{n}", f"{n}", tags=["best"] if n < 20 else []) for n in range(200)]
    entry = {"plan": "update", "field": "name", "at_most": "5%", "in": "tag=best"}
    once = [declared(f"{n}", "New", tags=[]) for n in range(1)]
    twice = [declared(f"{n}", "New", tags=[]) for n in range(2)]
    others = [declared(f"{n}", "New") for n in range(20, 60)]
    assert judged([*once, *others], there, entry) == []
    ((code, _),) = judged([*twice, *others], there, entry)
    assert code == "update-name-at-most-in-tag-best"
    made = [declared(f"{n}", "New", tags=["best"]) for n in (1, 30)]
    assert len(judged(made, there, entry)) == 1
    assert judged([declared("1", tags=["new"])], there, entry) == []


def test_a_type_is_what_the_ledger_knows_or_what_is_sent() -> None:
    """The remote never tells it: known before, or declared now."""
    there, memory = [listed("p1", "A")], ledger({"p1": known("A", type=("top", State.CONFIRMED))})
    entry = {"plan": "update", "at_most": "0", "in": "type=top"}
    assert len(judged([declared("A", "New")], there, entry, memory=memory)) == 1
    assert len(judged([declared("A", type="dress")], there, entry, memory=memory)) == 1
    entry["in"] = "type=dress"
    assert len(judged([declared("A", type="dress")], there, entry, memory=memory)) == 1
    entry["in"] = "type=coat"
    assert judged([declared("A", type="dress")], there, entry, memory=memory) == []


def lists(record: dict[str, Any], plan: Plan) -> Listing:
    """A list in which the plan's deletes have this record."""

    class Records(Listing):
        def records(self, ids: Any) -> Any:
            return dict.fromkeys(ids, record)

    return Records(tuple(listed(str(c.id), c.store_id) for c in plan.changes))


@pytest.mark.parametrize(
    ("never", "record", "refused"),
    [
        ("size_chart", {"size_chart": {"M": {}}}, True),
        ("size_chart", {"size_chart": {}, "fabric": {"a": 1}}, False),
        ("fabric", {"fabric": {"a": 1}}, True),
        ("any", {"comment": "runs small"}, True),
        ("any", {}, False),
    ],
)
def test_deletes_that_destroy_are_refused_by_what_is_listed(
    never: str, record: dict[str, Any], refused: bool
) -> None:
    """The list counts, not the record in the plan: a saved plan may be old, or edited."""
    plan = planned([], [listed("p1", "A")])
    done = guarded(plan, lists(record, plan), Ledger(), rules({"plan": "delete", "never": never}))
    name = f"delete-never-{never.replace('_', '-')}"
    assert [refusal.code for refusal in done.refusals] == [name] * refused


def test_a_level_makes_a_guard_warn_or_rest() -> None:
    """A warning is told once, however often the plan is judged; one that is off says nothing."""
    plan = planned(NEW, [])
    entry = {"plan": "create", "at_most": "2", "level": "warning", "message": "Ask Anna."}
    warned = guarded(plan, Listing(()), Ledger(), rules(entry))
    again = guarded(warned, Listing(()), Ledger(), rules(entry))
    assert [w.code for w in again.warnings] == ["create-at-most"]
    assert again.refusals == ()
    assert again.warnings[0].message == (
        "Ask Anna. The plan would create 3 products (A, B, C); the rule create-at-most allows 2."
    )
    quiet = rules(entry, levels={"create-at-most": "off"})
    assert guarded(plan, Listing(()), Ledger(), quiet) == plan


def test_a_refusal_says_of_how_many_and_by_which_rule() -> None:
    """The numbers that decide, and the first few products."""
    there = [listed("p1", "A"), listed("p2", "B")]
    plan = planned([declared("A", "New")], there)
    entry = {"plan": "update", "field": "name", "at_most": "10%", "name": "names-stay"}
    (refusal,) = guarded(plan, remote(*there), Ledger(), rules(entry)).refusals
    assert refusal.message == (
        "The plan would change the name of 1 product (A) of 2; the rule names-stay allows 10%."
    )


def test_what_is_allowed_must_be_a_rule_about_plans() -> None:
    """A slip of the pen, or the name of another kind of rule, is told with what is known."""
    ruleset = rules({"plan": "create", "at_most": "2"}, {"field": "type", "one_of": ["x"]})
    check_allowed(["create-at-most"], [ruleset])
    with pytest.raises(UsageError, match="create-at-mots") as caught:
        check_allowed(["create-at-mots"], [ruleset])
    assert caught.value.hint == "Did you mean 'create-at-most'?"
    with pytest.raises(UsageError, match="type-one-of"):
        check_allowed(["type-one-of"], [ruleset])
    with pytest.raises(UsageError) as caught:
        check_allowed(["any"], [rules()])
    assert caught.value.hint == "There is none."
