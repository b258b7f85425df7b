"""The JSON Schemas are schemas, tell what they describe, and agree with what the tool accepts."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.catalog.read import load_sources
from reconciler.codes import Code
from reconciler.errors import CatalogError, SettingsError, UsageError
from reconciler.planning.outcome import Fate, Outcome, Report
from reconciler.planning.plan import Plan
from reconciler.reconcile.schemas import SCHEMAS, schema
from reconciler.report.plan_json import plan_json
from reconciler.report.report_json import report_document
from reconciler.settings import load_settings
from tests.project import ROOT
from tests.report.plans import PLANS, small_plan

from .here import Here

CATALOG = Draft202012Validator(schema("catalog"))
SETTINGS = Draft202012Validator(schema("settings"))

BETWEEN_PRODUCTS = {Code.DUPLICATE_STORE_ID, Code.RENAME_STILL_DECLARED, Code.RENAME_TWICE}
"""What no schema can see."""

PIECES = ["a", "Shirt", " ", "\t", "\n", "\u00a0", "\u200b", "\u0007", "\u0085", "é", "0", "~"]
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=4).map("".join),
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Co", "Cn"]), max_size=6),
)
URL_PIECES = ["http://", "https://", "HTTPS:", "//", "a", "cdn.shop", "@", ":", "80", "0", "99999"]
URLS = st.lists(st.sampled_from([*URL_PIECES, "/", "?", "#", " ", "%20", "é"]), max_size=7).map(
    "".join
)
SCALARS = st.one_of(TEXTS, st.integers(-9, 99999), st.booleans(), st.none())
JUNK: st.SearchStrategy[Any] = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=2), st.just({}), st.just({"a": "b"})
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.one_of(TEXTS, JUNK),
    "tags": st.one_of(st.lists(SCALARS, max_size=3), JUNK),
    "image_url": st.one_of(URLS, JUNK),
}
PRODUCTS = st.fixed_dictionaries(
    {},
    optional={
        "store_id": st.one_of(st.just("1"), SCALARS),
        "name": st.one_of(st.just("Shirt"), JUNK),
        "renamed_from": st.one_of(TEXTS, JUNK),
        "brand": st.just("x"),
        **FIELDS,
    },
)
DEFAULTS = st.fixed_dictionaries({}, optional={"name": SCALARS, "store_id": SCALARS, **FIELDS})
FILES = st.one_of(
    PRODUCTS,
    st.fixed_dictionaries(
        {},
        optional={
            "products": st.one_of(st.lists(st.one_of(PRODUCTS, JUNK), max_size=2), JUNK),
            "defaults": st.one_of(DEFAULTS, JUNK),
            "brand": st.just("x"),
        },
    ),
)


def read_errors(document: Any) -> set[str]:
    """The errors that the reader finds in one file, but for those between products."""
    text = json.dumps(document)
    try:
        load_sources([("a.yaml", text.encode())])
    except CatalogError as error:
        found = {finding.code for finding in error.findings if finding.severity == "error"}
        return found - BETWEEN_PRODUCTS
    return set()


def check_agrees(document: Any) -> None:
    """Schema and reader both accept the document, or both refuse it."""
    refused = [error.message for error in CATALOG.iter_errors(document)]
    assert bool(refused) == bool(read_errors(document)), refused


@given(FILES)
@example({"store_id": "1", "name": "a\n"})
@example({"store_id": "1", "name": "\u200b"})
@example({"products": [], "defaults": {"name": "x"}})
@example({"products": [{"store_id": "1"}], "defaults": {"name": "x"}})
@example({"products": [{"store_id": "1"}], "defaults": {}})
@example({})
def test_schema_and_reader_agree(document: Any) -> None:
    """What the schema accepts the reader accepts, and what the one refuses so does the other."""
    check_agrees(document)


@given(URLS)
@example("https://cdn.shop:65535/1.jpg")
@example("https://cdn.shop:65536/1.jpg")
@example("https://cdn.shop:080")
@example("https://a@b@cdn.shop")
def test_schema_and_reader_agree_on_addresses(url: str) -> None:
    """An address is one to both, or to neither."""
    check_agrees({"store_id": "1", "name": "x", "image_url": url})


@pytest.mark.parametrize("path", sorted((ROOT / "catalog").rglob("*.yaml")), ids=lambda p: p.name)
def test_the_example_catalogue_fits(path: Path) -> None:
    """Every file of the example catalogue is accepted, as an editor reads it."""
    from ruamel.yaml import YAML

    kind = {"_defaults.yaml": "defaults", "_reconciler.yaml": "settings"}.get(path.name, "catalog")
    validator = Draft202012Validator(schema(kind))
    documents = [d for d in YAML(typ="safe").load_all(path) if d is not None]
    assert [error.message for d in documents for error in validator.iter_errors(d)] == []


def setting_values() -> dict[str, st.SearchStrategy[Any]]:
    """Values, right and wrong, for each setting that has rules of its own."""
    numbers = st.one_of(st.integers(-2, 200_000), st.just("many"))
    return {
        "catalog": st.sampled_from(["catalog", "a/b"]),
        "prune": st.sampled_from(["all", "managed", "none", "some"]),
        "ledger": st.sampled_from(["file", "git", "cloud"]),
        "ledger_remote": st.sampled_from(["origin", "-x", "a b", ""]),
        "protected": st.lists(st.sampled_from(["gift-*", " ", ""]), max_size=2),
        "limits": st.fixed_dictionaries(
            {},
            optional={
                "deletes": st.sampled_from(["10%", "101%", "1.5%", "1.5", "x", 5, -1, "100.0%"]),
                "floor": numbers,
                "other": numbers,
            },
        ),
        "requests": st.fixed_dictionaries(
            {},
            optional={
                "page_size": numbers,
                "timeout": numbers,
                "rate": st.one_of(numbers, st.none()),
                "settle": st.one_of(numbers, st.none()),
            },
        ),
        "journal": numbers,
        "lint": st.dictionaries(
            st.sampled_from(["http-image", "http_image", "nothing"]),
            st.sampled_from(["off", "warning", "error", "on"]),
            max_size=2,
        ),
        "stores": st.dictionaries(
            st.sampled_from(["default", "a.b", "sandbox", "a..b", "-a", "a.lock", "a."]),
            st.fixed_dictionaries(
                {},
                optional={
                    "api_url": st.sampled_from(
                        [
                            "https://shop.test/api/",
                            "http://shop.test/",
                            "http://localhost:8000/",
                            "http://127.0.0.1:1",
                            "https://shop.test/?a=b",
                            "https://user@shop.test/",
                            "ftp://shop.test",
                        ]
                    ),
                    "api_key_env": st.sampled_from(["KEY_2", "2KEY", "a-b"]),
                },
            ),
            max_size=2,
        ),
        "unknown": st.just("x"),
    }


@given(st.fixed_dictionaries({}, optional=setting_values()))
def test_settings_and_their_schema_agree(tmp_path_factory: Any, document: Any) -> None:
    """Settings are accepted by the schema exactly where the tool loads them."""
    folder: Path = tmp_path_factory.mktemp("settings")
    (folder / "reconciler.yaml").write_text(json.dumps(document), encoding="utf-8")
    refused = [error.message for error in SETTINGS.iter_errors(document)]
    try:
        load_settings(environ={}, folder=folder)
        loaded = True
    except SettingsError:
        loaded = False
    assert loaded == (refused == []), refused


def described(node: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every property of a schema with its path."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties" and path.rpartition("/")[2] not in ("then", "else"):
                for name, definition in value.items():
                    yield f"{path}/{name}", definition
            if key not in ("if", "then", "else", "examples"):
                yield from described(value, f"{path}/{key}")
    elif isinstance(node, list):
        for item in node:
            yield from described(item, path)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_schema_is_valid_and_tells(kind: str, here: Here) -> None:
    """Each schema is one of 2020-12, and every property has words and its plan keys examples."""
    printed = json.loads(here("schema", kind).out)
    Draft202012Validator.check_schema(printed)
    assert printed["$schema"].endswith("2020-12/schema")
    assert printed["title"]
    assert printed["description"]
    silent = [
        path
        for path, definition in described(printed)
        if not ({"description", "title", "$ref"} & set(definition))
    ]
    assert silent == []
    if kind in ("plan", "report"):
        assert [p for p, d in described(printed) if not d.get("description")] == []
        assert [p for p, d in described(printed) if not d.get("examples")] == []


PLAN = Draft202012Validator(schema("plan"))


@given(PLANS)
def test_plans_fit_their_schema(plan: Plan) -> None:
    """Whatever is in a plan, its JSON is accepted."""
    document = json.loads(plan_json(plan, tool="1", created_at="2024-01-01T00:00:00Z"))
    assert [error.message for error in PLAN.iter_errors(document)] == []


def test_half_a_plan_is_refused() -> None:
    """A plan that lacks a part does not fit its schema."""
    document = json.loads(plan_json(small_plan(), tool="1", created_at="2024-01-01T00:00:00Z"))
    assert PLAN.is_valid(document)
    del document["changes"][0]["store_id"]
    assert not PLAN.is_valid(document)


def test_reports_fit_their_schema() -> None:
    """A report is accepted, and each of its keys is described."""
    report = Report(
        store="default",
        plan_digest="x",
        started_at="a",
        finished_at="b",
        outcomes=(Outcome("create", "1", None, Fate.FAILED, "no"),),
        requests={"GET": 1},
    )
    document = json.loads(json.dumps(report_document(report)))
    Draft202012Validator(schema("report")).validate(document)
    assert set(document) == set(schema("report")["properties"])


def test_the_schema_is_written_to_a_file(folder: Path, here: Here) -> None:
    """With --output the file has the schema, ASCII only, and stdout is empty."""
    assert here("schema", "product", "--output", "s.json").out == ""
    text = (folder / "s.json").read_text(encoding="utf-8")
    assert text.isascii()
    assert json.loads(text)["required"] == ["store_id", "name"]
    assert json.loads(here("schema").out) == schema("catalog")
    assert here("schema", "prodcut").code == 1


def test_patterns_hold_no_class_that_dialects_read_differently() -> None:
    r"""No pattern of a catalogue file uses `\s`, `$` or a property class."""
    patterns = re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', json.dumps(schema("catalog")))
    assert patterns
    for pattern in patterns:
        bare = json.loads(f'"{pattern}"').replace(r"[\s\S]", "")
        assert r"\s" not in bare
        assert "$" not in bare
        assert r"\p" not in bare


def test_an_unknown_kind_is_a_usage_error() -> None:
    """A caller from Python learns which schemas there are."""
    with pytest.raises(UsageError, match="prodcut"):
        schema("prodcut")
