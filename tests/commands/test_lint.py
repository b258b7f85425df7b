"""Lint rules: what each finds, where it runs, and how its level is changed."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.codes import Code
from reconciler.errors import CatalogError
from reconciler.linting.registry import Ruleset, rule_named
from reconciler.model import Catalog, Ledger, Listing, Product
from reconciler.planning.diff import diff
from reconciler.planning.plan import Plan
from reconciler.policy.plan_rule import linted
from reconciler.policy.registry import RULES
from tests.model.making import listed, product
from tests.project import ROOT

from .here import Here

PRODUCT = 'store_id: "{0}"\nname: "Shirt {0}"\ntype: top\nimage_url: ""\n'

BUILT_IN = Ruleset(RULES)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files below the catalogue's folder."""
    for name, text in files.items():
        path = folder / "catalog" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(here: Here, *arguments: str) -> list[tuple[str, str, str]]:
    """Severity, code and place of each finding of `validate`."""
    findings = json.loads(here("validate", "--format", "json", *arguments).out)["findings"]
    return [(f["severity"], f["code"], f"{f['file']}:{f['line']}:{f['column']}") for f in findings]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"a.yaml": "products:\n- {store_id: 1, name: A}\n- {store_id: 2, name: A}\n"},
            [("duplicate_name", "catalog/a.yaml:3:23")],
        ),
        (
            {
                "a.yaml": "defaults: {name: A}\n"
                "products:\n- {store_id: 1, type: x}\n- {store_id: 2}\n"
            },
            [],
        ),
        (
            {"a.yaml": "{store_id: 1, name: A, image_url: HTTP://cdn.shop/1.jpg}"},
            [("http_image", "catalog/a.yaml:1:35")],
        ),
        (
            {"a.yaml": "defaults: {type: x}\nproducts:\n- {store_id: 1, name: A, type: y}\n"},
            [("unused_default", "catalog/a.yaml:1:18")],
        ),
        (
            {"_defaults.yaml": "type: x", "a/_defaults.yaml": "type: y", "a/a.yaml": PRODUCT},
            [("unused_default", f"catalog/{f}_defaults.yaml:1:7") for f in ("", "a/")],
        ),
        (
            {"_defaults.yaml": "type: x", "a.yaml": "{store_id: 1, name: A}"},
            [],
        ),
        (
            {"a.yaml": "products: []\ndefaults: {tags: [x]}\n"},
            [("unused_default", "catalog/a.yaml:2:18")],
        ),
        (
            {"_defaults.yaml": "type: x", "a.yaml": "store_id: a: b"},
            [("bad_yaml", "catalog/a.yaml:1:12")],
        ),
    ],
)
def test_rules_about_the_catalogue(
    files: Mapping[str, str], expected: list[tuple[str, str]], folder: Path, here: Here
) -> None:
    """Each rule finds its case at its place, and passes over what is meant so."""
    write(folder, files)
    assert [(code, place) for _, code, place in found(here)] == expected


@pytest.mark.parametrize("name", ["http-image", "http_image"])
@pytest.mark.parametrize("level", ["off", "warning", "error"])
def test_levels_of_the_settings(name: str, level: str, folder: Path, here: Here) -> None:
    """A rule can be switched off, or made an error that stops validate, under either spelling."""
    write(folder, {"a.yaml": "{store_id: 1, name: A, image_url: http://cdn.shop/1.jpg}"})
    (folder / "reconciler.yaml").write_text(f"lint: {{{name}: {level}}}\n", encoding="utf-8")
    expected = [] if level == "off" else [(level, "http_image", "catalog/a.yaml:1:35")]
    assert found(here) == expected
    assert here("validate").code == (1 if level == "error" else 0)


def test_rules_of_the_reader_have_levels_too(folder: Path, here: Here) -> None:
    """What is found while texts are read obeys the same switch as every other rule."""
    write(folder, {"a.yaml": '{store_id: 1, name: "A\\u200b", tags: [X, x]}'})
    (folder / "reconciler.yaml").write_text(
        "lint: {invisible-characters: off, tags-differ-only-in-case: error}\n", encoding="utf-8"
    )
    assert found(here) == [("error", "tags_differ_in_case", "catalog/a.yaml:1:42")]


@pytest.mark.parametrize("rule", ["http-image", "create-without-type"])
def test_a_rule_set_to_error_stops_a_plan(rule: str, folder: Path, here: Here) -> None:
    """A rule that is an error ends plan with exit 1 and a place, whatever finds it."""
    write(folder, {"a.yaml": "{store_id: 1, name: A, image_url: http://cdn.shop/1.jpg}"})
    assert here("plan", "--sandbox").code == 0
    (folder / "reconciler.yaml").write_text(f"lint: {{{rule}: error}}\n", encoding="utf-8")
    done = here("plan", "--sandbox")
    assert done.code == 1
    assert "The catalogue has 1 error." in done.err
    assert "catalog/a.yaml:1:" in done.err


