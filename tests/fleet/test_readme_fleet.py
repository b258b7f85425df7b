"""README, "Many shops": what it shows works as it stands."""

import re
import shlex
from pathlib import Path

import pytest

from reconciler.sandbox.server import Sandbox, shop_key
from tests.commands.here import Here
from tests.fleet.shops import in_threads
from tests.test_readme import blocks, section

MANY = section("Many shops")


def test_many_shops_as_the_readme_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: Here, remote: Sandbox
) -> None:
    """The settings are read, and the commands plan, apply and show what they say they do."""
    settings, store = blocks(MANY, "yaml")
    named = re.match(r"# (\S+?):", store)
    assert named is not None
    file = tmp_path / named[1]
    (file.parent / "catalog").mkdir(parents=True)
    file.write_text(store, encoding="utf-8")
    text = "store_id: '1'\nname: Shirt\ntype: top\nimage_url: ''\n"
    (file.parent / "catalog" / "shirt.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "reconciler.yaml").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACME_DE_ROBOSIZE_KEY", shop_key(1))
    monkeypatch.setattr("reconciler.fleet.local.local_place", in_threads)
    told = ""
    for line in blocks(MANY, "sh")[0].splitlines():
        _, *arguments = shlex.split(line, comments=True)
        ended = here(*arguments)
        assert ended.code == 0, ended
        told += ended.out
    assert "ACME_DE_ROBOSIZE_KEY" in told
    assert "1 to create" in told
    assert "1 applied" in told
    assert remote.store.count() == 1


def test_it_is_short() -> None:
    """What is shown of a fleet's files and commands fits on twenty lines."""
    shown = [*blocks(MANY, "yaml"), *blocks(MANY, "sh")]
    assert sum(len(block.splitlines()) for block in shown) <= 20
