"""Catalogue findings in every format."""

import json

import pytest

from reconciler.codes import Code
from reconciler.model import Finding, Location
from reconciler.report.findings import Read, findings_json, findings_text
from reconciler.report.github import PER_LEVEL, findings_github
from reconciler.report.gitlab import findings_gitlab
from reconciler.report.sarif import findings_sarif
from tests.report.plans import HOSTILE

FINDINGS = (
    Finding("error", Code.BAD_URL, "not a URL", Location("catalog/a.yaml", 3, 7)),
    Finding("warning", Code.NOT_NFC, "not in NFC", Location("catalog/b.yaml", 1, 1)),
    Finding("error", Code.NO_CATALOG, "no such folder"),
)
HOSTILE_FINDINGS = (Finding("error", Code.BAD_URL, HOSTILE, Location("::error::" + HOSTILE, 1, 1)),)


def _many(severity: str, count: int, file: str = "a.yaml") -> tuple[Finding, ...]:
    """Findings on consecutive lines of one file."""
    return tuple(
        Finding(severity, Code.BAD_URL, f"fault {n}", Location(file, n, 1))  # type: ignore[arg-type]
        for n in range(1, count + 1)
    )


def test_text_has_the_place_first() -> None:
    """Each finding is one line that editors can follow, and the total comes last."""
    assert findings_text(FINDINGS) == (
        "catalog/a.yaml:3:7: error: not a URL [bad_url]\n"
        "catalog/b.yaml:1:1: warning: not in NFC [not_nfc]\n"
        "error: no such folder [no_catalog]\n"
        "2 errors and 1 warning in 2 files.\n"
    )


def test_text_without_findings() -> None:
    """A sound catalogue is one sentence."""
    assert findings_text(()) == "No findings.\n"
    assert findings_text(FINDINGS[2:]).endswith("\n1 error and 0 warnings.\n")


def test_what_was_read_is_told() -> None:
    """The total says how many products in how many files were looked at; none is told as such."""
    assert findings_text((), Read(78, 19)) == "78 products in 19 files: no findings.\n"
    assert findings_text(FINDINGS[:2], Read(3, 2)).endswith(
        "\n3 products in 2 files: 1 error and 1 warning in 2 files.\n"
    )
    empty = findings_text((), Read(0, 0, ("catalog",)))
    assert empty == "Empty: there is no .yaml or .yml file below catalog.\n"
    large = findings_text(FINDINGS[:1], Read(0, 0, ("catalog",)))
    assert large.endswith("\n1 error and 0 warnings in 1 file.\n")
    assert "Empty" not in large
    missing = findings_text(FINDINGS[2:], Read(0, 0, ("catalog",)))
    assert missing.endswith("\n1 error and 0 warnings.\n")


