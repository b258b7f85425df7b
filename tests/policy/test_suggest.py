"""A policy to start from: what is in use, near-twins first, and rules that the catalogue keeps."""

import json
from pathlib import Path
from shutil import copytree

import pytest

from reconciler.linting.patterns import full_match
from reconciler.model import Catalog
from reconciler.policy.suggest import suggested
from reconciler.report.suggestion_text import suggestion_text
from tests.commands.here import Here
from tests.planning.making import catalog, declared
from tests.project import ROOT


def shop() -> Catalog:
    """Five products, one with a slip in its type."""
    image = "https://CDN.shop/a/{0}.jpg"
    return catalog(
        declared("10001", type="t-shirt", tags=["women", "season:1"], image=image.format(1)),
        declared("10002", type="t-shirt", tags=["women", "season:2"], image=image.format(2)),
        declared("10003-XL", type="tshirt", tags=["womem", "season:3"], image=""),
        declared("10004", type="coat"),
        declared("10005-S", type="coat", image="https://other.shop/1.jpg"),
    )


def test_near_twins_come_first() -> None:
    """Values that differ by a sign or a letter stand beside the one that is used more."""
    found = suggested([shop()])
    assert [(u.value, u.count, u.near) for u in found.types] == [
        ("t-shirt", 2, None),
        ("tshirt", 1, "t-shirt"),
        ("coat", 2, None),
    ]
    assert [(u.value, u.count, u.near) for u in found.tags] == [
        ("women", 2, None),
        ("womem", 1, "women"),
        ("season:*", 3, None),
    ]
    assert [(u.value, u.count) for u in found.hosts] == [("cdn.shop", 2), ("other.shop", 1)]
    assert found.ids == "[0-9]{5}|[0-9]{5}-[A-Z]{1,2}"


@pytest.mark.parametrize(
    ("ids", "pattern"),
    [
        (["1", "22"], "[0-9]{1,2}"),
        (["A.1", "B.2"], r"[A-Z]\.[0-9]"),
        (["a", "A", "1", "-"], None),
        ([], None),
    ],
)
def test_ids_have_a_shape_or_none(ids: list[str], pattern: str | None) -> None:
    """Few shapes make a pattern, many make none."""
    assert suggested([catalog(*(declared(store_id) for store_id in ids))]).ids == pattern


def test_the_text_can_be_pasted() -> None:
    """It is YAML for the settings; counts and doubts are comments."""
    assert suggestion_text(suggested([shop()])) == (
        "# From 5 products. Read it, remove mistakes, and put the rest into\n"
        "# reconciler.yaml. `level: warning` lets a rule warn before it refuses.\n"
        "policy:\n"
        "  - field: type\n"
        "    one_of:\n"
        '      - "t-shirt"  # 2 products\n'
        '      - "tshirt"  # 1 product; or is it "t-shirt"?\n'
        '      - "coat"  # 2 products\n'
        "  - field: tags\n"
        "    one_of:\n"
        '      - "women"  # 2 products\n'
        '      - "womem"  # 1 product; or is it "women"?\n'
        '      - "season:*"  # 3 products\n'
        "  - field: image_url\n"
        "    host:\n"
        '      - "cdn.shop"  # 2 products\n'
        '      - "other.shop"  # 1 product\n'
        "  - field: store_id\n"
        '    pattern: "[0-9]{5}|[0-9]{5}-[A-Z]{1,2}"\n'
    )
    assert suggestion_text(suggested([])).endswith("policy: []\n")


def test_what_is_suggested_for_the_demo_holds_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed policy passes as settings, and the catalogue that it came from keeps it."""
    monkeypatch.chdir(tmp_path)
    here, folder = Here(capsys), str(ROOT / "catalog")
    printed = here("validate", "--policy", "suggest", "--catalog", folder)
    assert printed.code == 0
    (tmp_path / "reconciler.yaml").write_text(printed.out, encoding="utf-8")
    checked = json.loads(here("validate", "--catalog", folder, "--format", "json").out)
    assert checked["findings"] == []
    as_json = here("validate", "--policy", "suggest", "--catalog", folder, "--format", "json")
    assert json.loads(as_json.out)["hosts"][0]["value"] == "cdn.example-shop.com"
    assert here("validate", "--policy", "suggest", "--format", "sarif").code == 1
    assert here("validate", "--policy", "suggest", "a.yaml").code == 1


def test_the_demo_has_a_policy_that_it_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is like the sample of the documentation, which the same catalogue would not keep whole."""
    monkeypatch.chdir(tmp_path)
    here = Here(capsys)
    copytree(ROOT / "catalog", tmp_path / "catalog")
    (tmp_path / "catalog" / "_reconciler.yaml").rename(tmp_path / "reconciler.yaml")
    assert json.loads(here("validate", "--format", "json").out)["findings"] == []
    (tmp_path / "reconciler.yaml").write_text(SAMPLE, encoding="utf-8")
    codes = {f["code"] for f in json.loads(here("validate", "--format", "json").out)["findings"]}
    assert codes == {"type-one-of", "tags-one-of", "store-id-pattern"}


SAMPLE = """\
policy:
  - field: type
    one_of: [top, bottom, dress, outerwear, swimwear]
  - field: tags
    one_of: [women, men, kids, "season:*"]
  - field: image_url
    host: [cdn.example-shop.com]
  - field: store_id
    pattern: "[0-9]{5}(-[A-Z]+)?"
  - require: [type, image_url, tags]
    in: "file=catalog/kids/**"
    level: warning
    message: "Kids' products are shown with a picture."
  - plan: delete
    never: size_chart
  - plan: create
    at_most: 50
  - plan: update
    field: name
    at_most: 5%
    in: "tag=bestseller"
"""


@pytest.mark.parametrize(
    "store_id", ["\U0001f642x", "a.b", "a]^b", "x\\y", "a`{b", "n\u00b0 1", "a_b"]
)
def test_a_suggested_pattern_can_be_used(store_id: str) -> None:
    """Whatever signs an id holds, its pattern is one that settings take, and matches it."""
    assert full_match(suggested([catalog(declared(store_id))]).ids or "")(store_id)
