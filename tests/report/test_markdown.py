"""A plan as Markdown, judged by what a Markdown reader makes of it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from cmarkgfm import github_flavored_markdown_to_html  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from hypothesis import given
from markdown_it import MarkdownIt

from reconciler.codes import Code
from reconciler.model import Finding, Location
from reconciler.planning.plan import Blocked, CatalogFacts, Delete, FieldChange, Plan, Update
from reconciler.report.context import Context
from reconciler.report.escape import escape
from reconciler.report.markdown import LIMIT, marker, plan_markdown
from reconciler.report.markup import code, escape_markdown, prose
from tests.report.plans import (
    CONTEXT,
    HOSTILE,
    PLANS,
    TEXTS,
    hostile_plan,
    long_plan,
    seen,
    small_plan,
)

OURS = {
    *("h3", "h4", "p", "strong", "blockquote", "ul", "li", "code", "details", "summary", "br"),
    *("table", "thead", "tbody", "tr", "th", "td", "img", "a"),
}
LINKED = replace(CONTEXT, repository_url="https://github.com/shop/catalog", commit="c0ffee")


class _Page(HTMLParser):
    """The tags, rows and texts of rendered Markdown."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.codes: list[str] = []
        self.text = ""
        self._in_code = False
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "code":
            self._in_code = True
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_code:
            self.codes[-1] += data


def _text(page: str) -> str:
    """The text of an HTML page, without its tags and comments."""
    return re.sub(r"<[^>]*>", "", page)


def test_one_table_line_a_product_deletes_first() -> None:
    """Each product is one line of its kind's table, and the kinds come in order of danger."""
    text = plan_markdown(small_plan(), CONTEXT)
    headings = [line for line in text.splitlines() if line.startswith("####")]
    assert headings == [
        "#### 1 product to delete",
        "#### 1 product to create",
        "#### 1 product to rename",
        "#### 1 product to change",
    ]
    assert _Page(text).tags.count("tr") == 4 + 4


def test_tells_all_that_a_reviewer_needs() -> None:
    """Counts, refusals, destroyed data, tags, images, places, origins, calls and digest."""
    plan = small_plan()
    page = _Page(plan_markdown(plan, LINKED))
    for expected in (
        "1 to delete, 1 to create, 1 to rename, 1 to change",
        "20 unchanged, 1 blocked, 2 unconfirmed. 1 from this branch, 1 both. 2 calls",
        "Apply will refuse this plan.",
        "--allow-deletes 1",
        "size_chart, comment",
        "+ winter - autumn",
        "in doubt → https://cdn.shop/2.jpg",
        "(edit)",
        "1 blocked product",
        "1 warning",
        plan.digest,
    ):
        assert expected in page.text
    assert "https://img.example/1.jpg" in page.sources
    assert "https://cdn.shop/2.jpg" in page.sources
    assert "https://github.com/shop/catalog/blob/c0ffee/catalog/coats.yaml#L14" in page.sources


def test_uncommitted_places_are_not_linked() -> None:
    """Where the files differ from the commit, no line of the commit is linked."""
    plan = replace(small_plan(), catalog=CatalogFacts(24, "abc", "c0ffee", True))
    page = _Page(plan_markdown(plan, LINKED))
    assert "a" not in page.tags
    assert "catalog/coats.yaml:14" in page.text


def test_the_marker_finds_the_comment_again() -> None:
    """The first line is a hidden comment of the store that no store's name can close."""
    assert plan_markdown(small_plan(), CONTEXT).startswith("<!-- reconciler:default -->\n")
    assert marker("a --> <b>") == "<!-- reconciler:a%20--%3E%20%3Cb%3E -->"


def test_an_empty_plan_says_so() -> None:
    """Nothing to change is said in words, without tables."""
    text = plan_markdown(Plan("default", CatalogFacts(24), 24, unchanged=24), CONTEXT)
    assert "**Nothing to change**: 24 products match." in text
    assert "| --- |" not in text


def test_hostile_text_renders_as_itself() -> None:
    """Hostile names make no tag, link, row, mention or command, and are shown as they are."""
    text = plan_markdown(hostile_plan(), LINKED)
    page = _Page(text)
    assert set(page.tags) <= OURS
    assert page.tags.count("tr") == 4 + 4
    assert page.codes.count(escape(HOSTILE)) >= 4
    assert all(source.startswith("https://github.com/shop/catalog/") for source in page.sources)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "@everyone" not in text
    assert "##[" not in text
    assert "www." not in plan_markdown(hostile_plan(), CONTEXT).split("\n", 1)[1]
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@given(TEXTS)
def test_code_shows_exactly_the_text(text: str) -> None:
    """Any text in a table's cell is one code element that holds exactly it."""
    row = f"| a | b |\n| --- | --- |\n| x {code('.' + text + '.')} | y |\n"
    page = _Page(row)
    assert page.codes == [escape(f".{text}.")]
    assert page.tags.count("td") == 2


