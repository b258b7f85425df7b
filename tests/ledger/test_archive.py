"""What deletes removed, kept with the ledger: the file, and both places where it is kept."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import pytest

from reconciler.clock import stamp
from reconciler.errors import LedgerError, LedgerNotWritten
from reconciler.ledger.archive import DAYS, MOST, archived, decode_archive, encode_archive
from reconciler.ledger.file import FileLedger
from reconciler.ledger.git import GitLedger
from reconciler.ledger.open import move, open_ledger
from reconciler.model import Ledger, Removed
from tests.ledger.worlds import LEDGER, QuickClock, clone, git, me

NOW = datetime(2026, 11, 29, tzinfo=UTC)

Opened: TypeAlias = Callable[[], FileLedger | GitLedger]


def gone(id: str, *, days: float = 0, **record: Any) -> Removed:
    """A product that was removed so many days ago."""
    whole = {"id": id, "store_id": f"s{id}", "name": "Wool coat", **record}
    at = stamp(NOW - timedelta(days=days))
    return Removed(id, f"s{id}", at, whole, {"type": "coat", "image_url": ""})


DIRTY = Removed(
    "é",
    "\ud83d half",
    stamp(NOW),
    {"name": None, "size_chart": {"b": [1.5, 10**30], "a": {}}, "odd": "a\u2028b\r\nc"},
    {},
)


@pytest.fixture(params=["file", "git"])
def opened(request: pytest.FixtureRequest, origin: Path, tmp_path: Path) -> Opened:
    """Opens the ledger of one working folder or remote, each time as another run does."""
    clones = iter(range(99))

    def open_it() -> FileLedger | GitLedger:
        if request.param == "file":
            return FileLedger(tmp_path / "work", store="default", clock=QuickClock())
        folder = clone(origin, tmp_path / f"clone-{next(clones)}", "--depth=1")
        return GitLedger(folder, store="default", clock=QuickClock())

    return open_it


def ids(removed: Sequence[Removed]) -> list[str]:
    """The remote ids of products, in their order."""
    return [product.id for product in removed]


def spoil(store: FileLedger | GitLedger, data: bytes) -> None:
    """Put something else where the archive is."""
    if isinstance(store, FileLedger):
        store.archive_path.write_bytes(data)
        return
    tip = store.ref.read()
    files: dict[str, bytes | str] = {**tip.files, "removed.jsonl": data}
    assert store.push(tip.commit, store.ref.commit(tip.commit, files, "Spoil"))


def test_what_was_encoded_is_decoded() -> None:
    """An archive is read back as it was, whatever a record holds."""
    removed = (gone("1", tags=[{"name": "wool"}]), DIRTY)
    assert decode_archive(encode_archive(removed, store="x"), store="x", source="here") == removed
    assert decode_archive(None, store="x", source="here") == ()


def test_the_same_products_are_the_same_bytes() -> None:
    """The order of the keys of a record, and the kind of its mappings, do not show (P8)."""
    one = gone("1", brand="ACME", comment=None)
    other = one._replace(
        record=MappingProxyType(dict(reversed(list(one.record.items())))),
        written=MappingProxyType(dict(reversed(list(one.written.items())))),
    )
    assert encode_archive([one], store="x") == encode_archive([other], store="x")


@pytest.mark.parametrize(
    ("line", "spoiled", "told"),
    [
        (1, b"", "line 1: not a line of JSON"),
        (1, b'{"format":"reconciler.removed/2","store":"x"}', "line 1: not the reconciler.removed"),
        (1, b'{"format":"reconciler.removed/1","store":"y"}', "line 1: not the reconciler.removed"),
        (2, b"<<<<<<< ours", "line 2: not a line of JSON"),
        (2, b"[" * 100_000, "line 2: not a line of JSON"),
        (2, b"[]", "line 2: not a removed"),
        (2, b'{"id":"1"}', "line 2: not a removed"),
        (2, b'{"at":"","id":1,"record":{},"store_id":"1","written":{}}', "line 2: not a removed"),
        (2, b'{"at":"","id":"1","record":[],"store_id":"1","written":{}}', "line 2: not a removed"),
        (2, b'{"at":"","id":"1","record":{},"store_id":"1","written":[]}', "line 2: not a removed"),
        (
            2,
            b'{"at":"","id":"1","record":{},"store_id":"1","written":{"name":""}}',
            "line 2: not a removed",
        ),
        (
            2,
            b'{"at":"","id":"1","record":{},"store_id":"1","written":{"type":1}}',
            "line 2: not a removed",
        ),
        (3, b'{"end', "line 3: cut off here"),
    ],
)
def test_damage_is_named(line: int, spoiled: bytes, told: str) -> None:
    """A damaged archive is an error with its file, its line and a remedy, never an empty one."""
    lines = encode_archive([gone("1")], store="x").splitlines()
    lines[line - 1] = spoiled
    with pytest.raises(LedgerError, match=f"^here, {told}") as caught:
        decode_archive(b"\n".join([*lines, b""]), store="x", source="here")
    assert "remove it" in str(caught.value.hint)


def test_empty_file_is_damage() -> None:
    """A file that lost all it held is not taken for one of nothing."""
    with pytest.raises(LedgerError, match="cut off"):
        decode_archive(b"", store="x", source="here")


def test_the_oldest_go() -> None:
    """The last thousand are kept, and none that was removed more than ninety days ago."""
    before = [gone(f"{number:04}", days=number / 100) for number in range(MOST)]
    kept = archived(before, [gone("new")], now=NOW)
    assert len(kept) == MOST
    assert ids(kept)[0] == f"{MOST - 2:04}"
    assert ids(kept)[-1] == "new"
    old = [gone("a", days=DAYS), gone("b", days=DAYS + 0.01)]
    assert ids(archived(old, [gone("c")], now=NOW)) == ["a", "c"]


def test_one_run_is_kept_whole() -> None:
    """A mass delete that was a mistake can be taken back, however large it was (P3)."""
    many = [gone(f"{number:05}") for number in range(MOST + 9)]
    assert len(archived([gone("before", days=1)], many, now=NOW)) == len(many)
    assert len(archived(many, [gone("last")], now=NOW)) == MOST


def test_an_id_is_kept_once() -> None:
    """A delete that was planned, did not come about, and came about later is one entry."""
    kept = archived([gone("1", days=2), gone("2", days=1)], [gone("1")], now=NOW)
    assert kept == (gone("2", days=1), gone("1"))


def test_a_run_adds_what_it_removed(opened: Opened) -> None:
    """The plan's deletes are kept before the first call, and in the end those that took place."""
    assert opened().removed() == ()
    with opened().hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt", removed=[gone("1"), gone("2")])
        assert opened().removed() == (gone("1"), gone("2"))
        held.save(LEDGER, message="In doubt", removed=[gone("1"), gone("2")])
        held.save(LEDGER, message="Apply", last=True, removed=[gone("2")])
    assert opened().removed() == (gone("2"),)
    with opened().hold(timeout=60, holder=me()) as held:
        held.save(LEDGER, message="In doubt", removed=[gone("3")])
        held.lease.renew()
        held.save(Ledger(), message="Apply", last=True, removed=[gone("3")])
    assert opened().removed() == (gone("2"), gone("3"))
    assert opened().load() == Ledger()


