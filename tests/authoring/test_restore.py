"""`reconciler restore`: what deletes removed comes back into the files, and what cannot is told."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import run
from reconciler.ledger.file import FileLedger
from reconciler.ledger.holder import Holder
from reconciler.model import Ledger, Removed
from reconciler.sandbox.server import Sandbox
from tests.cli.run import Ended

KEY = "hush-hush-key"
URL = "https://cdn.shop/9.jpg"
DECLARED = """\
products:
  - {store_id: "1", name: Shirt, tags: []}
  - {store_id: "22", name: Parka, tags: [], renamed_from: "2"}
"""


class Here:
    """Runs commands in this process and keeps what they wrote."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ended:
        """Run one command."""
        code = run(arguments)
        return Ended(code, *self._capsys.readouterr())


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Here:
    """Commands of this process."""
    return Here(capsys)


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a catalogue of two products, where no key is set."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "all.yaml").write_text(DECLARED, encoding="utf-8")
    return folder


def gone(id: str, store_id: str, /, written: Any = (), **record: Any) -> Removed:
    """A product that was removed; ids are in the order of the deletes."""
    whole = {"id": id, "store_id": store_id, "name": "Scarf", "tags": [], "handle": "scarf"}
    return Removed(id, store_id, f"2099-01-0{id[-1]}T00:00:00.000Z", whole | record, dict(written))


def archive(catalog: Path, removed: Sequence[Removed], ledger: Ledger | None = None) -> None:
    """Let an apply have removed these products."""
    store = FileLedger(catalog.parent, store="default")
    with store.hold(timeout=0, holder=Holder.here()) as held:
        held.save(ledger or Ledger(), message="Apply", last=True, removed=removed)


