"""A plan as text."""

import re
from dataclasses import replace

import pytest
from hypothesis import given

from reconciler.codes import Code
from reconciler.model import Location
from reconciler.planning.plan import (
    Blocked,
    CatalogFacts,
    Create,
    FieldChange,
    Plan,
    Refusal,
    Update,
)
from reconciler.report.text import plan_text
from tests.report.plans import PLANS, hostile_plan, long_plan, seen, small_plan

EXPECTED = """\
+ 10482  Linen shirt  catalog/tops.yaml:3
    tags       + linen  + summer
    image_url  https://cdn.shop/10482.jpg
~ 10391  Wool coat  catalog/coats.yaml:14  [edit]
    tags       + winter  - autumn
    type       dress → top
    image_url  in doubt → https://cdn.shop/2.jpg
» 10400  Green dress  catalog/dresses.yaml:2  [both]
    store_id   9001 → 10400
- 999  Old hat
    destroys   size_chart {"M": {"head": 58}}
               comment "runs small"

Legend:  + create  ~ change  » rename  - delete

In doubt: the value was sent once and the answer never seen, so it is sent
again.

edit: this branch made the change; both: this branch and the remote each changed
it.

Blocked, left untouched:
  77  several remote products have this store_id [duplicate_remote]; remote ids:
    a, b

1 warning:
  catalog/tops.yaml:3:5: 10482 has no type [create_without_type]

Apply will refuse this plan:
  1 of 23 would be deleted. [too_many_deletes]
    To allow it: --allow-deletes 1

Plan: 1 to create, 1 to change, 1 to rename, 1 to delete; 20 unchanged, 1
blocked, 2 unconfirmed. 1 from this branch, 1 both. 6 calls.
"""

LONG_REFUSAL = Refusal(Code.TOO_MANY_DELETES, "far too many " * 20, "--allow-deletes 9")


def _update(**fields: FieldChange) -> Plan:
    """A plan of one update."""
    update = Update("1", "a", "Coat", fields, seen("a", "1"))
    return Plan("default", CatalogFacts(1), 1, (update,))


def test_reads_like_a_review() -> None:
    """Every kind of change, the blocks, the warnings, the refusals and the sum, at 80 columns."""
    assert plan_text(small_plan(), 6, width=80) == EXPECTED


