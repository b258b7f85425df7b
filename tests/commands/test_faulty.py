"""One catalogue with thirty faults: all of them in one run, in every format."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from .here import Here

FAULTY = Path(__file__).parent / "faulty"

# What SARIF 2.1.0 requires and allows of the parts that are written here (sections 3.13 to 3.52).
_MESSAGE = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
_POSITIVE = {"type": "integer", "minimum": 1}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


_RULE = _object(
    ["id"],
    id={"type": "string"},
    shortDescription=_MESSAGE,
    fullDescription=_MESSAGE,
    help=_MESSAGE,
)
_LOCATION = _object(
    [],
    physicalLocation=_object(
        ["artifactLocation"],
        artifactLocation=_object([], uri={"type": "string", "pattern": "^[!-~]+$"}),
        region=_object([], startLine=_POSITIVE, startColumn=_POSITIVE),
    ),
)
_RESULT = _object(
    ["message"],
    ruleId={"type": "string"},
    ruleIndex={"type": "integer", "minimum": -1},
    level={"enum": ["none", "note", "warning", "error"]},
    message=_MESSAGE,
    locations={"type": "array", "items": _LOCATION},
)
_DRIVER = _object(
    ["name"],
    name={"type": "string"},
    version={"type": "string"},
    rules={"type": "array", "items": _RULE, "uniqueItems": True},
)
_RUN = _object(
    ["tool"],
    tool=_object(["driver"], driver=_DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": _RESULT},
)
SARIF = _object(
    ["version", "runs"],
    **{"$schema": {"type": "string"}, "version": {"const": "2.1.0"}},
    runs={"type": "array", "items": _RUN},
)


@pytest.fixture(autouse=True)
def _in_the_faulty_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FAULTY)


def test_thirty_faults_in_one_run(here: Here) -> None:
    """Thirty faults in ten files are thirty findings, each at its exact place."""
    done = here("validate", "--format", "json")
    assert done.code == 1
    found = [
        f"{f['file']}:{f['line']}:{f['column']} {f['severity']} {f['code']}"
        for f in json.loads(done.out)["findings"]
    ]
    assert found == (FAULTY / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert len(set(found)) == 30
    assert len({line.split(":")[0] for line in found}) == 10


def test_sarif_is_sarif(here: Here) -> None:
    """The SARIF log has the structure of 2.1.0, and each result its rule with words about it."""
    done = here("validate", "--format", "sarif")
    assert done.code == 1
    log = json.loads(done.out)
    Draft202012Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == 30
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"]
    assert all(rule["help"]["text"] and rule["fullDescription"]["text"] for rule in rules)


def test_github_puts_the_total_first(here: Here) -> None:
    """The first annotation counts all, ten errors and ten warnings at most are annotations."""
    lines = here("validate", "--format", "github").out.splitlines()
    assert lines[0].startswith(
        "::error::12 products in 10 files: 25 errors and 5 warnings in 10 files."
    )
    assert sum(line.startswith("::error") for line in lines) == 10
    assert len(lines) == 31


def test_named_paths_narrow_the_findings(here: Here) -> None:
    """With paths only what concerns them is shown, contradictions with other files included."""
    out = here("validate", "catalog/e_twice.yaml").out
    assert {line.split(":")[0] for line in out.splitlines()[:-1]} == {
        "catalog/e_twice.yaml",
        "catalog/f_renames.yaml",
    }
