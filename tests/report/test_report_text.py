"""A report as text and as JSON."""

import json
from dataclasses import replace

import pytest

from reconciler.codes import Code
from reconciler.model import Finding
from reconciler.planning.outcome import Fate, Outcome, Report
from reconciler.report.report_json import report_json
from reconciler.report.report_text import report_text
from tests.report.plans import HOSTILE

REPORT = Report(
    store="default",
    plan_digest="abc",
    started_at="2026-01-02T03:04:05Z",
    finished_at="2026-01-02T03:04:09Z",
    outcomes=(
        Outcome("create", "1", "x1", Fate.APPLIED),
        Outcome("create", "2", None, Fate.UNKNOWN, "no answer within 30 s"),
        Outcome("update", "3", "x3", Fate.APPLIED),
        Outcome("update", "4", "x4", Fate.FAILED, "HTTP 400: bad type"),
        Outcome("delete", "5", "x5", Fate.NOT_ATTEMPTED, "an earlier call failed"),
    ),
    requests={"GET": 2, "POST": 2, "PATCH": 2, "retries": 1},
    converged=False,
    warnings=(Finding("warning", Code.SERVER_KEEPS, "the server keeps A for a"),),
)

EXPECTED = """\
Failed:
  update 4: HTTP 400: bad type

Unknown, nobody can tell yet:
  create 2: no answer within 30 s
  The next run looks for it at the remote before it creates anything.

Not attempted:
  delete 5: an earlier call failed

1 warning:
  the server keeps A for a [server_keeps]

Applied 2 of 5 changes: 1 created, 1 updated; 1 failed, 1 not attempted, 1 unknown.
Not converged: the remote still differs from the catalogue. Run `reconciler plan` to see how.
Requests: 2 GET, 2 POST, 2 PATCH; 1 retry.
"""


def _done(**more: object) -> Report:
    """A report of one change that was applied."""
    values: dict[str, object] = {
        "outcomes": (Outcome("delete", "1", "x", Fate.APPLIED),),
        "converged": True,
    }
    return Report("default", "abc", "t", "t", **(values | more))  # type: ignore[arg-type]


def test_tells_what_failed_and_what_follows() -> None:
    """Failures, unknowns and what was not attempted come with why and what happens next."""
    assert report_text(REPORT) == EXPECTED


def test_success_is_short() -> None:
    """A complete apply is three lines."""
    assert report_text(_done(requests={"GET": 2, "DELETE": 1})) == (
        "Applied 1 of 1 change: 1 deleted.\n"
        "Converged: the remote equals the catalogue.\n"
        "Requests: 2 GET, 1 DELETE; 0 retries.\n"
    )


@pytest.mark.parametrize("unconfirmed", [0, 2])
def test_a_saved_plan_proves_no_more_than_itself(unconfirmed: int) -> None:
    """Without a second plan of the whole catalogue nothing is said of the other products (P6)."""
    text = report_text(_done(partial=True, unconfirmed=unconfirmed))
    assert "Converged: the remote is as planned" in text
    assert "What was not planned was not compared." in text
    assert "equals the catalogue" not in text


def test_an_unread_closing_list_is_told() -> None:
    """Not knowing whether the apply converged is not told as having converged."""
    assert "Not verified:" in report_text(_done(converged=None))


def test_nothing_to_apply() -> None:
    """An apply of an empty plan says that there was nothing to do."""
    assert report_text(_done(outcomes=())).startswith("Nothing was to be applied.\n")


def test_an_early_end_is_told() -> None:
    """What ended the apply, or that it was interrupted, stands before the counts."""
    text = report_text(_done(error="the key was refused", interrupted=True))
    assert text.startswith("The apply ended early: the key was refused\nThe apply was interrupted")


def test_many_of_one_reason_are_one_line() -> None:
    """An interrupted apply of thousands of changes names a few of them, and counts the others."""
    stopped = [Outcome("create", str(n), None, Fate.NOT_ATTEMPTED, "stopped") for n in range(2306)]
    text = report_text(_done(outcomes=(*stopped, *REPORT.outcomes), interrupted=True))
    assert "  create 0, create 1, create 2 and 2303 more: stopped\n" in text
    assert "  delete 5: an earlier call failed\n" in text
    assert len(text.splitlines()) < 25


@pytest.mark.parametrize("width", [60, 120])
def test_lines_break_between_words(width: int) -> None:
    """No line is wider than the terminal, and none ends within a word."""
    warning = Finding("warning", Code.SERVER_KEEPS, "lengthy words " * 30)
    text = report_text(replace(REPORT, warnings=(warning,)), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert text.split() == report_text(replace(REPORT, warnings=(warning,))).split()


def test_long_reasons_stand_below() -> None:
    """On a narrow screen the reason has a line of its own."""
    assert "  update 4:\n      HTTP 400: bad type\n" in report_text(REPORT, width=24)


def test_hostile_text_is_inert() -> None:
    """A store_id or an error of the server cannot act on the terminal or the pipeline."""
    hostile = (Outcome("create", HOSTILE, None, Fate.FAILED, HOSTILE),)
    text = report_text(_done(outcomes=hostile, error=HOSTILE))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_colour_is_asked_for() -> None:
    """Colour codes are there only where they were asked for."""
    assert "\x1b[31m" in report_text(REPORT, color=True)
    assert "\x1b" not in report_text(REPORT)


def test_json_is_as_documented() -> None:
    """The report has the keys of the interface, its summary counted from the outcomes."""
    document = json.loads(report_json(REPORT))
    assert document["outcomes"][3] == {
        "action": "update",
        "store_id": "4",
        "id": "x4",
        "outcome": "failed",
        "error": "HTTP 400: bad type",
    }
    del document["outcomes"]
    assert document == {
        "format": "reconciler.report/1",
        "store": "default",
        "plan_digest": "abc",
        "started_at": "2026-01-02T03:04:05Z",
        "finished_at": "2026-01-02T03:04:09Z",
        "summary": {"applied": 2, "failed": 1, "not_attempted": 1, "unknown": 1},
        "requests": {"GET": 2, "POST": 2, "PATCH": 2, "DELETE": 0, "retries": 1},
        "converged": False,
        "interrupted": False,
        "error": None,
        "warnings": [
            {"code": "server_keeps", "message": "the server keeps A for a", "source": None}
        ],
    }
