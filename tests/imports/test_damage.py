"""What spreadsheets do to exports: told with row and column, all of it at once, not repaired."""

import os
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from reconciler.authoring.imports.damage import damage_of, id_damage_of
from reconciler.authoring.imports.tables import delimiter_of
from tests.commands.here import Here

from .samples import MATRIXIFY, write_workbook

HEAD = "ID,Handle,Command,Title,Tags,Image Src\n"
FEED = b'<rss xmlns:g="http://base.google.com/ns/1.0">'
GOOD = "8384840892594,shirt,MERGE,Linen shirt,linen,https://cdn.shop.example/s.jpg\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + GOOD + "8.38484E+12,b,,Coat,,\n", ["x.csv:3:1: error: ID is 8.38484E+12"]),
        (HEAD + GOOD + '"8,38E+12",b,,Coat,,\n', ["x.csv:3:1: error: ID is 8,38E+12"]),
        (HEAD + "10482.0,b,,Coat,,\n", ["x.csv:2:1: error: ID is 10482.0"]),
        (HEAD + "1-Mar,b,,Coat,,\n", ["x.csv:2:1: error: ID is 1-Mar"]),
        (HEAD + "'0123,b,,Coat,,\n", ["x.csv:2:1: error: ID is"]),
        (HEAD + '"=""0123""",b,,Coat,,\n', ["a formula"]),
        (HEAD + GOOD + "9,b,,#N/A,,#REF!\n", ["x.csv:3:4: error: Title is #N/A", "x.csv:3:6:"]),
        (HEAD + "9,b,,Röckchen,,\n".replace("ö", "Ã¶"), ["x.csv:2:4:", "'Röckchen'"]),
        (HEAD + "9,b,,M\ufffdtze,,\n", ["x.csv:2:4: error: Title holds U+FFFD"]),
        (HEAD + GOOD + GOOD[:36] + "\n", ["x.csv:3:5: error: The row has 4 cells, and the header"]),
        (HEAD + GOOD.replace("\n", ",x\n"), ["x.csv:2:7: error: The row has 7 cells"]),
        (HEAD + '9,b,,"Coat" warm,,\n' + GOOD, ["x.csv:2:1: error: The row cannot be read"]),
        (HEAD + GOOD + '9,b,,"Coat,,\n', ["x.csv:3:1: error: A quote is opened in this row"]),
        (HEAD + ",,,Coat,,\n", ["x.csv:2:1: error: ID is empty"]),
        (
            "ID,Handle,Title,,\n9,b,Coat,x,\n",
            ["x.csv:1:4: error: The column has values"],
        ),
        (
            "ID,Handle,Title,Title\n9,b,Coat,x\n",
            ["x.csv:1:3: error: Several columns have the title 'Title'"],
        ),
        (HEAD + GOOD + "\ufeff" + HEAD, ["x.csv:3:1: error: ID is '\\ufeffID'"]),
        (HEAD, ["The file has no products"]),
        ("\n\n", ["The file is empty"]),
    ],
)
def test_damage_is_told_with_row_and_column(
    folder: Path, here: Here, text: str, expected: list[str]
) -> None:
    """Nothing is imported, and each fault names its file, row and column."""
    (folder / "x.csv").write_text(text, encoding="utf-8")
    done = here("import", "x.csv", "--write")
    assert (done.code, done.out) == (1, "")
    for words in expected:
        assert words in done.err
    assert not (folder / "catalog").exists()


