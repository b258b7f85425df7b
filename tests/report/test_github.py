"""A plan as annotations of GitHub Actions, and its counts for GitLab."""

import json
import re
from dataclasses import replace
from urllib.parse import unquote

from hypothesis import given

from reconciler.codes import Code
from reconciler.model import Finding, Location
from reconciler.planning.plan import CatalogFacts, Delete, Plan, Refusal, Rehearsal
from reconciler.report.github import PER_LEVEL, annotation, plan_github
from reconciler.report.gitlab import plan_gitlab
from tests.report.plans import CONTEXT, PLANS, TEXTS, hostile_plan, long_plan, small_plan

_COMMAND = re.compile(r"::(error|warning|notice)( file=[^:,]*,line=\d+,col=\d+)?::(.*)")


def test_a_question_of_a_guard_ends_once() -> None:
    """A refusal that ends with a question is followed by its flag, not by a second full stop."""
    refusal = Refusal(Code.EMPTY_CATALOG, "No product. Is it the right folder?", "--allow-empty")
    text = plan_github(replace(small_plan(), refusals=(refusal,)), CONTEXT)
    assert "Is it the right folder? Allow it with --allow-empty." in text
    assert "?." not in text


def test_the_total_comes_first() -> None:
    """The total, the refusal, the deletes, the warnings and the changes follow in this order."""
    assert plan_github(small_plan(), CONTEXT).splitlines() == [
        "::notice::Plan: 1 to create, 1 to change, 1 to rename, 1 to delete; 20 unchanged, "
        "1 blocked, 2 unconfirmed. 1 from this branch, 1 both. 2 calls (1 PATCH, 1 POST).",
        "::error::Apply will refuse: 1 of 23 would be deleted. Allow it with --allow-deletes 1.",
        "::warning::1 to delete, 1 of them with data entered by hand: 999",
        "::warning file=catalog/tops.yaml,line=3,col=5::10482 has no type [create_without_type]",
        "::notice file=catalog/dresses.yaml,line=2,col=1::10400 would be renamed (store_id) [both]",
        "::notice file=catalog/coats.yaml,line=14,col=5::10391 would be changed "
        "(tags, type, image_url) [edit]",
        "::notice file=catalog/tops.yaml,line=3,col=5::10482 would be created",
        "- 77 is blocked: several remote products have this store_id [duplicate_remote]; "
        "remote ids: a, b",
    ]


def test_a_delete_that_loses_nothing_says_nothing_of_loss() -> None:
    """Data entered by hand is spoken of only where a product to be deleted has some."""
    deletes = (Delete("1", "a", None, {}, {"id": "a", "size_chart": {}, "comment": None}),)
    plan = Plan("default", CatalogFacts(0), 1, deletes)
    assert "::warning::1 to delete: 1" in plan_github(plan, CONTEXT).splitlines()


def test_stays_within_the_limits_and_loses_nothing() -> None:
    """At most ten annotations of a level are made; every other change is a line of the log."""
    warning = Finding("warning", Code.UNCONFIRMED, "w")
    refusal = Refusal(Code.TOO_MANY_DELETES, "r", "--x")
    plan = replace(long_plan(50), warnings=(warning,) * 30, refusals=(refusal,) * 12)
    text = plan_github(plan, replace(CONTEXT, rehearsal=Rehearsal(31, converges=True)))
    lines = text.splitlines()
    assert "Apply will refuse: r Allow it with --x." in lines
    for level in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{level}") for line in lines) == PER_LEVEL
    assert all(f"{kind}{n:06}" in text for kind in "cux" for n in range(50))
    assert text.count("[unconfirmed]") == 30
    assert text.count("Allow it with --x") == 12


@given(PLANS)
def test_any_plan_is_inert(plan: Plan) -> None:
    """Every line is a whole command of ours or begins with no command at all."""
    for line in plan_github(plan, CONTEXT).split("\n"):
        if line.lstrip().startswith("::"):
            assert _COMMAND.fullmatch(line)
        assert "##[" not in line


def test_hostile_names_are_inert() -> None:
    """A name that holds commands stays inside the line that mentions it."""
    lines = plan_github(hostile_plan(), CONTEXT).splitlines()
    assert len(lines) == 8
    assert not any(line.startswith("::set-output") for line in lines)


@given(TEXTS, TEXTS)
def test_an_annotation_is_one_command(message: str, file: str) -> None:
    """Any message and file make one command, whose parts decode to what is shown."""
    line = annotation("error", message, Location(file, 3, 4))
    found = _COMMAND.fullmatch(line)
    assert found is not None
    assert unquote(found[2]).endswith(",line=3,col=4")


def test_gitlab_counts() -> None:
    """GitLab's report is the three counts, a rename among the updates."""
    assert json.loads(plan_gitlab(small_plan())) == {"create": 1, "update": 2, "delete": 1}
