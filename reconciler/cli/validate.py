"""`reconciler validate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.command import Choice
from reconciler.cli.command import command as named
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import (
    catalog_option,
    format_option,
    has_catalog,
    if_present,
    pass_invocation,
)
from reconciler.version import VERSION

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.reconcile.files import Examined
    from reconciler.settings import Settings


@named("validate")
@click.argument("paths", type=click.Path(path_type=Path), nargs=-1, metavar="[PATH]...")
@catalog_option
@format_option(["text", "json", "github", "gitlab", "sarif"])
@click.option("--rules", is_flag=True, help="Only list the lint rules with their levels.")
@click.option(
    "--policy",
    type=Choice(["suggest"]),
    help="Only suggest rules for the settings, from what the products have.",
)
@if_present
@pass_invocation
def command(
    invocation: Invocation,
    paths: tuple[Path, ...],
    catalog: Path | None,
    format: str,
    rules: bool,
    policy: str | None,
    if_present: bool,
) -> int:
    """Check the catalogue; needs no network.

    Reads the whole catalogue, and with PATHs shows only findings about them. Every finding is shown
    with its file, line and column. Exits with 1 if there is an error, not for warnings. Lint rules
    are set in the settings to off, warning or error: `lint: {duplicate-name: off}`.
    """
    from reconciler.reconcile.files import examined
    from reconciler.report.output import write_stdout

    settings = invocation.settings
    # Rules come from the settings alone, so no catalogue is needed.
    if rules:
        write_stdout(_rules(settings, format, invocation.console))
        return 0
    if if_present and not has_catalog(invocation, catalog):
        return 0
    if policy is not None:
        write_stdout(_suggestion(settings, catalog, paths, format))
        return 0
    # Everything is read even with PATHS: a store_id may be declared twice across files.
    found = examined(settings, catalog, paths)
    write_stdout(_rendered(found, format, settings, invocation.console))
    return 1 if any(finding.severity == "error" for finding in found.findings) else 0


def _suggestion(
    settings: "Settings", catalog: Path | None, paths: tuple[Path, ...], format: str
) -> str:
    from reconciler.errors import UsageError
    from reconciler.reconcile.files import suggest_policy
    from reconciler.report.suggestion_text import suggestion_json, suggestion_text

    if format not in ("text", "json"):
        raise UsageError(
            f"A suggested policy has no {format} format.", hint="Use --format text or json."
        )
    if paths:
        raise UsageError("A policy is suggested for a whole catalogue.", hint="Leave out PATH.")
    found = suggest_policy(settings, catalog)
    return suggestion_json(found) if format == "json" else suggestion_text(found)


def _rules(settings: "Settings", format: str, console: "Console") -> str:
    from reconciler.errors import UsageError
    from reconciler.report.explanations import rules_json, rules_text

    if format not in ("text", "json"):
        raise UsageError(f"The rules have no {format} format.", hint="Use --format text or json.")
    ruleset = settings.ruleset()
    if format == "json":
        return rules_json(ruleset)
    return rules_text(ruleset, color=console.stdout_color, width=console.width)


def _rendered(found: "Examined", format: str, settings: "Settings", console: "Console") -> str:
    from reconciler.report import findings as plain

    findings = found.findings
    read = plain.Read(found.products, found.files, found.folders)
    if format == "github":
        from reconciler.report.github import findings_github

        return findings_github(findings, read)
    if format == "gitlab":
        from reconciler.report.gitlab import findings_gitlab

        return findings_gitlab(findings)
    if format == "sarif":
        from reconciler.explain.registry import explained
        from reconciler.report.sarif import findings_sarif

        rules = [rule for own in settings.rulesets() for rule in own.rules]
        return findings_sarif(findings, tool=VERSION, rules=explained(rules))
    if format == "json":
        return plain.findings_json(findings)
    return plain.findings_text(findings, read, color=console.stdout_color, width=console.width)
