"""Shows a plan in any format, on stdout or in a file, with its warnings on stderr."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Rendering
from reconciler.clock import stamp
from reconciler.errors import UsageError
from reconciler.model import Finding
from reconciler.planning.plan import Plan
from reconciler.report.context import Context
from reconciler.report.formats import render_plan
from reconciler.report.output import TO_OUTPUT, write_file, write_output, write_stdout
from reconciler.report.words import by_code, summary_line, unlabelled_line
from reconciler.version import VERSION

if TYPE_CHECKING:
    from reconciler.ledger.stores import LedgerStore
    from reconciler.model import Removed
    from reconciler.report.history import JournalRecord
    from reconciler.report.plan_json import SavedPlan

TO_TERMINAL: Final = Rendering("text", None)
# Thousands of warnings alike would hide the only other one.
_MOST_OF_A_KIND: Final = 5


def show_plan(
    plan: Plan,
    rendering: Rendering,
    invocation: Invocation,
    *,
    compared: str | None = None,
    hint: str = TO_OUTPUT,
) -> None:
    """Write a plan that was just made; `compared` holds the revisions of a diff.

    Its warnings go to stderr, also a summary unless the plan is text on stdout. Raises OutputError
    if it cannot be written, with `hint` if it was meant for stdout.
    """
    saved = made_now(plan, invocation, None)
    show_saved(saved, rendering, invocation, compared=compared, hint=hint)


def show_saved(
    saved: "SavedPlan",
    rendering: Rendering,
    invocation: Invocation,
    *,
    compared: str | None = None,
    hint: str = TO_OUTPUT,
) -> None:
    """Write a plan as `show_plan` does, with the time and the version of its making."""
    if rendering.summary and rendering.format not in ("text", "markdown"):
        raise UsageError(
            f"--summary has no effect on the format {rendering.format}.",
            hint="Use --format text or markdown.",
        )
    plan = saved.plan
    context = replace(context_of(saved, rendering, invocation), compared=compared)
    if rendering.format == "text" and rendering.output is None:
        # A terminal shows both streams, so print the warnings once, after the plan.
        text = render_plan(replace(plan, warnings=()), rendering.format, context=context)
        write_stdout(text, hint=hint)
        say_warnings(plan.warnings, invocation)
        return
    text = render_plan(plan, rendering.format, context=context)
    # Annotations on stdout are the log already: each warning stands there once.
    if rendering.format != "github" or rendering.output is not None:
        _sum_up(plan, context, invocation)
    write_output(text, rendering.output, private=rendering.format == "json", hint=hint)


def show_journal(journal: "JournalRecord", rendering: Rendering, invocation: Invocation) -> None:
    """Write a journal; UsageError for a format that only plans have."""
    from reconciler.report.journal_text import journal_json, journal_text

    in_color = _check_record("A journal", rendering, invocation)
    is_json = rendering.format == "json"
    text = journal_json(journal) if is_json else journal_text(journal, color=in_color)
    # Records hold what was entered by hand at Robosize, so only its owner may read the file.
    write_output(text, rendering.output, private=True)


def show_removed(
    removed: "Sequence[Removed]",
    kept: "LedgerStore",
    rendering: Rendering,
    invocation: Invocation,
) -> None:
    """Write the removed products of the ledger `kept`; UsageError for a format only of plans."""
    from reconciler.report.removed_text import removed_json, removed_text

    in_color = _check_record("What was removed", rendering, invocation)
    if rendering.format == "json":
        text = removed_json(removed, store=kept.store, place=kept.describe())
    else:
        text = removed_text(removed, color=in_color)
    write_output(text, rendering.output, private=True)


def _check_record(what: str, rendering: Rendering, invocation: Invocation) -> bool:
    """Raise UsageError for a format that only plans have; return whether text has colours."""
    if rendering.format not in ("text", "json"):
        raise UsageError(
            f"{what} has no {rendering.format} format.", hint="Use --format text or json."
        )
    return invocation.console.stdout_color and rendering.output is None


def save_plan(saved: "SavedPlan", file: Path, invocation: Invocation) -> None:
    """Write the plan to `file` for a later apply, readable only by its owner."""
    context = context_of(saved, Rendering("json", file), invocation)
    write_file(file, render_plan(saved.plan, "json", context=context), private=True)


def made_now(plan: Plan, invocation: Invocation, api_url: str | None) -> "SavedPlan":
    """A plan that was just made for the endpoint `api_url`, as a SavedPlan."""
    from reconciler.report.plan_json import SavedPlan

    calls = tuple(calls_of(plan, invocation))
    return SavedPlan(plan, api_url, stamp(datetime.now(UTC)), VERSION, calls)


def made_line(saved: "SavedPlan") -> str:
    """The time, version, store and endpoint of a saved plan, in one sentence."""
    at = f" at {saved.api_url}" if saved.api_url else ""
    return (
        f"Made {saved.created_at} by reconciler {saved.tool} "
        f"for the store {saved.plan.store!r}{at}."
    )


def context_of(saved: "SavedPlan", rendering: Rendering, invocation: Invocation) -> Context:
    """What a renderer needs besides the plan: how it was made, and the environment."""
    console, to_stdout = invocation.console, rendering.output is None
    return Context(
        tool=saved.tool,
        created_at=saved.created_at,
        api_url=saved.api_url,
        operations=saved.operations,
        color=console.stdout_color and to_stdout,
        width=console.width if to_stdout else None,
        repository_url=repository_url(invocation.environ),
        commit=saved.plan.catalog.commit,
        ascii=console.ascii and to_stdout,
        rehearsal=saved.rehearsal,
        run_url=run_url(invocation.environ),
        summary=rendering.summary,
    )


def calls_of(plan: Plan, invocation: Invocation) -> Sequence[Mapping[str, Any]]:
    """The calls that apply would make for the plan, as Plan JSON shows them."""
    from reconciler.planning.operations import as_json

    return as_json(plan, batch=invocation.settings.for_store(plan.store).requests.batch)


def repository_url(environ: Mapping[str, str]) -> str | None:
    """The repository's URL, if this is a pipeline of GitHub or GitLab."""
    if repository := environ.get("GITHUB_REPOSITORY"):
        return f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"
    return environ.get("CI_PROJECT_URL") or None