def files(catalog: Path) -> dict[str, str]:
    """The text of every file of a catalogue but the first."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(catalog.iterdir())
        if path.name != "all.yaml"
    }


SCARF = gone(
    "a1",
    "009",
    {"type": "scarf", "image_url": URL},
    tags=[{"name": "wool"}, {"name": "blue"}],
    size_chart={"S": 1},
    fabric={},
    fit_toughness=5,
    status="active",
)


def test_what_was_removed_comes_back(catalog: Path, here: Here) -> None:
    """The diff alone writes nothing; --write gives the product back, with type and image_url."""
    archive(catalog, [SCARF])
    done = here("restore")
    assert done.code == 0
    lines = ['store_id: "009"', "name: Scarf", "tags: [blue, wool]", f"image_url: {URL}"]
    added = [line[1:] for line in done.out.splitlines() if line[:1] == "+" and line[:2] != "++"]
    assert added == [*lines, "type: scarf"]
    assert "Nothing was written; --write does it." in done.err
    assert files(catalog) == {}
    done = here("restore", "--write")
    assert (done.code, done.out) == (0, "Products: 1 restored, in 1 file.\n")
    assert files(catalog) == {"scarf.yaml": "\n".join([*lines, "type: scarf", ""])}
    assert here("fmt", "--check", "catalog/scarf.yaml").code == 0
    done = here("restore", "--write")
    assert (done.code, done.out) == (0, "There is nothing to restore.\n")
    assert "009 is declared again at catalog/scarf.yaml:1:1: left as it is." in done.err


def test_what_cannot_come_back_is_told(catalog: Path, here: Here) -> None:
    """Hand-entered data and the old id are named per product, and what the ledger did not know."""
    archive(catalog, [SCARF, gone("b2", "8", {"type": "hat"})])
    told = here("restore").err.splitlines()
    assert told[:2] == [
        "warning: 009 comes back under a new id; it was a1. Not with it: size_chart, "
        "fit_toughness. Enter that again at Robosize.",
        "warning: 8 comes back under a new id; it was b2. Not known: image_url. "
        "Declare what it had.",
    ]


def test_only_what_is_asked_for(catalog: Path, here: Here) -> None:
    """Products are named by store_id or by remote id; of one store_id the newest delete counts."""
    removed = [gone("a1", "7", name="Old"), gone("b2", "8"), gone("c3", "7", name="New")]
    archive(catalog, removed)
    assert here("restore", "7", "--write").code == 0
    assert files(catalog)["scarf.yaml"].splitlines()[1] == "name: New"
    (catalog / "scarf.yaml").unlink()
    assert here("restore", "b2", "8", "a1", "--write").code == 0
    texts = [text.splitlines()[:2] for text in files(catalog).values()]
    assert texts == [["store_id: 7", "name: Old"], ["store_id: 8", "name: Scarf"]]


def test_an_unknown_store_id(catalog: Path, here: Here) -> None:
    """A product that was not removed is an error with the nearest one, and nothing is written."""
    archive(catalog, [gone("a1", "scarf-red"), gone("b2", "8")])
    done = here("restore", "8", "scarf-rde", "--write")
    assert (done.code, done.out) == (1, "")
    assert "No delete of 'scarf-rde' is known." in done.err
    assert "Did you mean 'scarf-red'?" in done.err
    assert "reconciler show" in here("restore", "zzz").err
    assert files(catalog) == {}


def test_what_is_declared_is_left(catalog: Path, here: Here) -> None:
    """A store_id that is declared, or that a declared product was renamed from, is left alone."""
    archive(catalog, [gone("a1", "1"), gone("b2", "2"), gone("c3", "3")])
    done = here("restore", "--write")
    assert done.code == 0
    assert list(files(catalog)) == ["scarf.yaml"]
    assert "1 is declared again at catalog/all.yaml:2:6: left as it is." in done.err
    assert "2 was renamed at catalog/all.yaml:3:6: left as it is." in done.err
    assert here("validate").code == 0


def test_what_no_catalogue_can_hold(catalog: Path, here: Here) -> None:
    """A product without a name is left out with the remedy, and an odd tag costs only the tags."""
    archive(catalog, [gone("a1", "7", name=None), gone("b2", "8", tags=[{"name": ""}])])
    done = here("restore", "--write")
    assert "The removed name of '7' is missing" in done.err
    assert "Declare it by hand." in done.err
    assert "the field tags is left out" in done.err
    assert files(catalog) == {"scarf.yaml": "store_id: 8\nname: Scarf\n"}


def test_much_is_told_of_a_few(catalog: Path, here: Here) -> None:
    """Of a mass delete the first losses are told, and how many more there are."""
    archive(
        catalog, [gone("a1", str(number))._replace(id=f"i{number}") for number in range(100, 130)]
    )
    told = here("restore", "--write").err.splitlines()
    assert len(told) == 21
    assert told[-1] == "warning: And 10 more like these."
    assert len(files(catalog)) == 30


def test_without_any_delete(catalog: Path, here: Here) -> None:
    """Where nothing was removed there is nothing to restore, which is no error."""
    done = here("restore", "--write")
    assert (done.code, done.out) == (0, "There is nothing to restore.\n")
    assert here("show", "--store", "default").out == "0 products removed.\n"
    bare = here("show")
    assert (bare.code, bare.out) == (1, "")
    assert "Missing argument 'PLANFILE'. (No delete is known in the file" in bare.err


def test_the_folder_of_an_empty_catalogue(catalog: Path, here: Here) -> None:
    """The last product comes back though git has kept no folder for it."""
    archive(catalog, [gone("a1", "7")])
    (catalog / "all.yaml").unlink()
    catalog.rmdir()
    assert here("restore", "--write").code == 0
    assert list(files(catalog)) == ["scarf.yaml"]


def test_a_damaged_archive_is_told(catalog: Path, here: Here) -> None:
    """A damaged archive is an error with file, line and remedy, never an empty one."""
    archive(catalog, [SCARF])
    store = FileLedger(catalog.parent, store="default")
    store.archive_path.write_bytes(store.archive_path.read_bytes()[:-9])
    for command in ("restore", "show"):
        done = here(command)
        assert (done.code, done.out) == (1, "")
        assert ".reconciler/ledger/default.removed.jsonl, line 3: cut off" in done.err
        assert "hint: Restore the file from a backup" in done.err


def test_from_a_journal(
    catalog: Path, here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an apply deleted comes back from its journal, and the next apply creates it again."""
    with Sandbox(api_key=KEY) as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", KEY)
        sandbox.store.seed(
            [{"store_id": "9", "name": "Scarf", "tags": ["wool"], "fabric": {"a": 1}}]
        )
        assert here("apply", "--yes").code == 0
        journal = str(next((tmp_path / ".reconciler" / "journal").iterdir()))
        assert sandbox.store.row("9") is None
        done = here("restore", "9", "--from", journal)
        assert "Not with it: fabric, fit_toughness." in done.err
        assert "Not known: image_url and type." in done.err
        assert here("restore", "--from", journal, "--write").code == 0
        assert files(catalog) == {"scarf.yaml": "store_id: 9\nname: Scarf\ntags: [wool]\n"}
        assert here("apply", "--yes").code == 0
        row = sandbox.store.row("9")
        assert row is not None
        assert row.value("tags") == ("wool",)


