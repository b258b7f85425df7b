"""The journals of a store: which ones stay."""

from pathlib import Path

import pytest

from reconciler.applying.journal import FileJournal
from reconciler.clock import stamp
from tests.ledger.worlds import QuickClock


def begin(folder: Path, clock: QuickClock, keep: int) -> Path:
    """The journal of an apply that began a minute after the last one."""
    clock.time += 60
    with FileJournal(folder, "default", clock, {}, keep) as journal:
        return journal.path


def test_the_oldest_journals_go(tmp_path: Path) -> None:
    """Of a store's journals the newest ones stay; those of other stores do not count."""
    clock = QuickClock()
    (tmp_path / "1969-12-31T000000000Z-the-default.jsonl").touch()
    paths = [begin(tmp_path, clock, 3) for _ in range(5)]
    assert sorted(tmp_path.glob("*Z-default.jsonl")) == paths[2:]
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("keep", [1, 3])
def test_journals_dated_in_the_future(keep: int, tmp_path: Path) -> None:
    """An apply keeps its own journal, and prefers none that is dated in the future (P3)."""
    for day in range(1, 6):
        (tmp_path / f"2999-01-0{day}T000000000Z-default.jsonl").touch()
    clock = QuickClock()
    own = begin(tmp_path, clock, keep)
    assert stamp(clock.utc()).replace(":", "").replace(".", "") in own.name
    left = ["2999-01-04T000000000Z-default.jsonl", "2999-01-05T000000000Z-default.jsonl"]
    assert {path.name for path in tmp_path.iterdir()} == {own.name, *left[: keep - 1]}
    later = [begin(tmp_path, clock, keep) for _ in range(2)]
    assert set(tmp_path.iterdir()) == set([own, *later][-keep:])
