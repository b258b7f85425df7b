"""A catalogue read in parts: the same whoever reads which of them."""

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from reconciler.catalog import files, parts, read
from reconciler.catalog.files import FoundFile
from reconciler.catalog.parts import Part
from reconciler.catalog.read import load_catalog, load_sources, loading_catalog
from reconciler.model import Catalog, Names, Product
from reconciler.processes import spread
from reconciler.yamltext import events
from reconciler.yamltext.findings import Findings
from tests.catalog.reading import check_catalog
from tests.project import ROOT

FAULTY = ROOT / "tests" / "commands" / "faulty" / "catalog"
HERE = os.getpid()

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has child processes"),
    # The process of a test may have threads, of xdist's.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning"),
]


def with_children(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let every catalogue, however small, be read by so many children."""
    monkeypatch.setattr(parts, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr(parts, "spare_processes", lambda: number)


def shop(folder: Path, *, many: int, seed: int = 1) -> Path:
    """A catalogue of many files, with defaults in folders and documents, some of them unused."""
    random.seed(seed)
    for number in range(many):
        path = folder / f"{number % 3}" / f"{number:03}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        tags = ", ".join(random.choices(["Linen", "linen", "LINEN", "wool", "Wool", "x"], k=2))
        default = "defaults: {type: t, image_url: ''}\n" if number % 5 == 0 else ""
        own = "  type: own\n" if number % 10 == 0 else ""
        image = "" if number % 4 else "  image_url: https://cdn.shop/1.jpg\n"
        path.write_text(
            f"{default}products:\n- store_id: 's{number}'\n  name: n{number}\n  tags: [{tags}]\n"
            f"{own}{image}- {{store_id: 't{number}', name: 'o', renamed_from: 'r{number}'}}\n",
            encoding="utf-8",
        )
    (folder / "_defaults.yaml").write_text("type: top\ntags: [Wool]\n", encoding="utf-8")
    (folder / "2" / "_defaults.yaml").write_text("image_url: ''\n", encoding="utf-8")
    (folder / "3").mkdir()
    (folder / "3" / "_defaults.yaml").write_text("type: nobody's\n", encoding="utf-8")
    (folder / "0" / "000-own.yaml").write_text(
        "defaults: {type: unused}\nproducts:\n- {store_id: own, name: x, type: own}\n",
        encoding="utf-8",
    )
    return folder


def all_of(catalog: Catalog) -> tuple[object, ...]:
    """All that a catalogue says, products in order."""
    return (
        list(catalog.products.items()),
        catalog.files,
        catalog.digest,
        catalog.warnings,
        catalog.unused_defaults,
        catalog.names.root,
    )


@pytest.mark.parametrize("children", [1, 3])
@pytest.mark.parametrize("many", [3, 40, 300])
def test_children_make_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int, children: int
) -> None:
    """Products, warnings, unused defaults and digest are those of a catalogue read alone."""
    folder = shop(tmp_path / "catalog", many=many)
    sources = [
        (str(path.relative_to(tmp_path)), path.read_bytes()) for path in folder.rglob("*.yaml")
    ]
    alone = all_of(load_catalog(folder, working_folder=tmp_path))
    assert len(alone[3]) >= 2  # type: ignore[arg-type]
    assert len(alone[4]) == 2  # type: ignore[arg-type]
    with_children(monkeypatch, children)
    assert all_of(load_catalog(folder, working_folder=tmp_path)) == alone
    assert all_of(load_sources(sources, root="catalog")) == alone
    with loading_catalog(folder, working_folder=tmp_path) as loaded:
        assert all_of(loaded()) == alone


@pytest.mark.parametrize("children", [1, 3])
def test_faults_are_told_whoever_finds_them(monkeypatch: pytest.MonkeyPatch, children: int) -> None:
    """All faults of all files are told at the same places, by whichever process they were found."""
    alone = check_catalog(FAULTY)
    assert len(alone) > 20
    with_children(monkeypatch, children)
    assert check_catalog(FAULTY) == alone


def test_a_lost_child_makes_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was lost with a child is read again as if nobody had read later files before."""
    folder = shop(tmp_path / "catalog", many=40)
    alone = all_of(load_catalog(folder, working_folder=tmp_path))
    with_children(monkeypatch, 1)
    content = files.read_bytes

    def fatal(file: FoundFile, most: int, findings: Findings) -> bytes | None:
        if os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGKILL)
        return content(file, most, findings)

    monkeypatch.setattr(read, "read_bytes", fatal)
    assert all_of(load_catalog(folder, working_folder=tmp_path)) == alone


