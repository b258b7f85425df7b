"""Catalogue findings as SARIF 2.1.0, the format of code scanning."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from reconciler.codes import Code
from reconciler.explain.entry import Explanation
from reconciler.explain.registry import ENTRIES
from reconciler.model import Finding
from reconciler.report.escape import escape
from reconciler.report.json_text import json_text

NO_RULES: Final[Mapping[str, Explanation]] = MappingProxyType({})
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def findings_sarif(
    findings: Sequence[Finding], *, tool: str, rules: Mapping[str, Explanation] = NO_RULES
) -> str:
    """The findings as one run of `reconciler`, whose version is `tool`.

    `rules` explain the codes that are names of the shop's own rules.
    """
    codes = sorted({finding.code for finding in findings})
    driver = {
        "name": "reconciler",
        "version": tool,
        "rules": [_rule(code, rules) for code in codes],
    }
    results = [_result(finding, codes) for finding in findings]
    run = {
        "tool": {"driver": driver},
        # Many tools count columns in UTF-16 units; a catalogue's are characters.
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json_text({"version": "2.1.0", "$schema": _SCHEMA, "runs": [run]})


def _rule(code: str, rules: Mapping[str, Explanation]) -> dict[str, Any]:
    """What a code means, for whoever reads an alert."""
    entry = rules[code] if code in rules else ENTRIES[Code(code)]
    return {
        "id": code,
        "shortDescription": {"text": code.replace("_", " ")},
        "fullDescription": {"text": entry.meaning},
        "help": {"text": f"{entry.remedy}\n\nFor example:\n\n{entry.example}"},
    }


def _result(finding: Finding, codes: Sequence[str]) -> dict[str, Any]:
    """One finding; without a location it stands at the catalogue as a whole."""
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": finding.severity,
        # It is shown as it is, and a bidi character would reorder what a reviewer reads.
        "message": {"text": escape(finding.message)},
    }
    if location := finding.location:
        # The format wants a URI, in which a blank or a # of a file name means something else.
        uri = quote(location.file, errors="backslashreplace")
        region = {"startLine": location.line, "startColumn": location.column}
        physical = {"artifactLocation": {"uri": uri}, "region": region}
        result["locations"] = [{"physicalLocation": physical}]
    return result