def test_an_unknown_rule_is_a_fault_of_the_settings(folder: Path, here: Here) -> None:
    """A misspelled rule is told with the one that was meant, a wrong level with the levels."""
    (folder / "reconciler.yaml").write_text("lint:\n  http-imgae: off\n", encoding="utf-8")
    done = here("validate")
    assert done.code == 1
    assert "did you mean `http-image`?" in done.err
    assert "reconciler.yaml:" in done.err
    (folder / "reconciler.yaml").write_text("lint:\n  http-image: on\n", encoding="utf-8")
    assert "reconciler.yaml:2:15" in here("validate").err


def test_rules_are_listed(folder: Path, here: Here) -> None:
    """`validate --rules` tells every rule with the level that the settings give it."""
    (folder / "reconciler.yaml").write_text("lint: {not-nfc: error}\n", encoding="utf-8")
    text = here("validate", "--rules").out
    assert all(rule.id in text and rule.example.splitlines()[0] in text for rule in RULES)
    listed = json.loads(here("validate", "--rules", "--format", "json").out)["rules"]
    assert {rule["id"]: rule["severity"] for rule in listed}["not-nfc"] == "error"
    assert here("validate", "--rules", "--format", "sarif").code == 1


def test_each_rule_has_a_file_of_its_own() -> None:
    """The registry holds one rule for each file, under distinct names that can be found again."""
    folders = (ROOT / "reconciler" / "linting", ROOT / "reconciler" / "policy")
    files = [path for folder in folders for path in folder.glob("*.py")]
    with_rule = {path.stem for path in files if "\nRULE: Final = " in path.read_text("utf-8")}
    assert {rule.id.replace("-", "_") for rule in RULES} == with_rule
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule_named(rule.id, RULES) is rule_named(rule.code, RULES) is rule
        assert rule.id == rule.code.replace("_", "-")
        assert rule.sentence.endswith(".")
    assert rule_named("nothing", RULES) is None


def declared(store_id: str, renamed_from: str | None = None) -> Product:
    """A product that declares no more than it must."""
    return product(store_id, "A", at=1, renamed_from=renamed_from)


def planned(catalog: Catalog, *store_ids: str, ruleset: Ruleset = BUILT_IN) -> Plan:
    """The plan against a remote with these products, as the rules see it."""
    remote = Listing(tuple(listed(f"id-{s}", s, "A") for s in store_ids))
    return linted(diff(catalog, remote, Ledger()), catalog, remote, ruleset)


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        (("2",), {Code.RENAMED_FROM_APPLIED}),
        (("1",), set()),
        (("1", "2"), set()),
        ((), {Code.CREATE_WITHOUT_TYPE, Code.CREATE_WITHOUT_IMAGE}),
    ],
)
def test_rules_about_plans(remote: tuple[str, ...], expected: set[Code]) -> None:
    """A rename that was made is told, and a create that lacks something; nothing else is."""
    plan = planned(Catalog.of(declared("2", "1")), *remote)
    assert {finding.code for finding in plan.warnings} == expected


def test_many_creates_are_one_line_a_rule() -> None:
    """A rule about creates tells of many in one warning, and as an error of each alone."""
    catalog = Catalog.of(*(declared(str(number)) for number in range(1000)))
    image, kind = sorted(planned(catalog).warnings, key=lambda finding: finding.code)
    assert image.message.startswith("1000 products will be created without an image")
    assert kind.message.endswith("First of them: 0, 1, 10, 100, 101 and 995 more.")
    assert kind.location is not None
    with pytest.raises(CatalogError) as raised:
        planned(catalog, ruleset=Ruleset(RULES, {Code.CREATE_WITHOUT_TYPE: "error"}))
    assert str(raised.value) == "The catalogue has 1000 errors."


def test_plan_rules_can_be_switched() -> None:
    """A plan rule that is off says nothing, and one that is an error ends the plan."""
    catalog = Catalog.of(declared("2"))
    quiet = Ruleset(RULES, {Code.CREATE_WITHOUT_TYPE: "off", Code.CREATE_WITHOUT_IMAGE: "off"})
    assert planned(catalog, ruleset=quiet).warnings == ()
    with pytest.raises(CatalogError):
        planned(catalog, ruleset=Ruleset(RULES, {Code.CREATE_WITHOUT_TYPE: "error"}))
