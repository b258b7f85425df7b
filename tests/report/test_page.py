"""The page of a plan in a real browser: what a reader sees, clicks and types."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.planning.plan import CatalogFacts, Change, Create, FieldChange, Plan, Update
from reconciler.report.escape import escape
from reconciler.report.html import anchor, plan_html
from tests.report.browser import CHROMIUM, Tab, browser
from tests.report.plans import CONTEXT, HOSTILE, hostile_plan, long_plan, small_plan

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH")

URL = "https://pictures.invalid/1.jpg"
NAMES = "Array.from(document.querySelectorAll('article .name'), (e) => e.textContent)"
SHOWN = (
    "Array.from(document.querySelectorAll('article'))"
    ".filter((e) => e.offsetParent !== null).map((e) => e.dataset.id)"
)
COUNT = "document.getElementById('count').textContent"
# Each would leave a mark if anything of it ran or were taken for markup.
CANARIES = (
    "<script>window.__hacked=1</script>",
    "<img src=x onerror='window.__hacked=1'>",
    "'\"><svg onload=window.__hacked=1>",
    "</style></title></textarea><script>document.title='hacked'</script>",
    "<iframe srcdoc='<script>parent.__hacked=1</script>'></iframe>",
    "javascript:window.__hacked=1",
    "{{ 7*7 }} ${window.__hacked=1}",
    "<meta http-equiv=refresh content='0;url=about:blank'>",
    HOSTILE,
)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all tests of this file."""
    with browser(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.fixture
def page(tab: Tab, tmp_path: Path) -> Path:
    """The small plan's page, opened in a window of a desk's size."""
    tab.resize(1100, 900)
    tab.scheme("light")
    file = tmp_path / "plan.html"
    file.write_text(plan_html(small_plan(), CONTEXT), encoding="utf-8")
    tab.open(file)
    return file


def kind(name: str) -> str:
    """The chip of one kind."""
    return f'[name=kind][value="{name}"]'


@pytest.mark.usefixtures("page")
def test_shows_deletes_first(tab: Tab) -> None:
    """Unfiltered, every product is there, and those that would be deleted come first."""
    assert tab.run(SHOWN) == ["999", "10482", "10400", "10391"]
    assert tab.run(COUNT) == "4 of 4 shown"


@pytest.mark.usefixtures("page")
def test_filters_by_kind(tab: Tab) -> None:
    """A chosen chip leaves its kind, two leave both, none leaves all."""
    tab.click(kind("delete"))
    assert tab.run(SHOWN) == ["999"]
    assert tab.run(COUNT) == "1 of 4 shown"
    tab.click(kind("rename"))
    assert tab.run(SHOWN) == ["999", "10400"]
    tab.click(kind("delete"))
    tab.click(kind("rename"))
    assert len(tab.run(SHOWN)) == 4


@pytest.mark.usefixtures("page")
def test_filters_by_origin(tab: Tab) -> None:
    """A chosen origin leaves the products that have it, also together with a kind."""
    tab.click('[name=origin][value="both"]')
    assert tab.run(SHOWN) == ["10400"]
    tab.click(kind("delete"))
    assert tab.run(SHOWN) == []
    assert tab.run(COUNT) == "0 of 4 shown"


@pytest.mark.usefixtures("page")
def test_is_usable_by_keyboard(tab: Tab) -> None:
    """A slash leads to the search, every word must fit, Escape shows everything again."""
    tab.press("/")
    tab.type("coat WINTER")
    assert tab.run(SHOWN) == ["10391"]
    tab.press("Escape")
    assert len(tab.run(SHOWN)) == 4
    tab.run("document.querySelector('[name=kind]').focus()")
    tab.press("Space")
    assert tab.run(SHOWN) == ["999"]


def test_headings_count_what_the_filter_leaves(tab: Tab, tmp_path: Path) -> None:
    """A kind's heading says how many of its products are shown, and all of them without a wish."""
    file = tmp_path / "plan.html"
    file.write_text(plan_html(long_plan(11), CONTEXT), encoding="utf-8")
    tab.open(file)
    number = "document.querySelector('section.delete h2 .number').textContent"
    assert tab.run(number) == "11"
    tab.run("document.querySelector('[type=search]').focus()")
    tab.type("x000010")
    assert tab.run(number) == "1 of 11"


def test_every_control_is_reached_by_tab(tab: Tab, page: Path) -> None:
    """From the top, Tab reaches the skip link, each chip, the search and each product."""
    tab.open(page)
    reached = []
    for _ in range(14):
        tab.press("Tab")
        reached.append(
            tab.run(
                "(() => { const e = document.activeElement;"
                "return e.value || e.getAttribute('href') || e.name || e.tagName; })()"
            )
        )
    assert reached[:9] == [
        "#products", "SUMMARY", "delete", "create", "rename", "update", "edit", "both", "text",
    ]  # fmt: skip
    assert {f"#{anchor(change)}" for change in small_plan().changes} <= set(reached)


def test_links_lead_to_products(tab: Tab, page: Path) -> None:
    """A link by the page's own anchor or by store_id alone shows the product and marks it."""
    for fragment in (anchor(small_plan().changes[0]), "10482"):
        tab.open(page, fragment)
        assert tab.run("document.querySelector('article.found').dataset.id") == "10482"


def test_a_link_shows_what_filters_hide(tab: Tab, page: Path) -> None:
    """Following a link to a product that is filtered away shows everything again."""
    tab.open(page)
    tab.click(kind("delete"))
    tab.run("location.hash = '#10391'")
    tab.settle()
    assert "10391" in tab.run(SHOWN)


def test_a_link_reaches_a_product_far_down(tab: Tab, tmp_path: Path) -> None:
    """In a long page, where most products are not drawn yet, the linked one is in the window."""
    file = tmp_path / "plan.html"
    file.write_text(plan_html(long_plan(700), CONTEXT), encoding="utf-8")
    tab.open(file, "u000690")
    assert tab.run(
        "(() => { const b = document.querySelector('article.found').getBoundingClientRect();"
        "return b.top >= 0 && b.top < innerHeight; })()"
    )


def canary_plan() -> Plan:
    """A plan whose every product has a hostile name, in every place that a name can be in."""
    changes: list[Change] = []
    for number, text in enumerate(CANARIES):
        for change in hostile_plan(text).changes:
            changed = replace(change, store_id=f"{number}{change.store_id}")
            if isinstance(changed, Update):
                changed = replace(changed, image_md="https://x/'\"><b>")
            changes.append(changed)
    return replace(hostile_plan(HOSTILE), changes=tuple(changes))


def test_hostile_names_are_shown_and_nothing_runs(tab: Tab, tmp_path: Path) -> None:
    """Every hostile name stands in the page literally; no script ran, nothing was asked for."""
    file = tmp_path / "plan.html"
    file.write_text(plan_html(canary_plan(), CONTEXT), encoding="utf-8")
    tab.open(file)
    assert sorted(set(tab.run(NAMES))) == sorted({escape(text) for text in CANARIES})
    assert len(tab.run(NAMES)) == 4 * len(CANARIES)
    assert tab.run("typeof window.__hacked") == "undefined"
    assert tab.run("document.title").startswith("Plan for ")
    unwanted = "iframe, svg[onload], object, article script"
    assert tab.run(f"document.querySelectorAll('{unwanted}').length") == 0
    # The browser's own word: no script was stopped either, for there was none.
    assert not [event for event in tab.events if event["method"] == "Log.entryAdded"]
    asked = [
        event["params"]["request"]["url"]
        for event in tab.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [file.as_uri()]


def test_ten_thousand_changes_filter_at_once(tab: Tab, tmp_path: Path) -> None:
    """10,000 products are narrowed and shown again, each count right."""
    file = tmp_path / "plan.html"
    file.write_text(plan_html(long_plan(3334), CONTEXT), encoding="utf-8")
    tab.open(file)
    for text, expected in (("coat 33", 128), ("x000007", 1), ("zzz", 0), ("", 10_002)):
        tab.run(
            f"(() => {{ const s = document.querySelector('[name=text]'); s.value = {text!r};"
            "s.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )
        tab.settle()
        assert tab.run(COUNT) == f"{expected} of 10002 shown"
    # What is far from the window is not drawn: this, not a clock, is what keeps filtering quick.
    assert (
        tab.run(
            "Array.from(document.querySelectorAll('.chunk'))"
            ".filter((e) => !e.firstElementChild.checkVisibility({contentVisibilityAuto: true}))"
            ".length"
        )
        > 200
    )


@pytest.mark.parametrize("plan", [small_plan(), hostile_plan(), canary_plan()])
def test_a_phone_scrolls_down_only(tab: Tab, tmp_path: Path, plan: Plan) -> None:
    """At a phone's width nothing is wider than the window, however long a word is."""
    file = tmp_path / "plan.html"
    file.write_text(plan_html(plan, CONTEXT), encoding="utf-8")
    tab.resize(390, 844)
    tab.open(file)
    assert tab.run("innerWidth") == 390
    assert tab.run("document.documentElement.scrollWidth") == 390
    tab.resize(1100, 900)


def luminance(colour: str) -> float:
    """The relative luminance of "rgb(r, g, b)", between 0 and 1."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_light_and_dark(tab: Tab, scheme: str) -> None:
    """Every text stands out from what is behind it by 4.5 to 1, in both colour schemes."""
    tab.scheme(scheme)
    tab.settle()
    pairs = tab.run(
        "Array.from(document.querySelectorAll('h1,h2,h3,p,dt,dd,ins,del,summary,a,code,span,b'))"
        ".filter((e) => e.innerText && e.offsetParent && !e.classList.contains('unseen')"
        " && !e.classList.contains('skip') && !e.classList.contains('anchor')).map((e) => {"
        "let b = e; while (b && getComputedStyle(b).backgroundColor === 'rgba(0, 0, 0, 0)')"
        " b = b.parentElement;"
        "return [e.className || e.tagName, getComputedStyle(e).color,"
        " b ? getComputedStyle(b).backgroundColor : 'rgb(255, 255, 255)']; })"
    )
    assert pairs
    faint = []
    for name, text, back in pairs:
        high, low = sorted((luminance(text), luminance(back)), reverse=True)
        if (high + 0.05) / (low + 0.05) < 4.5:
            faint.append((name, text, back))
    assert faint == []
    assert (luminance(tab.run("getComputedStyle(document.body).backgroundColor")) < 0.5) == (
        scheme == "dark"
    )


def test_without_scripts_everything_is_shown(tab: Tab, page: Path) -> None:
    """Where scripts are off, all products are there and no filter pretends to work."""
    tab.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.open(page)
        assert len(tab.run(SHOWN)) == 4
        assert tab.run("document.getElementById('filters').offsetParent") is None
    finally:
        tab.send("Emulation.setScriptExecutionDisabled", value=False)


def test_a_picture_that_cannot_be_loaded_is_drawn(tab: Tab, tmp_path: Path) -> None:
    """In its place stands a garment of the product's type with its store_id, not a broken image."""
    creates = [
        Create(
            store_id, "A", {"type": FieldChange(None, kind), "image_url": FieldChange(None, URL)}
        )
        for store_id, kind in (("1", "dress"), ("<b>2", 'x"><i>'))
    ]
    file = tmp_path / "plan.html"
    plan = Plan("default", CatalogFacts(2), 0, tuple(creates))
    file.write_text(plan_html(plan, CONTEXT), encoding="utf-8")
    tab.open(file)
    drawn = "Array.from(document.querySelectorAll('svg.garment'))"
    for _ in range(50):
        if tab.run(f"{drawn}.length") == 2:
            break
        tab.settle()
    parts = "[e.querySelector('use').getAttribute('href'), e.textContent]"
    assert tab.run(f"{drawn}.map((e) => {parts})") == [
        ["#garment-dress", "1"],
        ["#garment-other", "<b>2"],
    ]
    assert tab.run("document.querySelectorAll('article img').length") == 0