def test_products_share_what_is_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of one part have one value for equal types, tags and shapes, as if read here."""
    text = "".join(f"---\nstore_id: {n}\nname: x\ntype: top\ntags: [a, b]\n" for n in range(9))
    with_children(monkeypatch, 1)
    catalog = load_sources([("a.yaml", text.encode()), ("b.yaml", b"")])
    for position in (2, 4):
        assert len({id(product.values[position]) for product in catalog.products.values()}) == 1
    assert len({id(product.offsets) for product in catalog.products.values()}) == 1


def test_only_large_catalogues_have_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is made only where the files are worth it: their sizes decide."""
    folder = shop(tmp_path / "catalog", many=6)
    asked: list[int] = []

    def note(
        work: Callable[[int], Part], count: int, *, children: int
    ) -> AbstractContextManager[Iterator[Part]]:
        asked.append(children)
        return spread(work, count, children=0)

    monkeypatch.setattr(parts, "spare_processes", lambda: 3)
    monkeypatch.setattr(parts, "spread", note)
    load_catalog(folder, working_folder=tmp_path)
    (folder / "large.yaml").write_text("# " + "x" * parts._WORTH_PROCESSES, encoding="utf-8")
    load_catalog(folder, working_folder=tmp_path)
    assert asked == [0, 3]


def test_a_slow_parser_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A large catalogue that is read without libyaml says so, once for each process."""
    folder = shop(tmp_path / "catalog", many=3)
    monkeypatch.setattr(events, "LIBYAML", None)
    parts._tell_of_slow_parser.cache_clear()
    load_catalog(folder, working_folder=tmp_path)
    assert caplog.messages == []
    monkeypatch.setattr(parts, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(parts, "spare_processes", lambda: 0)
    for _ in range(2):
        load_catalog(folder, working_folder=tmp_path)
    assert len(caplog.messages) == 1
    assert "ruamel.yaml.clib is not installed" in caplog.text


def test_one_file_is_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that does all the work is of use only where this process has other work."""
    folder = tmp_path / "catalog"
    folder.mkdir()
    (folder / "a.yaml").write_text("store_id: 1\nname: x\n", encoding="utf-8")
    with_children(monkeypatch, 3)
    readers: list[bool] = []
    content = files.read_bytes

    def note(file: FoundFile, most: int, findings: Findings) -> bytes | None:
        readers.append(os.getpid() == HERE)
        return content(file, most, findings)

    monkeypatch.setattr(read, "read_bytes", note)
    assert [*load_catalog(folder).products] == ["1"]
    assert readers == [True]
    with loading_catalog(folder) as loaded:
        assert [*loaded().products] == ["1"]
    assert readers == [True]


@pytest.mark.parametrize("children", [1, 3])
@pytest.mark.parametrize("large", [0, 10**9])
def test_a_file_that_vanishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, children: int, large: int
) -> None:
    """A file that is gone before it is read is told, whoever meets it."""
    folder = shop(tmp_path / "catalog", many=4)
    with_children(monkeypatch, children)
    monkeypatch.setattr(parts, "_WORTH_PROCESSES", large)

    def find_one_more(at: Path, names: Names, findings: Findings) -> list[FoundFile]:
        found = files.find_files(at, names, findings)
        (folder / "1" / "001.yaml").unlink()
        return found

    monkeypatch.setattr(read, "find_files", find_one_more)
    found = [
        (str(finding.code), str(finding.location))
        for finding in check_catalog(folder, working_folder=tmp_path)
        if finding.severity == "error"
    ]
    assert found == [("unreadable_file", "catalog/1/001.yaml:1:1")]


def test_a_warning_concerns_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag that another file spells otherwise is told to who asks for either of the two."""
    folder = tmp_path / "catalog"
    folder.mkdir()
    for name, tag in (("a", "Linen"), ("b", "linen"), ("c", "wool")):
        text = f"store_id: {name}\nname: {name}\ntags: [{tag}]\n"
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    for children in (0, 2):
        with_children(monkeypatch, children)
        for asked, expected in (("a", 1), ("b", 1), ("c", 0)):
            found = check_catalog(folder, [folder / f"{asked}.yaml"], working_folder=tmp_path)
            places = [str(finding.location) for finding in found]
            assert places == ["catalog/b.yaml:3:8"] * expected


def test_threads_read_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catalogues that are asked for at once are never read at once, so calls wait for one only."""
    put = tmp_path / "catalog" / "a.yaml"
    put.parent.mkdir()
    put.write_text("store_id: 1\nname: N\n", encoding="utf-8")
    together = Barrier(2)
    met = []

    def products(_: object, __: object) -> list[Product]:
        try:
            met.append(together.wait(0.02))
        except BrokenBarrierError:
            together.reset()
        return []

    monkeypatch.setattr("reconciler.catalog.parts.FileReader.products", products)
    with ThreadPoolExecutor(2) as pool:
        assert not any(c.products for c in pool.map(load_catalog, [put.parent, put.parent]))
    assert not met
