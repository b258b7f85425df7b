"""Where rendered text goes."""

import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import OutputError
from reconciler.report.output import try_file, write_file, write_stdout


def test_a_private_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """A plan file has mode 0600 and exactly the text, also where a wider one stood."""
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)
    write_file(path, "new\n", private=True)
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_file_has_the_usual_mode(tmp_path: Path) -> None:
    """A file that is not private has the mode of any new file."""
    (tmp_path / "other").write_text("")
    write_file(tmp_path / "page.html", "é\ud800\n")
    assert (tmp_path / "page.html").read_bytes() == b"\xc3\xa9\\ud800\n"
    assert (tmp_path / "page.html").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails, the old file stays as it was and nothing is left beside it."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "plan.json"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        write_file(path, "new", private=True)
    assert caught.value.hint
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.json"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error names the file that could not be written."""
    with pytest.raises(OutputError, match=r"gone/plan\.json: No such file or directory"):
        write_file(tmp_path / "gone" / "plan.json", "x")


def test_a_link_is_written_through(tmp_path: Path) -> None:
    """A symbolic link stays a link; its target gets the text."""
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_a_ring_of_links_is_an_error(tmp_path: Path) -> None:
    """A link that leads to itself is an error like any other."""
    (tmp_path / "ring").symlink_to("ring")
    with pytest.raises(OutputError, match="Cannot write"):
        write_file(tmp_path / "ring", "x")


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    """A pipe is written to, not replaced by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, "text")
        assert os.read(reader, 10) == b"text"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_trying_a_file_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could be written is no error, what could not is the error of writing it; all stays."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "old").write_text("old")
    os.mkfifo(tmp_path / "pipe")
    for name in ("old", "new", "pipe", "/dev/null"):
        try_file(tmp_path / name)
    full = ("/dev/full",) if Path("/dev/full").exists() else ()
    for name in (".", "gone/new", *full):
        with pytest.raises(OutputError, match="Cannot write"):
            try_file(tmp_path / name)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        try_file(tmp_path / "old")
    assert (tmp_path / "old").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "pipe"]


def test_a_narrow_encoding_never_crashes() -> None:
    """Characters that stdout's encoding lacks are spelled out."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    write_stdout("é → \ud800\n", stream)
    assert raw.getvalue() == b"\\xe9 \\u2192 \\ud800\n"


def test_a_stream_of_text_alone_will_do() -> None:
    """A stream without bytes beneath it takes the text."""
    stream = io.StringIO()
    write_stdout("é\n", stream)
    assert stream.getvalue() == "é\n"


def test_a_closed_stream_is_an_error() -> None:
    """A stream that was closed is an output error, not a traceback."""
    stream = io.StringIO()
    stream.close()
    with pytest.raises(OutputError, match="Cannot write the result to stdout"):
        write_stdout("x", stream)


def test_no_stdout_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was started without a stdout is told so."""
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="stdout is closed"):
        write_stdout("x")


_PROGRAM = """
import sys
from reconciler.errors import OutputError
from reconciler.report.output import write_stdout
try:
    write_stdout("x" * 1_000_000)
except OutputError as error:
    sys.stderr.write(error.message)
    sys.exit(1)
"""


def test_a_closed_pipe_ends_with_one_error() -> None:
    """A reader that went away makes exit 1 with one message, and nothing from the interpreter."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert done.stderr == b"Cannot write the result to stdout: Broken pipe."


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_ends_with_one_error() -> None:
    """A full disk makes exit 1 with one message, and nothing from the interpreter."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert done.stderr == b"Cannot write the result to stdout: No space left on device."