def test_a_run_that_removed_nothing(opened: Opened) -> None:
    """What was planned and never removed leaves no trace, and other runs leave the archive be."""
    with opened().hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt", removed=[gone("1")])
        held.save(LEDGER, message="Apply", last=True)
    assert opened().removed() == ()
    with opened().hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt", removed=[gone("1")])
    with opened().hold(timeout=0, holder=me()) as held:
        held.save(Ledger(), message="In doubt")
        held.save(LEDGER, message="Apply", last=True)
    assert opened().removed() == (gone("1"),)


def test_a_damaged_archive_stops_a_delete(opened: Opened) -> None:
    """A run that would delete stops before its first call; one that does not goes on."""
    store = opened()
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Apply", last=True, removed=[gone("1")])
    spoil(store, b"nonsense\n")
    with pytest.raises(LedgerError, match=r"removed\.jsonl, line 1: "):
        opened().removed()
    with opened().hold(timeout=0, holder=me()) as held:
        with pytest.raises(LedgerError, match=r"removed\.jsonl, line 1: "):
            held.save(Ledger(), message="In doubt", removed=[gone("2")])
        held.save(Ledger(), message="In doubt")
        held.save(Ledger(), message="Apply", last=True)
    assert opened().load() == Ledger()


def test_an_archive_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where what would be removed cannot be kept, the first save fails (P3)."""
    store = FileLedger(tmp_path, store="default")
    with store.hold(timeout=0, holder=me()) as held:
        store.archive_path.mkdir(parents=True)
        with pytest.raises(LedgerError, match=r"default\.removed\.jsonl cannot be read"):
            held.save(LEDGER, message="In doubt", removed=[gone("1")])
        store.archive_path.rmdir()

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(LedgerNotWritten, match="No space left"):
            held.save(LEDGER, message="In doubt", removed=[gone("1")])
        monkeypatch.undo()
    assert (store.removed(), store.load()) == ((), Ledger())


def test_nothing_to_do_leaves_no_trace(origin: Path, tmp_path: Path) -> None:
    """A run that found nothing to do pushes nothing, also where there is an archive."""
    store = GitLedger(clone(origin, tmp_path / "work"), store="default")
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Apply", last=True, removed=[gone("1", days=1000)])
    before = git(origin, "rev-parse", "refs/reconciler/default")
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Nothing", last=True)
    assert git(origin, "rev-parse", "refs/reconciler/default") == before


def test_a_move_carries_it(origin: Path, tmp_path: Path) -> None:
    """What deletes removed moves from file to git and back with the ledger, however old it is."""
    folder = clone(origin, tmp_path / "work")
    file = open_ledger("file", store="default", folder=folder)
    ref = open_ledger("git", store="default", folder=folder)
    with file.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="Apply", last=True, removed=[gone("1", days=9999)])
    move(file, ref, holder=me())
    assert (file.removed(), ref.removed()) == ((), (gone("1", days=9999),))
    move(ref, file, holder=me())
    assert (file.removed(), ref.removed()) == ((gone("1", days=9999),), ())
    names = {path.name for path in (folder / ".reconciler" / "ledger").iterdir()}
    assert names == {"default.jsonl", "default.removed.jsonl"}