def test_all_faults_are_told_at_once(folder: Path, here: Here) -> None:
    """One run names the faults of all rows; of very many the first thousand, and how many."""
    rows = "".join(f"{n}E+12,h{n},,#N/A,,\n".replace("E", ".5E") for n in range(600))
    (folder / "x.csv").write_text(HEAD + rows, encoding="utf-8")
    done = here("import", "x.csv")
    assert "The export has 1200 errors; nothing was imported. The first 1000" in done.err
    assert done.err.count("[spreadsheet_damage]") == 1000


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"ID,Handle,Title\n9,b,M\xfctze\n", "x.csv:2:3: error: Title is not UTF-8"),
        ("ID,Handle,Title\n9,b,Coat\n".encode("utf-16"), "The file is UTF-16"),
        (b"PK\x03\x04 no workbook at all", "The workbook cannot be read"),
        (b'{"products": [{"id": 1, "title": "x", "variants": []}', "was cut off"),
        (b'[{"id": 1, "title": "x", "handle": "y"}, 7]', "Entry 2 is not an object"),
        (b'[{"id": 1, "title": "x", "handle": "y"}, {"id": ]', "Entry 2 cannot be read as JSON"),
        (b"[" * 9000, "cannot be read as JSON"),
        (
            b'<!DOCTYPE x [<!ENTITY a "b">]><rss><item><id>1</id><title>&a;</title></item></rss>',
            "DOCTYPE",
        ),
        (FEED + b"<item><id>1</id></item>\n\n<item>", "x.csv:3:"),
        (FEED + b"<item><title>No feed</title></item></rss>", "item_group_id or id is empty"),
        (b"<rss><item><title>A blog</title></item></rss>", "not recognised"),
        (b"<html><body/></html>", "not recognised"),
    ],
)
def test_files_that_cannot_be_read(folder: Path, here: Here, data: bytes, expected: str) -> None:
    """Another encoding, a broken file and a DOCTYPE end the import with what to do."""
    (folder / "x.csv").write_bytes(data)
    done = here("import", "x.csv")
    assert (done.code, done.out) == (1, "")
    assert expected in done.err
    assert "bug" not in done.err


def test_lost_zeros_are_recognised_by_what_is_declared(folder: Path, here: Here) -> None:
    """An id that is a declared one without its zeros is damage, and names the declaration."""
    (folder / "x.csv").write_text(HEAD + "0123,b,,Coat,,\n77,c,,Hat,,\n", encoding="utf-8")
    assert here("import", "x.csv", "--write").code == 0
    (folder / "x.csv").write_text(HEAD + "123,b,,Coat,,\n77,c,,#N/A,,\n", encoding="utf-8")
    done = here("import", "x.csv")
    assert done.code == 1
    assert "x.csv:2:1: error: The id 123 lost its zeros: 0123 is declared at catalog/b" in done.err
    assert "x.csv:3:4: error: Title is #N/A" in done.err


@pytest.mark.parametrize(
    ("head", "expected"),
    [("a,b;c,d", ","), ('"a,b,c";d;e', ";"), ("a\tb, c\td", "\t"), ("\n\na;b", ";"), ("a", ",")],
)
def test_the_delimiter_is_that_of_the_header(head: str, expected: str) -> None:
    """What parts cells is counted in the first line, outside of quotes."""
    assert delimiter_of(f"{head}\n1;2;3,4,5,6,7,8,9\n") == expected


def test_what_saved_the_file_does_not_matter(folder: Path, here: Here) -> None:
    """A byte-order mark, semicolons, a `sep=` line, an index column, blank rows: read, and said."""
    text = (
        MATRIXIFY.replace("<p>Cool\nlight</p>", "").replace(",", ";").replace("linen; ", "linen, ")
    )
    (folder / "x.csv").write_text("\ufeff" + text + ";" * 17 + "\n\n", encoding="utf-8")
    done = here("import", "x.csv")
    assert done.code == 0
    assert "Read as matrixify, semicolons between cells: 3 rows, 2 products." in done.err
    lines = ["sep=\t", "\tID\tHandle\tTitle\t", "0\t9\tb\tCoat\t\t"]
    (folder / "x.csv").write_text("\r\n".join(lines), encoding="utf-8")
    done = here("import", "x.csv")
    assert (done.code, "tabs between cells: 1 row" in done.err) == (0, True)


@pytest.mark.parametrize(
    "text", ["12E5", "E10", "2024-03-01", "SKU-1", "0123", "1.5", "Ä-1", "MAR-1", "\uff11\uff12"]
)
def test_ordinary_ids_are_left_alone(text: str) -> None:
    """An id that only looks odd is no damage."""
    assert damage_of(text) is None
    assert id_damage_of(text) is None


