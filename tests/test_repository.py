"""The repository as a whole: what may stand in it, and what every test owes its reader."""

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.project import ROOT, every_test, files, modules, top_level
from tests.wheel import faults

TOP_LEVEL = {
    ".ci",
    ".editorconfig",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "PKG-INFO",  # in an sdist
    "README.md",
    "catalog",
    "pyproject.toml",
    "reconciler",
    "tests",
}

# Each word stands in two halves, so that this file does not hold what it forbids.
REGISTRIES = [
    ("pypi", r"\.org"),
    ("python", "hosted"),
    ("registry", r"\.npm"),
    ("deb", r"\.debian"),
    ("crates", r"\.io"),
]
MACHINE_PATHS = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("/tm", "p/venv"),
]
FORBIDDEN = re.compile("|".join(left + right for left, right in REGISTRIES + MACHINE_PATHS))

# What an assertion may look like when it is no `assert`: a context that must raise or warn, or a
# helper whose name says that it checks.
CHECKS = re.compile(r"^(raises|warns|fail|(assert|check|expect)(_\w+)?)$")

# Where the import's name is not the distribution's. What pydantic needs itself comes with it.
DISTRIBUTIONS = {
    "annotated_types": "pydantic",
    "prometheus_client": "prometheus-client",
    "pydantic_core": "pydantic",
    "python_calamine": "python-calamine",
    "ruamel": "ruamel.yaml",
    "typing_extensions": "pydantic",
}


def project_table() -> dict[str, Any]:
    """The [project] table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def names(requirements: list[str]) -> set[str]:
    """The distributions that a list of requirements names."""
    return {re.split(r"[<>=!~\[ ;]", requirement)[0].lower() for requirement in requirements}


def imported(module: ast.Module) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"reconciler"}


def asserts(function: ast.FunctionDef) -> bool:
    """Whether a test can fail for a reason that it states."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            callee = node.func
            name = callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")
            if CHECKS.match(name):
                return True
    return False


def test_top_level_holds_only_known_names() -> None:
    """A file that someone left at the top of the repository is noticed."""
    assert {path.name for path in top_level()} - TOP_LEVEL == set()


def test_no_file_names_a_registry_or_a_machine() -> None:
    """No file holds a package registry's host or a path that exists on one machine only."""
    found = []
    for path in files():
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "https://" + "pypi" + ".org/simple",
        "files." + "python" + "hosted" + ".org",
        "cd " + "/wo" + "rk/main",
        "/ho" + "me/someone/shop",
    ],
)
def test_forbidden_words_are_recognised(text: str) -> None:
    """The pattern that looks for hosts and paths finds them, halves or not."""
    assert FORBIDDEN.search(text)


def test_every_test_says_what_it_proves() -> None:
    """Every test function has a docstring, and it ends as a sentence does."""
    assert [
        place
        for place, function in every_test()
        if not (ast.get_docstring(function) or "").split("\n\n")[0].rstrip().endswith(".")
    ] == []


def test_every_test_asserts() -> None:
    """No test passes by doing nothing but not crashing."""
    assert [place for place, function in every_test() if not asserts(function)] == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("assert 1", True),
        ("with pytest.raises(ValueError): int('x')", True),
        ("check_plan(plan)", True),
        ("plan(catalog)", False),
        ("pass", False),
    ],
)
def test_a_test_without_assertion_is_recognised(body: str, expected: bool) -> None:
    """The search for tests that assert nothing tells the two kinds apart."""
    function = ast.parse(f"def test_it():\n    {body}").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert asserts(function) is expected


def test_every_import_is_declared() -> None:
    """The package imports nothing that installing it does not bring."""
    project = project_table()
    declared = names(project["dependencies"])
    extras = {
        folder: declared | names(project["optional-dependencies"][extra])
        for folder, extra in (("sandbox", "sandbox"), ("watch", "watch"), ("imports", "xlsx"))
    }
    undeclared = []
    for path, module in modules("reconciler"):
        own = [folder for folder in extras if folder in path.relative_to(ROOT).parts]
        allowed = extras[own[0]] if own else declared
        for package in imported(module):
            if DISTRIBUTIONS.get(package, package) not in allowed:
                undeclared.append(f"{path.relative_to(ROOT)}: {package}")
    assert undeclared == []


def test_every_dependency_has_a_lower_bound() -> None:
    """An old environment learns what it lacks at installation, not from a traceback."""
    project = project_table()
    extras = project["optional-dependencies"]
    optional = [*extras["sandbox"], *extras["watch"], *extras["xlsx"]]
    requirements = [*project["dependencies"], *optional]
    assert [text for text in requirements if ">=" not in text] == []


def test_ci_calls_only_targets_that_exist() -> None:
    """Every make target that CI and the hooks call is in the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called: set[str] = set()
    for name in (".ci/run", ".pre-commit-config.yaml", ".github/workflows/ci.yml"):
        for words in re.findall(r"(?m)^(?:\s*entry: )?make ([a-z ]+)", (ROOT / name).read_text()):
            called |= set(words.split())
    assert called
    assert called <= targets


def test_wheel_faults_are_recognised(tmp_path: Path) -> None:
    """A wheel that lacks a template, carries a stray file or has no command is refused."""
    package = tmp_path / "reconciler"
    (package / "templates" / "ci").mkdir(parents=True)
    inner = ("__init__.py", "py.typed", "templates/ci/plan.yml")
    for name in inner:
        (package / name).touch()
    whole = [f"reconciler/{name}" for name in inner]
    command = "[console_scripts]\nreconciler = reconciler.cli:main\n"
    assert faults([*whole, "reconciler-1.dist-info/RECORD"], command, package) == []
    assert faults(whole[:2], command, package) == [
        "missing in the wheel: reconciler/templates/ci/plan.yml",
        "no templates: `init` would have no pipelines to give",
    ]
    assert faults([*whole, "tests/x.py"], command, package) == ["too much in the wheel: tests/x.py"]
    assert len(faults(whole, "", package)) == 1


def test_example_catalogue_is_sound() -> None:
    """The example catalogue has no fault, no warning, and enough products to be worth a demo."""
    from reconciler.catalog.read import load_catalog

    catalog = load_catalog(ROOT / "catalog", working_folder=ROOT)
    assert catalog.warnings == ()
    assert len(catalog.products) >= 60
    assert "0123" in catalog.products
    assert any(product.renamed_from for product in catalog.products.values())


def test_a_public_name_has_one_meaning() -> None:
    """A search for a name finds one definition; only registries define theirs in each file."""
    homes: dict[str, set[str]] = {}
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = getattr(node, "targets", [getattr(node, "target", None)])
            for name in [getattr(node, "name", None), *(getattr(t, "id", None) for t in targets)]:
                if name and not name.startswith("_"):
                    homes.setdefault(name, set()).add(path.relative_to(ROOT).as_posix())
    twice = {name: found for name, found in homes.items() if len(found) > 1}
    assert twice.keys() <= {"RULE", "FORMAT", "command"}, twice
