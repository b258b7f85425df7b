"""The pictures of README.md, made by `make docs` from the demo's data with the code as it is.

A page and a comment are drawn by Chromium, a terminal by rich. Where a comment shows a picture that
does not exist (the example shop has no server) stands what the sandbox draws for such a picture.
"""

import base64
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cmarkgfm import github_flavored_markdown_to_html  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

from reconciler.cli.main import run
from reconciler.sandbox.pictures import picture
from tests.project import ROOT
from tests.report.browser import CHROMIUM, Tab, browser

FOLDER: Final = ROOT / ".github" / "images"
THEMES: Final = ("light", "dark")
SHOWN: Final = [
    *(f"{name}-{theme}.webp" for name in ("comment", "page") for theme in THEMES),
    *(f"terminal-{theme}.svg" for theme in THEMES),
]
"""The names of all pictures."""

_EDIT: Final = (
    ("0117/front.jpg", "0117/front-v2.jpg"),
    ("[linen, summer, women]", "[linen, new, summer, women]"),
)
_MADE: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_FRAME: Final = """\
<!doctype html><meta charset="utf-8"><style>
:root { color-scheme: light dark; --back: #fff; --text: #1f2328; --soft: #59636e; --line: #d1d9e0;
  --head: #f6f8fa; --code: #818b981f; --link: #0969da; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --text: #f0f6fc; --soft: #9198a1;
  --line: #3d444d; --head: #151b23; --code: #656c7633; --link: #4493f8; } }
body { margin: 16px; background: var(--back); color: var(--text);
  font: 14px/1.5 system-ui, sans-serif; }
.comment { border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.by { padding: 8px 16px; background: var(--head); border-bottom: 1px solid var(--line);
  color: var(--soft); } .by b { color: var(--text); } .text { padding: 4px 16px 12px; }
h3 { font-size: 1.25em; margin: 12px 0; } h4 { margin: 20px 0 10px; } summary { cursor: pointer; }
code { background: var(--code); border-radius: 6px; padding: .2em .4em;
  font: 85% ui-monospace, monospace; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: 6px 13px; }
ul { padding-left: 2em; margin: 6px 0; } a { color: var(--link); } img { border-radius: 6px; }
</style><div class="comment"><div class="by"><b>github-actions</b> commented on this pull request
</div><div class="text">"""


def told(*arguments: str) -> str:
    """What a command prints; it must end well."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = run(arguments)
    if code != 0:
        raise RuntimeError(f"reconciler {' '.join(arguments)} ended with {code}.")
    return out.getvalue()


@contextmanager
def demo() -> Iterator[Path]:
    """A folder as the demo has it: the example catalogue, and a sandbox that has drifted."""
    before = Path.cwd()
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "catalog", folder / "catalog")
        os.chdir(folder)
        try:
            told("sandbox", "--seed", "drifted", "--seed-only")
            yield folder
        finally:
            os.chdir(before)


def edit(folder: Path) -> None:
    """Apply the first plan, and make the demo's edit."""
    told("apply", "--sandbox", "--yes")
    file = folder / "catalog" / "women" / "tops.yaml"
    text = file.read_text(encoding="utf-8")
    for old, new in _EDIT:
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def page() -> str:
    """The first plan as a page."""
    return _MADE.sub("2026-01-05T09:30:00Z", told("plan", "--sandbox", "--format", "html"))


def comment() -> str:
    """The plan of the files as a comment, as a code host shows it."""
    text = told("plan", "--sandbox", "--format", "markdown")
    read = github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    return _FRAME + re.sub(r'src="([^"]*)"', _drawn, read).replace(
        "<td><details>", "<td><details open>"
    )


def _drawn(source: re.Match[str]) -> str:
    """The picture behind an address, as the sandbox draws it, within the page."""
    url = unescape(source[1])
    found = re.search(r"/(\w+)/front", url)
    name = hashlib.sha256(url.encode()).hexdigest()[:16] if found else Path(url).stem
    drawn = picture("top", found[1] if found else "0117", name)
    return f'src="data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"'


def terminal(theme: str) -> str:
    """The plan of the files on a terminal, as an SVG that loads nothing."""
    text = told("--color", "always", "plan", "--sandbox")
    console = Console(record=True, width=88, file=io.StringIO(), color_system="standard")
    console.print(Text("$ reconciler plan --sandbox", style="bold"))
    console.print(Text.from_ansi(text))
    form = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    look = SVG_EXPORT_THEME if theme == "dark" else DEFAULT_TERMINAL_THEME
    return console.export_svg(
        title="reconciler", theme=look, code_format=form, unique_id="reconciler"
    )


def draw(tab: Tab, html: str, name: str, size: tuple[int, int, int], scratch: Path) -> None:
    """Screenshots of a page in both colour schemes; `size` is width, height and where to begin."""
    width, height, top = size
    file = scratch / "shown.html"
    file.write_text(html, encoding="utf-8")
    tab.resize(width, height)
    for theme in THEMES:
        tab.scheme(theme)
        tab.open(file)
        tab.send("Emulation.setScrollbarsHidden", hidden=True)
        tab.run(f"scrollTo(0, {top})")
        tab.settle()
        data = tab.send("Page.captureScreenshot", format="webp", quality=82)["data"]
        (FOLDER / f"{name}-{theme}.webp").write_bytes(base64.b64decode(data))


def main() -> int:
    """Make every picture anew; without Chromium, those of the terminal alone."""
    FOLDER.mkdir(exist_ok=True)
    with demo() as folder, TemporaryDirectory() as scratch:
        first = page()
        edit(folder)
        for theme in THEMES:
            (FOLDER / f"terminal-{theme}.svg").write_text(terminal(theme), encoding="utf-8")
        edited = comment()
        if CHROMIUM is not None:
            with browser(Path(scratch) / "profile") as tab:
                draw(tab, first, "page", (1000, 860, 500), Path(scratch))
                draw(tab, edited, "comment", (1000, 560, 0), Path(scratch))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
