"""The registry of formats, and what holds for all of them."""

import subprocess
import sys

import pytest

from reconciler.errors import UsageError
from reconciler.planning.plan import CatalogFacts, Plan
from reconciler.report.formats import FORMATS, render_plan
from tests.report.plans import CONTEXT, HOSTILE, hostile_plan, small_plan

_LOADED = """
import sys
import reconciler.report.formats
heavy = {"jinja2", "pydantic", "deepdiff", "rich"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""


def test_has_the_documented_formats() -> None:
    """The names are those of the interface."""
    assert set(FORMATS) == {"text", "markdown", "html", "json", "github", "gitlab"}


@pytest.mark.parametrize("format", FORMATS)
def test_same_plan_same_bytes(format: str) -> None:
    """Every format gives the same text for the same plan, with a line break at its end."""
    first = render_plan(small_plan(), format, context=CONTEXT)
    assert first == render_plan(small_plan(), format, context=CONTEXT)
    assert first.endswith("\n")


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_plan_renders(format: str) -> None:
    """Every format can say that nothing is to change."""
    assert render_plan(Plan("default", CatalogFacts(0), 0), format, context=CONTEXT)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("text", [HOSTILE, "\ud800", "\x00", "", " ", "é" * 20_000])
def test_hostile_text_is_inert_everywhere(format: str, text: str) -> None:
    """In no format does text from elsewhere bring a control character or a command."""
    rendered = render_plan(hostile_plan(text), format, context=CONTEXT)
    assert not any(ord(character) < 0x20 and character != "\n" for character in rendered)
    assert not set("\u202e\u2066\u2028\x9b\x7f") & set(rendered)
    assert "##[" not in rendered
    assert "##vso[" not in rendered
    assert "::set-output" not in [line.lstrip()[:12] for line in rendered.splitlines()]


def test_an_unknown_format_is_named() -> None:
    """A format that does not exist is an error that lists those that do."""
    with pytest.raises(UsageError, match='no format "pdf"') as caught:
        render_plan(small_plan(), "pdf", context=CONTEXT)
    assert caught.value.hint is not None
    assert "markdown" in caught.value.hint


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    """Importing the registry loads no template engine, validator or differ."""
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