@pytest.mark.parametrize("width", [60, 120])
def test_findings_break_between_words(width: int) -> None:
    """On a terminal a long finding goes on in the next line, indented, each word whole."""
    long = Finding("error", Code.BAD_URL, "lengthy words " * 20, Location("a.yaml", 1, 1))
    text = findings_text((long,), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert text.splitlines()[1].startswith("    ")
    assert text.split() == findings_text((long,)).split()


def test_text_in_colour() -> None:
    """Errors are red and warnings yellow where colour is on."""
    text = findings_text(FINDINGS, color=True)
    assert "\x1b[31mcatalog/a.yaml" in text
    assert "\x1b[33mcatalog/b.yaml" in text


def test_text_is_inert() -> None:
    """Neither a message nor a file name can act on the terminal or the pipeline."""
    text = findings_text(HOSTILE_FINDINGS)
    assert "\x1b" not in text
    assert "##[" not in text
    assert len(text.splitlines()) == 2
    assert not text.startswith("::")


def test_json_is_as_documented() -> None:
    """Each finding has the six keys of the interface, null where there is no place."""
    assert json.loads(findings_json(FINDINGS))["findings"][0] == {
        "severity": "error",
        "code": "bad_url",
        "file": "catalog/a.yaml",
        "line": 3,
        "column": 7,
        "message": "not a URL",
    }
    last = json.loads(findings_json(FINDINGS))["findings"][2]
    assert (last["file"], last["line"], last["column"]) == (None, None, None)
    assert json.loads(findings_json(())) == {"findings": []}


def test_github_puts_the_total_first() -> None:
    """The first annotation is the total; errors with their places follow, then warnings."""
    assert findings_github(FINDINGS) == (
        "::error::2 errors and 1 warning in 2 files.\n"
        "::error file=catalog/a.yaml,line=3,col=7::not a URL [bad_url]\n"
        "::error::no such folder [no_catalog]\n"
        "::warning file=catalog/b.yaml,line=1,col=1::not in NFC [not_nfc]\n"
    )
    assert findings_github(()) == "::notice::No findings.\n"


def test_github_stays_within_its_limits() -> None:
    """At most ten annotations of a level are made; the rest are plain lines, none is lost."""
    findings = _many("error", 30) + _many("error", 1, "z.yaml") + _many("warning", 30)
    lines = findings_github(findings).splitlines()
    assert sum(line.startswith("::error") for line in lines) == PER_LEVEL
    assert sum(line.startswith("::warning") for line in lines) == PER_LEVEL
    assert len(lines) == 1 + len(findings)
    assert any(line.startswith("::error file=z.yaml") for line in lines)


def test_github_is_inert() -> None:
    """A hostile message or file stays inside its own annotation."""
    lines = findings_github(HOSTILE_FINDINGS).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("::error file=%3A%3Aerror%3A%3A")
    assert lines[1].split("::", 2)[1].count(",line=1,col=1") == 1


def test_sarif_has_rules_and_places() -> None:
    """The SARIF log has one run, a rule for each code, and a region for each place."""
    log = json.loads(findings_sarif(FINDINGS, tool="1.0.0"))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["version"] == "1.0.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "bad_url",
        "no_catalog",
        "not_nfc",
    ]
    assert run["results"][0] == {
        "ruleId": "bad_url",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "not a URL"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "catalog/a.yaml"},
                    "region": {"startLine": 3, "startColumn": 7},
                }
            }
        ],
    }
    assert "locations" not in run["results"][2]
    assert findings_sarif(HOSTILE_FINDINGS, tool="1").isascii()
    assert "##[" not in findings_sarif(HOSTILE_FINDINGS, tool="1")


def test_gitlab_has_stable_and_distinct_fingerprints() -> None:
    """Equal findings have different fingerprints, and moving them changes none."""
    twice = (FINDINGS[0], FINDINGS[0]._replace(location=Location("catalog/a.yaml", 9, 7)))
    moved = tuple(f._replace(location=Location("catalog/a.yaml", 20, 1)) for f in twice)
    issues, later = json.loads(findings_gitlab(twice)), json.loads(findings_gitlab(moved))
    assert issues[0]["fingerprint"] != issues[1]["fingerprint"]
    assert [i["fingerprint"] for i in issues] == [i["fingerprint"] for i in later]


def test_gitlab_is_inert() -> None:
    """A hostile message or file is plain ASCII in the report."""
    assert findings_gitlab(HOSTILE_FINDINGS).isascii()
    assert "##[" not in findings_gitlab(HOSTILE_FINDINGS)


def test_gitlab_has_the_keys_of_code_quality() -> None:
    """Each issue has what a code quality report must have."""
    issues = json.loads(findings_gitlab(FINDINGS))
    del issues[0]["fingerprint"]
    assert issues[0] == {
        "description": "not a URL",
        "check_name": "bad_url",
        "severity": "major",
        "location": {"path": "catalog/a.yaml", "lines": {"begin": 3}},
    }
    assert issues[1]["severity"] == "minor"
    assert issues[2]["location"] == {"path": ".", "lines": {"begin": 1}}
