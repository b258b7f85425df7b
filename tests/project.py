"""The project's own files, for the tests and commands that read them."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent


def left_behind() -> list[str]:
    """The names and globs in .gitignore: what tools leave, and no test looks at."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    return [".git", *(line for line in lines if line and not line.startswith("#"))]


def top_level() -> Iterator[Path]:
    """What stands at the top of the repository."""
    ignored = left_behind()
    for path in sorted(ROOT.iterdir()):
        if not any(fnmatch(path.name, pattern) for pattern in ignored):
            yield path


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file of the project below `folder`, without what tools leave behind."""
    ignored = left_behind()
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name, pattern) for pattern in ignored):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def modules(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    """Every Python module below the top-level folder `folder`, parsed."""
    for path in files(ROOT / folder):
        if path.suffix == ".py":
            yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def every_test() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every test function with its place, `file:line`."""
    for path, module in modules("tests"):
        if path.name.startswith("test_"):
            for node in ast.walk(module):
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node
