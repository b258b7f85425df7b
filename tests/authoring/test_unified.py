"""Unified diffs: what git can apply, safe to look at, and quick on large files."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.unified import unified_diff

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "", "tags: [x]", "d"]), max_size=25).map("\n".join)


def patched(before: str, diff: str) -> str:
    """`before` with a diff's hunks carried out, each line that it names compared."""
    old = before.splitlines(keepends=True)
    new: list[str] = []
    place = 0
    lines = diff.replace("\n\\ No newline at end of file", "\0").splitlines()[2:]
    for line in lines:
        text = line[1:].removesuffix("\0") + ("" if line.endswith("\0") else "\n")
        if line.startswith("@@"):
            start, _, length = line.split()[1][1:].partition(",")
            begin = int(start) - (length != "0")
            new += old[place:begin]
            place = begin
        elif line[0] == "+":
            new.append(text)
        else:
            assert old[place] == text
            place += 1
            new += [text] if line[0] == " " else []
    return "".join([*new, *old[place:]])


@given(before=TEXTS, after=TEXTS)
def test_a_diff_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    """Carried out on the old text, the diff gives the new one; of equal texts there is none."""
    diff = unified_diff("a.yaml", before.encode(), after.encode())
    assert patched(before, diff) == after
    assert (diff == "") == (before == after)


def test_git_applies_it(tmp_path: Path) -> None:
    """New, changed and removed files are written as git expects them."""
    (tmp_path / "changed").write_text("".join(f"{n}\n" for n in range(40)))
    (tmp_path / "gone").write_text("x\n")
    old = (tmp_path / "changed").read_bytes()
    new = old.replace(b"\n5\n", b"\nfive\n").replace(b"\n30\n", b"\n")
    diff = "".join(
        [
            unified_diff("changed", old, new),
            unified_diff("gone", b"x\n", None),
            unified_diff("sub/new", None, b"one\ntwo"),
        ]
    )
    subprocess.run(["git", "apply"], cwd=tmp_path, input=diff.encode(), check=True)
    assert (tmp_path / "changed").read_bytes() == new
    assert (tmp_path / "sub" / "new").read_bytes() == b"one\ntwo"
    assert not (tmp_path / "gone").exists()


def test_what_the_eye_cannot_see_is_escaped() -> None:
    """Control and bidi characters are spelled out; tabs stay, carriage returns are left out."""
    diff = unified_diff("a\x1b", b"", "x\x1b[31m\u202e\ty\r\n".encode())
    assert diff.splitlines()[1:] == ["+++ b/a\\x1b", "@@ -0,0 +1 @@", "+x\\x1b[31m\\u202e\ty"]


@pytest.mark.parametrize("color", [True, False])
def test_colour_only_where_it_is_wanted(color: bool) -> None:
    """Colour codes stand in the text where colour is asked for, and nowhere else."""
    assert ("\x1b[" in unified_diff("a", b"x\n", b"y\n", color=color)) is color


def test_large_files_with_many_changes() -> None:
    """A file of many products, one in ten of them changed, is compared piece by piece."""
    lines = [f"store_id: {n // 3}" if n % 3 == 0 else "tags: [x]" for n in range(30_000)]
    old = "\n".join(lines)
    new = "\n".join(line if n % 31 else f"{line} changed" for n, line in enumerate(lines))
    assert patched(old, unified_diff("a", old.encode(), new.encode())) == new
