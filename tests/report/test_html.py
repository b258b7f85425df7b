"""A plan as a page."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given, settings

from reconciler.planning.plan import CatalogFacts, Plan
from reconciler.report.escape import escape
from reconciler.report.html import anchor, plan_html
from tests.report.plans import CONTEXT, HOSTILE, PLANS, hostile_plan, long_plan, small_plan

LINKED = replace(CONTEXT, repository_url="https://github.com/shop/catalog", commit="c0ffee")


class _Page(HTMLParser):
    """The elements, ids, addresses and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.classes: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.script = ""
        self.text = ""
        self._tag = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("src", "href"):
                self.addresses.append(value or "")
            elif name == "class" and tag == "article":
                self.classes.append(value or "")
            elif name.startswith("on"):
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        if self._tag == "script":
            self.script += data
        elif self._tag != "style":
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""


def test_shows_every_change() -> None:
    """Each change is an article with its fields, its place, both images and a link to itself."""
    page = _Page(plan_html(small_plan(), LINKED))
    assert page.classes == ["delete", "create", "rename", "update"]
    for expected in ("Linen shirt", "+ winter", "- autumn", "in doubt", "runs small", "9001"):
        assert expected in page.text
    for change in small_plan().changes:
        assert anchor(change) in page.ids
        assert f"#{anchor(change)}" in page.addresses
    assert "https://img.example/1.jpg" in page.addresses
    assert "https://cdn.shop/2.jpg" in page.addresses
    assert "https://github.com/shop/catalog/blob/c0ffee/catalog/coats.yaml#L14" in page.addresses


def test_tells_the_surroundings() -> None:
    """Counts, refusals with their flags, blocks, warnings, commit and digest are on the page."""
    plan = small_plan()
    text = _Page(plan_html(plan, CONTEXT)).text
    for expected in (
        "1 to create, 1 to change, 1 to rename, 1 to delete",
        "--allow-deletes 1",
        "several remote products have this store_id",
        "10482 has no type",
        "c0ffee",
        plan.digest,
        "2026-01-02T03:04:05Z",
    ):
        assert expected in text


def test_needs_nothing_from_the_network_but_images() -> None:
    """No style, script or font is loaded, and the policy allows images and our script alone."""
    text = plan_html(small_plan(), CONTEXT)
    page = _Page(text)
    assert "link" not in page.tags
    assert page.tags.count("script") == 1
    assert "@import" not in text
    assert "url(" not in text
    digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()
    assert "default-src 'none'" in text
    assert f"script-src 'sha256-{digest}'" in text


def test_hostile_text_is_inert() -> None:
    """Hostile text makes no element, attribute, address or line, and is shown as it is."""
    text = plan_html(hostile_plan(), LINKED)
    page = _Page(text)
    assert page.tags.count("script") == 1
    assert page.tags.count("b") == 8  # the counts in our own chips, and of warnings
    assert page.handlers == []
    assert escape(HOSTILE) in page.text
    assert "{{ 7*7 }}" in page.text
    assert all(address.startswith(("https://github.com/", "#")) for address in page.addresses)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@settings(max_examples=25)
@given(PLANS)
def test_any_plan_has_a_page(plan: Plan) -> None:
    """No plan makes it fail, and every change has its article."""
    page = _Page(plan_html(plan, CONTEXT))
    assert page.tags.count("article") == len(plan.changes)
    assert page.handlers == []


def test_an_empty_plan_has_no_filters() -> None:
    """A page without changes says so, and offers nothing to filter."""
    page = _Page(plan_html(Plan("default", CatalogFacts(24), 24, unchanged=24), CONTEXT))
    assert "Nothing to change: 24 products match." in page.text
    assert "form" not in page.tags


def test_a_long_plan_has_distinct_anchors() -> None:
    """Thousands of products are all on the page, each under an id of its own."""
    page = _Page(plan_html(long_plan(1000), CONTEXT))
    assert page.tags.count("article") == 3000
    assert len(set(page.ids)) == len(page.ids)


def test_works_on_phones_and_in_the_dark() -> None:
    """The page scales to the device and has colours for a dark screen."""
    text = plan_html(small_plan(), CONTEXT)
    assert 'name="viewport"' in text
    assert "prefers-color-scheme: dark" in text
    assert re.search(r"@media \(max-width:", text)
    assert "content-visibility: auto" in text
