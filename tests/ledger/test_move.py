"""Opening the ledger that the settings name, and moving it."""

from pathlib import Path

import pytest

from reconciler.errors import LedgerError, Locked, SettingsError
from reconciler.ledger.file import FileLedger
from reconciler.ledger.git import GitLedger
from reconciler.ledger.open import move, open_ledger
from reconciler.ledger.stores import LedgerStore
from reconciler.model import Ledger
from tests.ledger.worlds import LEDGER, clone, elsewhere, git, me


@pytest.fixture
def folder(origin: Path, tmp_path: Path) -> Path:
    """A working folder that can keep its ledger in either way."""
    return clone(origin, tmp_path / "work")


def fill(store: LedgerStore, ledger: Ledger) -> None:
    """Write a ledger as an apply does."""
    with store.hold(timeout=0, holder=me()) as held:
        held.save(ledger, message="Apply", last=True)


def test_kinds(tmp_path: Path) -> None:
    """Each kind opens its own store, and opening one writes nothing."""
    assert isinstance(open_ledger("file", store="default", folder=tmp_path), FileLedger)
    assert isinstance(open_ledger("git", store="default", folder=tmp_path), GitLedger)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "store", ["", ".", "..", "a/b", "a..b", "a.", "-a", "a.lock", "a.removed", "a b", "é~"]
)
def test_bad_store_name(store: str, tmp_path: Path) -> None:
    """A store's name never leads out of its folder, nor makes a ref that git refuses."""
    with pytest.raises(SettingsError, match="cannot name a ledger"):
        open_ledger("file", store=store, folder=tmp_path)


@pytest.mark.parametrize("remote", ["", "--upload-pack=touch here"])
def test_bad_remote_name(remote: str, tmp_path: Path) -> None:
    """A remote's name is never taken for an option of git."""
    with pytest.raises(SettingsError, match="is not a name"):
        open_ledger("git", store="default", folder=tmp_path, remote=remote)


def test_there_and_back(folder: Path, origin: Path) -> None:
    """A ledger moves from file to git and back whole, and stands in one place at a time."""
    file = open_ledger("file", store="default", folder=folder)
    ref = open_ledger("git", store="default", folder=folder)
    fill(file, LEDGER)
    assert move(file, ref, holder=me()) == LEDGER
    assert (file.exists(), ref.exists()) == (False, True)
    assert ref.load() == LEDGER
    move(ref, file, holder=me())
    assert (file.exists(), ref.exists()) == (True, False)
    assert file.load() == LEDGER
    assert git(origin, "log", "--format=%s", "refs/reconciler/default").splitlines() == [
        "Move the ledger away to the file .reconciler/ledger/default.jsonl",
        "Move the ledger here from the file .reconciler/ledger/default.jsonl",
    ]


def test_move_again_after_a_crash(folder: Path) -> None:
    """A move that was cut off between its two halves can be done again."""
    file = open_ledger("file", store="default", folder=folder)
    ref = open_ledger("git", store="default", folder=folder)
    fill(file, LEDGER)
    fill(ref, LEDGER)
    move(file, ref, holder=me())
    assert (file.exists(), ref.exists()) == (False, True)


def test_target_has_another_ledger(folder: Path) -> None:
    """A move never overwrites what the target remembers."""
    file = open_ledger("file", store="default", folder=folder)
    ref = open_ledger("git", store="default", folder=folder)
    fill(file, LEDGER)
    fill(ref, Ledger(LEDGER.products))
    with pytest.raises(LedgerError, match="already holds another"):
        move(file, ref, holder=me())
    assert file.load() == LEDGER
    assert ref.load() == Ledger(LEDGER.products)


def test_nothing_to_move(folder: Path) -> None:
    """A move of nothing is an error that says to check the direction."""
    file = open_ledger("file", store="default", folder=folder)
    ref = open_ledger("git", store="default", folder=folder)
    with pytest.raises(LedgerError, match="no ledger to move"):
        move(file, ref, holder=me())


def test_move_waits_for_no_apply(folder: Path) -> None:
    """A ledger that an apply holds is not moved away under it."""
    file = open_ledger("file", store="default", folder=folder)
    ref = open_ledger("git", store="default", folder=folder)
    fill(file, LEDGER)
    with ref.hold(timeout=0, holder=elsewhere()) as held:
        held.save(Ledger(), message="In doubt")
        with pytest.raises(Locked, match="bob on build-7"):
            move(file, ref, holder=me())
    assert file.load() == LEDGER