@pytest.mark.parametrize("text", ["São Paulo", "MAÇÃ", "Größe «L»", "naïve café", "Ã", "â€ 漢"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    """Letters of many languages are no trace of a wrong encoding."""
    assert damage_of(text) is None


def test_titles_that_differ_in_case_only_are_told(folder: Path, here: Here) -> None:
    """Of two such columns none is taken for the ids until a person has named one."""
    (folder / "x.csv").write_text("ID,id,Title\n1,2,Coat\n", encoding="utf-8")
    done = here("import", "x.csv", "--from", "csv", "--id", "Id", "--map", "name=Title")
    assert "x.csv:1:1: error: Several columns have the title 'ID'" in done.err
    done = here("import", "x.csv", "--from", "csv", "--id", "id", "--map", "name=Title")
    assert (done.code, "store_id: 2" in done.out) == (0, True)


def test_a_workbook_keeps_ids(folder: Path, here: Here) -> None:
    """Whole numbers are ids, text stays as it is, and the sheet of products is the one read."""
    rows: list[list[str | float]] = [
        ["ID", "Handle", "Title", "Tags", "Image Src"],
        [8384840892594.0, "shirt", "Linen <shirt>", "b, a", "https://cdn.shop.example/s.jpg"],
        ["0123", "coat", "Coat", "", ""],
    ]
    write_workbook(folder / "x.xlsx", rows)
    assert here("import", "x.xlsx", "--write").code == 0
    texts = [path.read_text() for path in sorted((folder / "catalog").iterdir())]
    assert texts[0] == 'store_id: "0123"\nname: Coat\ntags: []\n'
    assert texts[1].startswith("store_id: 8384840892594\nname: Linen <shirt>\ntags: [a, b]\n")


def test_a_workbook_tells_its_damage(folder: Path, here: Here) -> None:
    """Numbers that lost digits, errors and merged titles are told with their cells."""
    rows: list[list[str | float]] = [
        ["ID", "Handle", "Title"],
        [2.0**60, "a", "#N/A"],
        [10.5, "b", "Coat"],
    ]
    write_workbook(folder / "x.xlsx", rows, merged="B1:C1")
    done = here("import", "x.xlsx")
    assert done.code == 1
    assert "x.xlsx:1:2: error: 2 cells of the header are merged" in done.err
    assert "x.xlsx:2:1: error: ID is 1.152921504606847E+18: the number was rounded" in done.err
    assert "x.xlsx:2:3: error: Title is #N/A, a spreadsheet's error" in done.err


def test_a_workbook_may_begin_anywhere(folder: Path, here: Here) -> None:
    """Rows and columns are those that a spreadsheet shows, also below and beside empty ones."""
    rows: list[list[str | float]] = [[], ["", "ID", "Handle", "Title"], ["", "#REF!", "a", "Coat"]]
    write_workbook(folder / "x.xlsx", rows)
    assert "x.xlsx:3:2: error: ID is #REF!" in here("import", "x.xlsx").err


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", "</c>", "</wrong>"),
        ("xl/worksheets/sheet1.xml", '"A1"', '"ZZZZZZZZ9999999999999"'),
        ("xl/workbook.xml", "<sheet ", "<none "),
        ("xl/_rels/workbook.xml.rels", "sheet1.xml", "gone.xml"),
    ],
)
def test_a_damaged_workbook_is_no_crash(
    folder: Path, here: Here, part: str, old: str, new: str
) -> None:
    """Whatever the library raises, its panics too, is an error of the file."""
    write_workbook(folder / "whole.xlsx", [["ID", "Handle"]])
    with ZipFile(folder / "whole.xlsx") as whole, ZipFile(folder / "x.xlsx", "w") as damaged:
        for name in whole.namelist():
            text = whole.read(name).decode()
            damaged.writestr(name, text.replace(old, new) if name == part else text)
    done = here("import", "x.xlsx")
    assert done.code == 1
    assert "x.xlsx:1:1: error: The workbook cannot be read" in done.err


def test_a_workbook_takes_no_more_memory_than_its_table(folder: Path, here: Here) -> None:
    """One cell in the far corner is told before the sheet between is laid out in memory."""
    write_workbook(folder / "whole.xlsx", [["ID", "Handle"]])
    with ZipFile(folder / "whole.xlsx") as whole, ZipFile(folder / "x.xlsx", "w") as wide:
        for name in whole.namelist():
            wide.writestr(name, whole.read(name).decode().replace('"B1"', '"XFD1048576"'))
    done = here("import", "x.xlsx")
    assert done.code == 1
    assert "too large: its cells reach to row 1048576 and column 16384" in done.err


def test_a_workbook_needs_the_extra(
    folder: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without python-calamine it is told what to install."""
    write_workbook(folder / "x.xlsx", [["ID"]])
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    done = here("import", "x.xlsx")
    assert done.code == 1
    assert "[xlsx]" in done.err


def test_a_pipe_is_no_file(folder: Path, here: Here) -> None:
    """What can be read once only, or never ends, is refused before it is opened."""
    os.mkfifo(folder / "pipe.csv")
    for name in ("pipe.csv", "/dev/zero"):
        done = here("import", name, "--from", "csv", "--id", "ID")
        assert (done.code, done.out) == (1, "")
        assert "is a pipe or a device, not a file" in done.err