@pytest.mark.parametrize(
    ("result", "count"),
    [("ok", 1), (None, 1), ("unreachable: no answer", 1), ("rejected: no", 0), ("not sent", 0)],
)
def test_a_journal_tells_what_became_of_a_delete(
    result: str | None, count: int, catalog: Path, here: Here, tmp_path: Path
) -> None:
    """A delete that surely removed nothing is not restored; one that may have is."""
    lines: list[dict[str, Any]] = [
        {"format": "reconciler.journal/1", "store": "default"},
        {
            **{"n": 1, "event": "call", "method": "DELETE", "at": "2026-01-01T00:00:00.000Z"},
            **{"ids": ["a1"], "store_ids": ["9"], "record": {"name": "Scarf"}},
        },
        {"n": 2, "event": "call", "method": "DELETE", "ids": [], "store_ids": [], "record": {}},
        {"n": 3, "event": "call", "method": "PATCH", "ids": ["b"], "store_ids": ["1"]},
    ]
    if result:
        lines.append({"n": 1, "event": "result", "result": result})
    path = tmp_path / "journal.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    assert here("restore", "--from", str(path), "--write").code == 0
    assert len(files(catalog)) == count


def test_no_journal(catalog: Path, here: Here) -> None:
    """A file that is no journal, or is not there, is an error."""
    assert "cannot be read" in here("restore", "--from", "nowhere").err
    done = here("restore", "--from", "catalog/all.yaml")
    assert (done.code, done.out) == (1, "")
    assert "journal cannot be read" in done.err


# What `show` and `ledger show` tell -----------------------------------------------------------


def test_show_lists_what_was_removed(catalog: Path, here: Here) -> None:
    """`show` without a file tells when each product was removed, and all that was known of it."""
    archive(catalog, [SCARF, gone("b2", "8")])
    lines = here("show").out.splitlines()
    assert lines[0] == "009  a1  removed 2099-01-01T00:00:00.000Z"
    assert '    size_chart  {"S": 1}' in lines
    assert "    type       scarf  (as it was sent)" in lines
    assert lines[-1] == "2 products removed."
    shown = json.loads(here("show", "--format", "json").out)
    assert (shown["format"], shown["store"]) == ("reconciler.removed/1", "default")
    assert [product["store_id"] for product in shown["removed"]] == ["009", "8"]
    assert shown["removed"][0]["record"] == SCARF.record
    assert shown["removed"][0]["written"] == SCARF.written
    assert here("show", "--output", "removed.txt").out == ""
    assert Path("removed.txt").stat().st_mode & 0o777 == 0o600
    assert "has no html format" in here("show", "--format", "html").err
    assert "0 products" in here("show", "--sandbox").out
    assert "no effect on a file" in here("show", "plan.json", "--store", "default").err


def test_ledger_show_finds_what_was_removed(catalog: Path, here: Here) -> None:
    """`ledger show` of a product that was deleted tells when, and what it was."""
    archive(catalog, [SCARF, gone("b2", "8")])
    for word in ("009", "a1"):
        out = here("ledger", "show", word).out
        assert out.startswith("009  a1  removed 2099-01-01")
        assert out.endswith("1 product removed.\n")
    shown = json.loads(here("ledger", "show", "8", "--format", "json").out)
    assert [product["id"] for product in shown["removed"]] == ["b2"]
    assert here("ledger", "show", "9").code == 1
