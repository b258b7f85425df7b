"""Codes explained, and lint rules listed, as text for people and as JSON."""

from collections.abc import Mapping
from textwrap import indent, wrap

from reconciler.codes import Code
from reconciler.explain.registry import ENTRIES, GROUPS, explained
from reconciler.linting.registry import Ruleset, rule_named
from reconciler.linting.rule import Rule
from reconciler.policy.guard_rule import GuardRule
from reconciler.policy.plan_rule import PlanRule
from reconciler.policy.registry import RULES
from reconciler.report.json_text import json_text
from reconciler.report.style import Style
from reconciler.wording import wrapped

_WIDTH = 80


def explanation_text(named: Code | Rule, *, color: bool = False, width: int | None = None) -> str:
    """One code, or rule of a shop: what it means, an example, what to do."""
    columns = min(_WIDTH, width or _WIDTH)
    code = named.code if isinstance(named, Rule) else named
    rule = named if isinstance(named, Rule) else rule_named(code, RULES)
    entry = explained([named])[code] if isinstance(named, Rule) else ENTRIES[named]
    style = Style(color)
    heading = style.bold(code)
    if rule is not None:
        about = f" (lint rule {rule.id}, {rule.level} unless the settings say otherwise)"
        first, *rest = wrapped(f"{code}{about}", width, hang="  ")
        # Painted after it was wrapped: colour codes take no columns, but would be counted.
        heading = "\n".join([heading + first[len(code) :], *rest])
    return "\n".join(
        [
            heading,
            "",
            *wrap(entry.meaning, columns),
            "",
            style.dim("For example:"),
            indent(entry.example, "    "),
            "",
            style.dim("What to do:"),
            *wrap(entry.remedy, columns, initial_indent="    ", subsequent_indent="    "),
            "",
        ]
    )


def list_text(*, color: bool = False, width: int | None = None) -> str:
    """Every code with the first sentence of its meaning, group by group."""
    style = Style(color)
    longest = max(map(len, ENTRIES))
    lines: list[str] = []
    for title, group in GROUPS.items():
        lines += [style.bold(title), ""]
        for code, entry in group.items():
            sentence = _first_sentence(entry.meaning)
            # Two columns on a narrow terminal would leave a few letters for the sentence.
            if width is None or width >= _WIDTH:
                line = f"  {code.ljust(longest)}  {sentence}"
                lines += wrapped(line, width, hang=" " * (longest + 4))
            else:
                lines += [f"  {code}", *wrapped(f"      {sentence}", width, hang="      ")]
        lines.append("")
    return "\n".join([*lines, "`reconciler explain CODE` tells more.", ""])


def rules_text(ruleset: Ruleset, *, color: bool = False, width: int | None = None) -> str:
    """Every lint rule with its level, what it is run on, its sentence and its example."""
    style, columns = Style(color), min(_WIDTH, width or _WIDTH)
    lines: list[str] = []
    for rule in ruleset.rules:
        lines.append(f"{style.bold(rule.id)}  {ruleset.level_of(rule)}  ({_where(rule)})")
        lines += wrap(rule.sentence, columns, initial_indent="  ", subsequent_indent="  ")
        lines += [style.dim(indent(rule.example, "    ")), ""]
    switch = "Switch a rule in reconciler.yaml: `lint: {RULE: off}`, or warning, or error."
    lines += wrapped(switch, width)
    return "\n".join([*lines, ""])


def rules_json(ruleset: Ruleset) -> str:
    """`{"rules": [{"id", "code", "severity", "runs_in", "sentence", "example"}]}`."""
    return json_text({"rules": [_rule(rule, ruleset) for rule in ruleset.rules]})


def _rule(rule: Rule, ruleset: Ruleset) -> Mapping[str, str]:
    return {
        "id": rule.id,
        "code": rule.code,
        "severity": ruleset.level_of(rule),
        "runs_in": _where(rule),
        "sentence": rule.sentence,
        "example": rule.example,
        "remedy": rule.remedy,
    }


def _where(rule: Rule) -> str:
    return "plan" if isinstance(rule, PlanRule | GuardRule) else "validate"


def _first_sentence(text: str) -> str:
    head, dot, _ = text.partition(". ")
    return head + dot.rstrip()