def run_url(environ: Mapping[str, str]) -> str | None:
    """The page that keeps the files of this run, if this is a pipeline of GitHub or GitLab."""
    repository, run = repository_url(environ), environ.get("GITHUB_RUN_ID")
    if repository and run:
        return f"{repository}/actions/runs/{run}#artifacts"
    job = environ.get("CI_JOB_URL")
    # GitLab keeps the files with the job, GitHub with the run.
    return f"{job}/artifacts/browse" if job else None


def _sum_up(plan: Plan, context: Context, invocation: Invocation) -> None:
    """Print the plan's summary, warnings and refusals for a reader of the log."""
    console = invocation.console
    if not console.quiet:
        console.say("info", summary_line(plan, context.calls))
    say_warnings(plan.warnings, invocation)
    say_refusals(plan, invocation)


def say_warnings(warnings: Sequence[Finding], invocation: Invocation) -> None:
    """Print warnings on stderr, each with its location and code: some of each kind."""
    for code, found in by_code(warnings).items():
        for warning in found[:_MOST_OF_A_KIND]:
            invocation.console.say("warning", unlabelled_line(warning), code=code)
        if len(found) > _MOST_OF_A_KIND:
            more = f"{len(found) - _MOST_OF_A_KIND} more like this [{code}]"
            invocation.console.say("warning", more, code=code)


def say_refusals(plan: Plan, invocation: Invocation) -> None:
    """Print on stderr what apply will refuse, and the flag that allows it."""
    for refusal in plan.refusals:
        message = f"apply will refuse: {refusal.message} {refusal.allow} allows it."
        invocation.console.say("warning", message, code=refusal.code)


def distinct_files(**files: Path | None) -> None:
    """Raise UsageError if two flags name the same file, which would be overwritten."""
    seen: dict[Path, str] = {}
    for flag, file in files.items():
        if file is None:
            continue
        # Two spellings may name one file.
        path = file.absolute()
        if path in seen:
            raise UsageError(
                f"--{seen[path]} and --{flag} name the same file, {file}.",
                hint="Give each flag its own file.",
            )
        seen[path] = flag
