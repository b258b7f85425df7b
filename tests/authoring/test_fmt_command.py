"""`reconciler fmt`: which files it writes, what it prints, and how it ends."""

from pathlib import Path

import pytest

from reconciler.authoring.format import Form
from reconciler.cli.main import run
from tests.cli.run import Ended

FORMED = "store_id: 1\nname: A\n"
MESSY = "name: B\nstore_id: 02\n"
NEAT = 'store_id: "02"\nname: B\n'


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
    """A catalogue with a file in form, one that is not, and defaults that are not."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "catalog"
    (folder / "sub").mkdir(parents=True)
    (folder / "formed.yaml").write_text(FORMED)
    (folder / "sub" / "messy.yaml").write_text(MESSY)
    (folder / "sub" / "_defaults.yaml").write_text("type:   No\n")
    return folder


def test_files_are_brought_into_form(catalog: Path, here: Here) -> None:
    """Files that change are written and named on stdout; a second run changes none."""
    done = here("fmt")
    assert (done.code, done.out) == (0, "catalog/sub/_defaults.yaml\ncatalog/sub/messy.yaml\n")
    assert "Formatted 2 of 3 files." in done.err
    assert (catalog / "sub" / "messy.yaml").read_text() == NEAT
    assert (catalog / "sub" / "_defaults.yaml").read_text() == 'type: "No"\n'
    done = here("fmt", "--check")
    assert (done.code, done.out, done.err) == (0, "", "3 files in canonical form.\n")


def test_check_writes_nothing(catalog: Path, here: Here) -> None:
    """--check names the files that are not in form and exits with 2."""
    done = here("fmt", "--check", "-q")
    names = "catalog/sub/_defaults.yaml\ncatalog/sub/messy.yaml\n"
    assert done == (2, names, "")
    assert (catalog / "sub" / "messy.yaml").read_text() == MESSY
    assert here("fmt", "--check", "catalog/formed.yaml").code == 0


def test_diff_writes_nothing(catalog: Path, here: Here) -> None:
    """--diff prints what would change, with --check it exits with 2 as well."""
    done = here("fmt", "--diff", "catalog/sub/messy.yaml")
    assert done.code == 0
    lines = ["--- a/catalog/sub/messy.yaml", "+++ b/catalog/sub/messy.yaml", "@@ -1,2 +1,2 @@"]
    assert done.out.splitlines()[:3] == lines
    assert '+store_id: "02"' in done.out.splitlines()
    assert "catalog/formed" not in done.out
    assert here("fmt", "--diff", "--check").code == 2
    assert (catalog / "sub" / "messy.yaml").read_text() == MESSY


def test_files_with_errors_are_told_and_left(catalog: Path, here: Here) -> None:
    """A faulty file keeps its bytes, its errors are told, and the others are formatted."""
    bad = "name: C\nstore_id: 3\ntagz: [x]\n"
    (catalog / "bad.yaml").write_text(bad)
    done = here("fmt")
    assert done.code == 1
    assert "catalog/bad.yaml:3:1: error: Unknown field 'tagz'" in done.err
    assert (catalog / "bad.yaml").read_text() == bad
    assert (catalog / "sub" / "messy.yaml").read_text() == NEAT


@pytest.mark.parametrize("path", ["nowhere.yaml", "notes"])
def test_paths_must_be_of_the_catalogue(path: str, catalog: Path, here: Here) -> None:
    """A path that is not there, or neither below the catalogue nor around it, is an error."""
    (catalog.parent / "notes").mkdir()
    done = here("fmt", "--check", path)
    assert done.code == 1
    assert path in done.err


def test_a_missing_catalogue_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Here
) -> None:
    """Without the folder there is nothing to format, and that is said."""
    monkeypatch.chdir(tmp_path)
    done = here("fmt", "--catalog", "shop")
    assert done.code == 1
    assert "catalogue folder shop does not exist" in done.err


def test_what_is_left_as_it_is_is_named(catalog: Path, here: Here) -> None:
    """A file that cannot be laid out is named with place and reason, and not counted as in form."""
    ended = 'name: 1\nstore_id: "x"\n...\n'
    (catalog / "ended.yaml").write_text(ended)
    place = "catalog/ended.yaml:1:1: left as it is, since the document ends with `...`"
    done = here("fmt")
    assert (done.code, place in done.err) == (0, True)
    assert "Formatted 2 of 4 files." in done.err
    assert (catalog / "ended.yaml").read_text() == ended
    done = here("fmt", "--check")
    assert (done.code, done.out, place in done.err) == (0, "", True)
    assert "3 files in canonical form, 1 in part or not at all." in done.err


def test_a_form_that_says_something_else_is_not_written(
    catalog: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new files are read before they are written: a product that changed stays as it is."""
    broken = Form(b"store_id: 2\nname: B\n")
    monkeypatch.setattr("reconciler.authoring.folder.form_of", lambda _: broken)
    done = here("fmt", "catalog/sub/messy.yaml")
    assert (done.code, done.out) == (0, "")
    assert "messy.yaml:1:1: left as it is, since its values would not be the same." in done.err
    assert (catalog / "sub" / "messy.yaml").read_text() == MESSY


def test_many_places_are_counted(catalog: Path, here: Here) -> None:
    """Of many places that were left as they are the first are named, and the others counted."""
    documents = "".join(f"---\nstore_id: p{n}\nname: A\n...\n" for n in range(25))
    (catalog / "many.yaml").write_text(documents)
    done = here("fmt", "-q")
    assert done.err.count("left as it is, since") == 20
    assert "5 more locations were left as they are." in done.err
