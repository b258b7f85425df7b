"""The formats of a Plan: name -> renderer, each loaded only when it is asked for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from reconciler.errors import UsageError
from reconciler.planning.plan import Plan
from reconciler.report.context import Context

__all__ = ["FORMATS", "Context", "Renderer", "render_plan"]

Renderer: TypeAlias = Callable[[Plan, Context], str]


def render_plan(plan: Plan, format: str, *, context: Context) -> str:
    """The plan in `format`, one of FORMATS; raises UsageError for any other name."""
    renderer = _RENDERERS.get(format)
    if renderer is None:
        raise UsageError(
            f'There is no format "{format}".', hint=f"Use one of: {', '.join(FORMATS)}."
        )
    return renderer(plan, context)


# Each imports its module itself: a plan on a terminal must not wait for the code of pages.
def _text(plan: Plan, context: Context) -> str:
    from reconciler.report.text import plan_text
    from reconciler.report.words import rehearsal_text

    text = plan_text(
        plan,
        context.calls,
        color=context.color,
        width=context.width,
        ascii=context.ascii,
        summary=context.summary,
    )
    return text if context.rehearsal is None else f"{text}{rehearsal_text(context.rehearsal)}\n"


def _json(plan: Plan, context: Context) -> str:
    from reconciler.report.plan_json import plan_json

    return plan_json(
        plan,
        tool=context.tool,
        created_at=context.created_at,
        api_url=context.api_url,
        operations=context.operations,
        rehearsal=context.rehearsal,
    )


def _markdown(plan: Plan, context: Context) -> str:
    from reconciler.report.markdown import plan_markdown

    return plan_markdown(plan, context)


def _html(plan: Plan, context: Context) -> str:
    from reconciler.report.html import plan_html

    return plan_html(plan, context)


def _github(plan: Plan, context: Context) -> str:
    from reconciler.report.github import plan_github

    return plan_github(plan, context)


def _gitlab(plan: Plan, context: Context) -> str:
    from reconciler.report.gitlab import plan_gitlab

    return plan_gitlab(plan)


_RENDERERS: Final[Mapping[str, Renderer]] = MappingProxyType(
    {
        "text": _text,
        "markdown": _markdown,
        "html": _html,
        "json": _json,
        "github": _github,
        "gitlab": _gitlab,
    }
)
FORMATS: Final = tuple(_RENDERERS)
