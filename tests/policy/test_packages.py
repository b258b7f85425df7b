"""Rules as code: a package brings them by its entry points, and one that fails is told by name."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from reconciler.policy.brought import brought_rules
from reconciler.settings import load_settings
from tests.commands.here import Here
from tests.readme import README

RULES = """
from reconciler import Hit, PlanRule


def fails(catalog):
    return [product.value("nonsense") for product in catalog.products.values()]


def _few(planned):
    if len(planned.changes) > 1:
        yield Hit(f"{len(planned.changes)} changes at once.", None)


FEW = PlanRule(
    code="few", sentence="Few changes at once.", example="-", remedy="Wait.", check=_few
)
LIST = []
"""


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Here]:
    """Commands in a folder with a catalogue, where packages can be installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "catalog").mkdir()
    (tmp_path / "catalog" / "a.yaml").write_text(
        "products:\n- {store_id: 1, name: A, type: dress}\n- {store_id: 2, name: B, type: top}\n"
    )
    brought_rules.cache_clear()
    yield Here(capsys)
    brought_rules.cache_clear()
    sys.modules.pop("shop_rules", None)


def example(language: str) -> str:
    """The example of a language in the README."""
    text = README.read_text(encoding="utf-8").split("\n## Rules as code\n")[1]
    return text.split(f"```{language}\n")[1].split("```")[0]


def install(folder: Path, entry_points: str) -> None:
    """Install the package shop-rules, as pip leaves it."""
    (folder / "shop_rules.py").write_text(RULES + example("python"))
    info = folder / "shop_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[reconciler.rules]\n{dedent(entry_points)}\n")


def test_a_function_and_a_rule_of_a_package_run(tmp_path: Path, here: Here) -> None:
    """Each has the name of its entry point, is listed and explained, and obeys `lint`."""
    install(tmp_path, "dress-tags = shop_rules:dress_tags\nnot-many = shop_rules:FEW")
    done = here("validate")
    assert done.code == 1
    assert "catalog/a.yaml:2:32: error: 1 is for nobody. [dress-tags]" in done.out
    assert "A dress is tagged women or kids." in here("validate", "--rules").out
    assert "A dress is tagged women or kids." in here("explain", "dress-tags").out
    assert '"id": "dress-tags"' in here("validate", "--format", "sarif").out
    (tmp_path / "reconciler.yaml").write_text("lint: {dress-tags: off}\n")
    assert here("validate").code == 0
    planned = here("plan", "--sandbox")
    assert planned.code == 0
    assert "2 changes at once. [not-many]" in planned.err
    (tmp_path / "reconciler.yaml").write_text("lint: {dress-tags: off, not-many: error}\n")
    assert here("plan", "--sandbox").code == 1


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("shop_rules:fails", "KeyError: 'nonsense'"),
        ("shop_rules:absent", "AttributeError: "),
        ("shop_rules_absent:any", "ModuleNotFoundError: "),
        ("shop_rules:LIST", "TypeError: shop_rules:LIST is neither a function nor a rule"),
    ],
)
def test_a_rule_that_fails_is_told_by_name(
    point: str, reason: str, tmp_path: Path, here: Here
) -> None:
    """The other rules run, the command ends with 1, and the rule can be switched off."""
    install(tmp_path, f"a-bad-one = {point}\ndress-tags = shop_rules:dress_tags")
    done = here("validate")
    assert done.code == 1
    assert f"The rule a-bad-one of the package shop-rules failed ({reason}" in done.out
    assert "[rule_failed]" in done.out
    assert "[dress-tags]" in done.out
    assert here("plan", "--sandbox").code == 1
    (tmp_path / "reconciler.yaml").write_text("lint: {a-bad-one: off, dress-tags: warning}\n")
    assert here("validate").code == 0
    assert here("plan", "--sandbox").code == 0


def test_the_readme_tells_the_truth(tmp_path: Path, here: Here) -> None:
    """Its entry point names its function, and its policy can be put into the settings as it is."""
    install(tmp_path, example("toml").split("\n", 1)[1].replace('"', ""))
    assert "1 is for nobody. [dress-tags]" in here("validate").out
    policy = README.read_text(encoding="utf-8").split("\n## Policy\n")[1].split("```")[1]
    (tmp_path / "reconciler.yaml").write_text(policy.removeprefix("yaml\n"), encoding="utf-8")
    settings = load_settings(environ={}, folder=tmp_path)
    assert [rule.code for rule in settings.own_rules()][1:3] == ["type-one-of", "tags-one-of"]
    assert settings.left_alone().leaves("gift-1")
