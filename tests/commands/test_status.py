"""`status`: the remote counted by status and problem, with and without a catalogue."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.model import Listing
from reconciler.planning.overview import Overview, Problem, Row, overview
from reconciler.report.overview_text import overview_text
from reconciler.sandbox.server import Sandbox
from tests.cli.run import shop
from tests.model.making import listed

from .here import Here

KEY = "hush-hush-key"
WHOLE = {"image_md": "https://m.test/1", "size_chart": {"M": 1}, "fabric": {"linen": 100}}


@pytest.fixture
def remote(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A remote with one product of each kind, and a catalogue of three."""
    shop(folder, "Shirt", "Coat", "Hat")
    with Sandbox(api_key=KEY) as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", KEY)
        sandbox.store.seed(
            [
                {"store_id": "0001", "name": "Shirt", **WHOLE, "image_url": "https://m.test/1"},
                {"store_id": "0002", "name": "Old [red]coat[/red] \x1b", "status": "draft"},
                {"store_id": "x", "name": "Stranger", "status": "active"},
                {"store_id": "x2", "name": "Twin"},
                {"store_id": "x2", "name": "Twin"},
            ]
        )
        yield sandbox


def test_counts(remote: Sandbox, here: Here) -> None:
    """Every status and every problem is counted, and nothing is written."""
    done = here("status", "--format", "json")
    assert (done.code, done.err) == (0, "")
    seen = json.loads(done.out)
    assert seen["format"] == "reconciler.status/1"
    assert seen["remote"] == {"products": 5}
    assert seen["catalog"] == {"products": 3, "missing": 1}
    assert seen["statuses"] == {"active": 4, "draft": 1}
    assert seen["problems"] == {
        "no_image": 4,
        "no_size_chart": 4,
        "no_fabric": 4,
        "not_active": 1,
        "not_declared": 1,
        "unconfirmed": 2,
        "drifted": 1,
        "blocked": 2,
        "breaks_policy": 0,
    }
    assert {call.method for call in remote.store.calls()} == {"GET"}


@pytest.mark.parametrize("problem", ["drifted", "not_active", "not-active"])
def test_lists_a_problem(problem: str, remote: Sandbox, here: Here) -> None:
    """The products with a problem are lines for a pipe, escaped, and rows of the JSON."""
    done = here("status", "--list", problem)
    header, row = done.out.splitlines()
    assert header == "store_id\tname\tstatus\tid\timage_md"
    assert row.startswith("0002\tOld [red]coat[/red] \\x1b\tdraft\t")
    listed = json.loads(here("status", "--list", problem, "--format", "json").out)
    assert [product["store_id"] for product in listed["products"]] == ["0002"]


def test_without_a_catalogue(remote: Sandbox, here: Here) -> None:
    """Where there is no catalogue the remote is counted, and nothing is called undeclared."""
    seen = json.loads(here("status", "--catalog", "none", "--format", "json").out)
    assert seen["catalog"] is None
    assert "not_declared" not in seen["problems"]
    assert seen["problems"]["no_image"] == 4
    assert "no catalogue" in here("status", "--catalog", "none").out
    assert here("status", "--catalog", "none", "--list", "drifted").code == 1


def test_a_faulty_catalogue_is_told(folder: Path, remote: Sandbox, here: Here) -> None:
    """A catalogue with errors is exit 1 with the places, not a wrong count."""
    (folder / "catalog" / "x.yaml").write_text("nmae: x\n", encoding="utf-8")
    done = here("status")
    assert (done.code, done.out) == (1, "")
    assert "catalog/x.yaml:1:1" in done.err


def test_an_unknown_problem_is_a_usage_error(folder: Path, here: Here) -> None:
    """A misspelled problem is told with the nearest one."""
    done = here("status", "--list", "no-imgae")
    assert done.code == 1
    assert "Did you mean 'no-image'?" in done.err


SEEN = Overview(
    "default",
    1,
    {"active": 1},
    {Problem.NO_IMAGE: (Row("1", "a", "[bold]x\x1b", "active", None),)},
)


@pytest.mark.parametrize("ascii", [False, True])
def test_a_terminal_has_tables(ascii: bool) -> None:
    """On a terminal the numbers are tables; markup and control characters in names are text."""
    text = overview_text(SEEN, width=60, ascii=ascii)
    assert "Store default: 1 product at the remote" in text
    assert text.isascii() is ascii
    assert "[bold]x\\x1b" in overview_text(SEEN, Problem.NO_IMAGE, width=100, color=True)


def test_a_listing_made_by_hand_is_counted() -> None:
    """A listing without pages has records too, of what is known."""
    remote = Listing((listed("a", "1", None, None),))
    seen = overview("default", remote, None)
    assert seen.statuses == {"none": 1}
    assert len(seen.problems[Problem.NOT_ACTIVE]) == 1
