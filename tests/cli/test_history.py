"""`diff`, `log` and `ledger` on a working folder: what they refuse, and how they take damage."""

import json
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.invocation import Invocation
from reconciler.cli.main import run
from tests.cli.run import shop

COMMIT = (
    *("git", "-c", "user.name=Test", "-c", "user.email=test@shop.example"),
    *("commit", "--quiet", "--allow-empty", "-m", "Change"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one product, where commands run without a key."""
    monkeypatch.chdir(tmp_path)
    return shop(tmp_path, "Shirt")


def put_journal(folder: Path, name: str, *lines: object) -> None:
    """Write a journal of the store `default`."""
    path = folder / ".reconciler" / "journal" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def test_the_log_of_a_folder_is_its_journals(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Newest first: a run that was cut short, a whole one, and one whose journal is damaged."""
    header = {"format": "reconciler.journal/1", "store": "default", "summary": {"create": 1}}
    call = {"n": 1, "event": "call", "method": "POST"}
    ended = {"n": 1, "event": "result", "result": "ok"}
    put_journal(folder, "2026-01-01T000000000Z-default.jsonl", {"format": "else"})
    put_journal(folder, "2026-01-02T000000000Z-default.jsonl", header, call, ended)
    put_journal(folder, "2026-01-03T000000000Z-default.jsonl", header, call)
    put_journal(folder, "2026-01-04T000000000Z-the-default.jsonl", header, call)
    assert run(["log", "--format", "json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert [entry["result"] for entry in entries] == ["unfinished", "1 of 1 calls done", None]
    assert entries[1]["summary"] == "1 created, 0 updated, 0 deleted"
    assert "damaged" in entries[2]["summary"]
    assert run(["log", "--limit", "1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert run(["log", "--sandbox"]) == 0
    assert capsys.readouterr().out == "Nothing has been applied yet.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ledger"], "Which command? One of show, move"),
        (["ledger", "shwo"], "Did you mean 'show'?"),
        (["ledger", "move", "file", "file"], "they are the same"),
        (["ledger", "move", "file", "gti"], "Did you mean 'git'?"),
        (["ledger", "show", "9"], "The ledger does not know '9'"),
        (["diff"], "Missing argument 'REV[..REV]'"),
        (["diff", "HEAD"], "is in no git repository"),
    ],
)
def test_what_cannot_be_done_is_told(
    folder: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is exit 1 with a message and a hint, and an empty stdout."""
    assert run(arguments) == 1
    ended = capsys.readouterr()
    assert told in ended.err
    assert "hint: " in ended.err
    assert ended.out == ""


def test_a_folder_that_neither_revision_has(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelled catalogue folder is an error, not a diff without changes."""
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(COMMIT, cwd=folder, check=True)
    assert run(["diff", "HEAD..HEAD", "--catalog", "catlog"]) == 1
    assert "has files in the catalogue folder catlog" in capsys.readouterr().err
    assert run(["diff", "HEAD"]) == 0
    assert "1 to create" in capsys.readouterr().out


def test_an_unreadable_journal_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A journal that cannot be opened is told, and not left out."""
    put_journal(folder, "2026-01-01T000000000Z-default.jsonl")
    path = folder / ".reconciler" / "journal" / "2026-01-01T000000000Z-default.jsonl"
    path.unlink()
    path.mkdir()
    assert run(["log"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_warning_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """However many stores a run opens, it says one thing one time."""
    invocation = Invocation()
    invocation.warn_once("no_ledger", "Look.")
    invocation.warn_once("no_ledger", "Look again.")
    assert capsys.readouterr().err == "warning: Look.\n"
