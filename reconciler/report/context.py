"""What a renderer needs beside the Plan, all of it given by the caller: no clock, no terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.planning.plan import Plan, Rehearsal


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one rendering.

    `tool` and `created_at` say which version made the plan when, and `api_url` for which endpoint;
    `compared` names the revisions, if no remote was asked at all;
    `operations` are its calls as Plan JSON shows them; `width` is in columns, None for a pipe;
    `repository_url` and `commit` make links of places, if both are known; `rehearsal` says how the
    plan went on a copy of the remote, if it was tried; `run_url` is where the pipeline that runs
    keeps its files. `summary` leaves the products out.
    """

    # Given and not asked for, so that one plan always gives the same bytes (P8).
    tool: str = ""
    created_at: str = ""
    api_url: str | None = None
    compared: str | None = None
    operations: Sequence[Mapping[str, Any]] = ()
    color: bool = False
    width: int | None = None
    repository_url: str | None = None
    commit: str | None = None
    ascii: bool = False
    rehearsal: Rehearsal | None = None
    run_url: str | None = None
    summary: bool = False

    @property
    def calls(self) -> Mapping[str, int]:
        """How many calls of each HTTP method the plan needs."""
        return Counter(str(operation.get("method", "?")) for operation in self.operations)


def title_of(plan: Plan, context: Context) -> str:
    """The heading of a plan: its store, or the revisions that were compared."""
    if context.compared:
        return f"Comparison of two revisions: {context.compared}"
    return f"Plan for {plan.store}"


def without_stale_links(plan: Plan, context: Context) -> Context:
    """The context without its commit if the plan was made from files that differ from it."""
    # A link to the commit would show other lines than those that were read.
    return replace(context, commit=None) if plan.catalog.dirty else context