@pytest.mark.parametrize("width", [60, 120])
def test_sentences_break_between_words(width: int) -> None:
    """Blocks, warnings, refusals and the sum fit the terminal, each word whole."""
    plan = replace(small_plan(), changes=(), refusals=(LONG_REFUSAL,))
    text = plan_text(plan, 6, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert text.split() == plan_text(plan, 6).split()


def test_a_summary_counts_the_products() -> None:
    """In brief each kind is one line with its number and what it is about."""
    text = plan_text(small_plan(), 6, width=80, summary=True)
    assert text.startswith(
        "+ 1 to create\n~ 1 to change  1 tags, 1 image_url, 1 type\n» 1 to rename\n"
        "- 1 to delete  1 with data entered by hand\n"
    )
    assert "10482  Linen shirt" not in text


def test_undeclared_products_that_stay_are_counted() -> None:
    """What no file declares and nothing deletes is part of the sum."""
    plan = Plan("default", CatalogFacts(1), 13, unchanged=1, undeclared=12)
    assert plan_text(plan) == "Nothing to change: 1 product matches, 12 undeclared and left.\n"


def test_an_empty_plan_says_so() -> None:
    """Nothing to change is one sentence with the number of products."""
    plan = Plan("default", CatalogFacts(24), 24, unchanged=24)
    assert plan_text(plan) == "Nothing to change: 24 products match.\n"
    one = Plan("default", CatalogFacts(1), 1, unchanged=1)
    assert plan_text(one) == "Nothing to change: 1 product matches.\n"


def test_an_empty_plan_still_tells_of_blocks() -> None:
    """What is blocked is told also where nothing is to change."""
    blocked = (Blocked(None, ("a",), Code.MISSING_STORE_ID), Blocked("x", (), Code.MISSING_ID))
    text = plan_text(Plan("default", CatalogFacts(3), 4, blocked=blocked, unchanged=2))
    assert "(no store_id)  the remote product has no store_id [missing_store_id]" in text
    assert text.endswith("Nothing to change: 2 products match, 2 blocked.\n")


def test_calls_are_told_by_method() -> None:
    """Where the methods are known, the calls are counted by them."""
    assert "6 calls (5 PATCH, 1 POST).\n" in plan_text(small_plan(), {"POST": 1, "PATCH": 5})
    assert "1 call.\n" in plan_text(small_plan(), {"POST": 1})


def test_a_pipe_gets_no_codes() -> None:
    """Without colour there is no control character but the line break."""
    text = plan_text(hostile_plan(), 2, color=False)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_colour_changes_nothing_but_colour() -> None:
    """The coloured text is the plain one with colour codes in it."""
    plain = plan_text(small_plan(), 6, width=80)
    colored = plan_text(small_plan(), 6, width=80, color=True)
    assert "\x1b[32m+ 10482  Linen shirt\x1b[0m" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain


def test_ascii_symbols() -> None:
    """With `ascii` a plan of ASCII values is ASCII throughout."""
    text = plan_text(small_plan(), 6, ascii=True)
    assert text.isascii()
    assert "> 10400  Green dress" in text
    assert "type       dress -> top" in text


def test_hostile_names_are_inert() -> None:
    """No name begins a line of its own, moves the cursor or commands a pipeline."""
    text = plan_text(hostile_plan(), 2)
    assert "##[" not in text
    assert "##vso[" not in text
    assert "\u202e" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert r"\x1b[31m" in text


@given(PLANS)
def test_any_plan_has_a_text(plan: Plan) -> None:
    """No plan makes it fail, and no line break comes from a value."""
    text = plan_text(plan, 1, width=40)
    assert text.splitlines() == text.split("\n")[:-1]


def test_long_values_are_shown_whole() -> None:
    """A value too long for the line stands on the next one, unshortened."""
    old, new = "https://a.example/" + "o" * 100, "https://a.example/" + "n" * 100
    lines = plan_text(_update(image_url=FieldChange(old, new, True)), width=80).splitlines()
    assert lines[1] == f"    image_url  {old}"
    assert lines[2] == f"             → {new}"


def test_many_tags_are_broken_between_tags() -> None:
    """Tags fill lines of the given width, each whole and each shown."""
    tags = tuple(f"tag-{n:03}" for n in range(40))
    text = plan_text(_update(tags=FieldChange((), tags)), width=80)
    assert all(f"+ {tag}" in text for tag in tags)
    assert all(len(line) <= 80 for line in text.splitlines())


def test_wide_characters_count_twice() -> None:
    """A heading in wide characters is broken before it leaves the screen."""
    create = Create("1", "コ" * 30, {}, Location("catalog/a.yaml", 1, 1))
    lines = plan_text(Plan("d", CatalogFacts(1), 0, (create,)), width=70).splitlines()
    assert lines[1] == "    catalog/a.yaml:1"


@pytest.mark.parametrize(
    ("field", "shows"),
    [
        (FieldChange("Coat ", "Coat"), '"Coat " → Coat'),
        (FieldChange("a", ""), 'a → ""'),
        (FieldChange(None, "a"), "nothing → a"),
        (FieldChange("a", None), "a → nothing"),
        (FieldChange("nothing", "unknown"), '"nothing" → "unknown"'),
        (FieldChange(None, "a", True), "unknown → a"),
        (FieldChange("Cafe\u0301", "Café"), r'"Cafe\u0301" → "Caf\xe9"'),
        (FieldChange("a\u00a0b", "a b"), r'"a\xa0b" → "a b"'),
    ],
)
def test_differences_can_be_seen(field: FieldChange, shows: str) -> None:
    """Padding, emptiness, absence and look-alikes are told apart on the screen."""
    assert f"name       {shows}\n" in plan_text(_update(name=field))


def test_a_place_cannot_command_a_pipeline() -> None:
    """A file whose name is a workflow command does not begin a line with it."""
    create = Create("1" * 100, "x", {}, Location("::error::x.yaml", 1, 1))
    text = plan_text(Plan("d", CatalogFacts(1), 0, (create,)))
    assert "    ./::error::x.yaml:1\n" in text


def test_tags_without_a_difference() -> None:
    """A create without tags, and tags that are cleared from nothing, say that there are none."""
    assert "tags       (no tags)" in plan_text(_update(tags=FieldChange(None, ())))


def test_marks_take_no_room() -> None:
    """Combining marks do not push the place off a line on which it fits."""
    create = Create("1", "e\u0301" * 30, {}, Location("catalog/a.yaml", 1, 1))
    lines = plan_text(Plan("d", CatalogFacts(1), 0, (create,)), width=60).splitlines()
    assert lines[0].endswith("  catalog/a.yaml:1")


def test_a_long_plan_has_every_product() -> None:
    """Thousands of changes are all there."""
    text = plan_text(long_plan(2000), 1)
    assert sum(line.startswith(("+ ", "~ ", "- ")) for line in text.splitlines()) == 6000