@given(TEXTS)
def test_prose_shows_exactly_the_text(text: str) -> None:
    """Any text as prose makes no element, and reads as itself but for the hidden breaks."""
    page = _Page(f"x {escape_markdown(text)} y")
    assert page.tags == ["p"]
    assert page.text.replace("\u200b", "").rstrip("\n") == f"x {escape(text)} y"


@pytest.mark.parametrize("text", ["@everyone", "#1", "!2", "GH-3", "~bug", ":smile:"])
def test_prose_refers_to_nothing(text: str) -> None:
    """A mention, a reference and an emoji code are parted so that no code host finds them."""
    assert text not in _Page(escape_markdown(text)).text


@given(PLANS)
def test_any_plan_has_a_comment(plan: Plan) -> None:
    """No plan makes it fail, break its frame or exceed the limit."""
    text = plan_markdown(plan, CONTEXT)
    assert len(text) <= LIMIT
    assert set(_Page(text).tags) <= OURS


def test_leaves_out_whole_products_and_counts_them() -> None:
    """A plan too long for a comment shows some of each kind and counts what it left out."""
    plan = long_plan(2000)
    text = plan_markdown(plan, replace(CONTEXT, run_url="https://ci.example/runs/7#artifacts"))
    assert LIMIT - 3000 < len(text) <= LIMIT
    page = _Page(text)
    found = re.search(
        r"no more room: (\d+) to delete, (\d+) to create, (\d+) to change\.", page.text
    )
    assert found is not None
    deletes, creates, updates = (2000 - int(left) for left in found.groups())
    assert page.tags.count("tr") - page.tags.count("thead") == deletes + creates + updates
    assert deletes > creates > 10 < updates
    assert "https://ci.example/runs/7#artifacts" in page.sources
    assert plan.digest in page.text


def test_a_summary_has_no_products() -> None:
    """In brief there are the counts, the warnings and the refusals, and no table."""
    text = plan_markdown(small_plan(), replace(CONTEXT, summary=True))
    assert "1 to delete, 1 to create, 1 to rename, 1 to change" in text
    assert "Apply will refuse this plan." in text
    assert "| --- |" not in text


def test_warnings_stand_above_the_products_by_kind() -> None:
    """One of a kind is plain to read; several are folded under their number; no raw backticks."""
    findings = [
        Finding("warning", Code.NOT_NFC, f"add `type:` to {name}", Location("c/a.yaml", 2, 1))
        for name in "ab"
    ]
    lone = Finding("warning", Code.RENAME_RING, "a and b exchange")
    text = plan_markdown(replace(small_plan(), warnings=(*findings, lone)), LINKED)
    page = _Page(text)
    assert "2 \N{MULTIPLICATION SIGN} not_nfc" in page.text
    assert "c/a.yaml:2: add type: to a" in page.text
    assert "a and b exchange (rename_ring)" in page.text
    assert "warning:" not in page.text
    assert "`" not in page.text
    assert text.index("2 \N{MULTIPLICATION SIGN}") < text.index("#### 1 product to delete")


def test_an_email_address_is_no_link() -> None:
    """GitHub's own reader makes no link of an address in a name, and shows it whole."""
    update = Update("a@b.de", "a", "Shirt of jo@shop.example", {}, seen("a", "1"))
    text = plan_markdown(Plan("me@shop.example", CatalogFacts(1), 1, (update,)), CONTEXT)
    read = github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    assert "mailto:" not in read
    assert "Shirt of jo@shop.example" in _text(read)
    assert "mailto:" not in github_flavored_markdown_to_html(prose("of jo@shop.example"))


def test_one_huge_product_leaves_room_for_others() -> None:
    """Values of any length are shortened, so that every product of a small plan is there."""
    tags = tuple(f"{n}|" * 500 for n in range(1000))
    fields = {"tags": FieldChange((), tags), "name": FieldChange("|" * 10**6, "`" * 10**6)}
    update = Update("1" * 10**6, "a", "`" * 10**6, fields, seen("a", "1"))
    delete = Delete("2", "b", "|" * 10**6, {}, {"comment": "|" * 10**6})
    plan = Plan("|" * 10**6, CatalogFacts(1), 2, (update, delete))
    text = plan_markdown(plan, CONTEXT)
    assert len(text) <= LIMIT
    assert "#### 1 product to delete" in text
    assert "#### 1 product to change" in text
    assert "960 more" in text


def test_long_lists_of_warnings_are_cut() -> None:
    """Many warnings, blocks and refusals leave room for products, and say how many there are."""
    plan = replace(
        small_plan(),
        warnings=(Finding("warning", Code.UNCONFIRMED, "|" * 1000),) * 500,
        blocked=(Blocked("x", ("y" * 500,), Code.DUPLICATE_REMOTE),) * 500,
    )
    text = plan_markdown(plan, Context())
    assert len(text) <= LIMIT
    assert "and 480 more" in text
    assert "500 warnings" in text
    assert "500 \N{MULTIPLICATION SIGN} <code>unconfirmed</code>" in text
    assert "#### 1 product to delete" in text
