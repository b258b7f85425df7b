"""`explain` knows every code, and every code is the tool's."""

import ast

import pytest

from reconciler.codes import Code
from reconciler.explain.registry import ENTRIES, GROUPS, code_named
from reconciler.report.explanations import explanation_text, list_text
from tests.project import modules

from .here import Here

APART = {"explain", "codes.py"}


def used_codes() -> set[str]:
    """The members of Code that the package uses outside its explanations."""
    used: set[str] = set()
    for path, module in modules("reconciler"):
        if not APART & set(path.parts):
            for node in ast.walk(module):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    used |= {node.attr} if node.value.id == "Code" else set()
    return used


def test_every_code_is_explained_once() -> None:
    """No code lacks an entry, no entry lacks a code, and none stands in two groups."""
    assert set(ENTRIES) == set(Code)
    assert sum(map(len, GROUPS.values())) == len(Code)


def test_every_code_is_used() -> None:
    """The tool can print each code that it explains."""
    assert {code.name for code in Code} - used_codes() == set()


@pytest.mark.parametrize("code", Code)
def test_no_entry_is_a_stub(code: Code) -> None:
    """Each entry has whole sentences of its own about meaning and remedy, and an example."""
    entry = ENTRIES[code]
    assert len(entry.meaning) > 40
    assert entry.meaning[0].isupper()
    assert entry.meaning.endswith((".", ")"))
    assert len(entry.remedy) > 20
    assert entry.example.strip()
    others = [other for other in Code if other is not code]
    assert all(ENTRIES[other].meaning != entry.meaning for other in others)


@pytest.mark.parametrize("code", Code)
def test_each_code_is_told(code: Code, here: Here) -> None:
    """The command tells what it means, an example, and what to do."""
    done = here("explain", code.value)
    assert done.code == 0
    assert done.out.startswith(code.value)
    assert "For example:" in done.out
    assert "What to do:" in done.out


def test_without_a_code_all_are_listed(here: Here) -> None:
    """Every code is a line of the list."""
    lines = here("explain").out.splitlines()
    listed = {line.split()[0] for line in lines if line.startswith("  ")}
    assert listed == set(Code)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("BAD-URL", Code.BAD_URL),
        ("[not_nfc]", Code.NOT_NFC),
        ("tags-differ-only-in-case", Code.TAGS_DIFFER_IN_CASE),
        ("nothing", None),
    ],
)
def test_spellings_of_a_code(typed: str, meant: Code | None) -> None:
    """A code is known as it is printed, with dashes, in capitals, and by its rule's name."""
    assert code_named(typed) is meant


def test_codes_are_completed() -> None:
    """A shell that asks what a code begins like is given the codes."""
    from click.shell_completion import ShellComplete

    from reconciler.cli.main import cli

    complete = ShellComplete(cli, {}, "reconciler", "_RECONCILER_COMPLETE")
    found = complete.get_completions(["explain"], "bad_u")
    assert [item.value for item in found] == ["bad_url"]


@pytest.mark.parametrize("width", [60, 120])
def test_explanations_fit_the_terminal(width: int) -> None:
    """Whatever is said in sentences is broken between words; an example stays as it is."""
    lines = list_text(width=width).splitlines()
    for code in Code:
        example = ENTRIES[code].example
        text = explanation_text(code, width=width)
        lines += [line for line in text.splitlines() if line.strip() not in example]
    assert max(map(len, lines)) <= width


def test_an_unknown_code_is_exit_1(here: Here) -> None:
    """An unknown code is an error that names the nearest one."""
    done = here("explain", "bad_yml")
    assert (done.code, done.out) == (1, "")
    assert "Did you mean 'bad_yaml'?" in done.err
    assert "Did you mean" not in here("explain", "xyzzy").err
