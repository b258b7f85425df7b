"""A field is one row: every command knows a row that is added to the field table."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.run import environment
from tests.project import ROOT


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("brand", "readable=True"),
        ("brand", "readable=True, may_be_empty=True"),
        ("material", "readable=False, may_be_empty=True"),
        ("material", "readable=False, required=True"),
    ],
)
def test_one_row_is_one_field(tmp_path: Path, key: str, row: str) -> None:
    """A field of each kind is planned, saved, read, applied, pulled and in the schema."""
    field = f'Field("{key}", Kind.TEXT, {row}, title="A field.", example="x")'
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "model" / "rows.py"), key, field],
        cwd=tmp_path,
        env={**environment({}), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr[-3000:] if done.returncode else "") == (0, "")
