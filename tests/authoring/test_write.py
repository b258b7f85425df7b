"""Editing a file in place: exactly the values asked for, and no other character."""

from collections.abc import Callable, Sequence
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.authoring.edit import Rewrite, rewritten
from reconciler.catalog.read import load_sources
from reconciler.errors import CatalogError
from reconciler.model import INDEX, Product, Value, Values, canonical_tags
from reconciler.yamltext.edits import FileText
from reconciler.yamltext.layout import Layout
from tests.authoring.messy import LINES, TAGS, WORDS, Shop, shops
from tests.model.making import row

FILE = "catalog/a.yaml"
DEFAULTS = ("catalog/_defaults.yaml", b"tags: [shared]\n")


def reader(*defaults: tuple[str, bytes]) -> Callable[[bytes], Sequence[Product]]:
    """Reads one file below these defaults."""

    def read(data: bytes) -> Sequence[Product]:
        catalog = load_sources([*defaults, (FILE, data)], root="catalog")
        return list(catalog.products.values())

    return read


READ = reader()


def new_values(
    data: bytes, changes: dict[str, dict[str, Value]], read: Callable[[bytes], Sequence[Product]]
) -> dict[str, Values]:
    """All values of the products in `changes` (by store_id, then field), as they shall be."""
    wanted = {}
    for product in read(data):
        if product.store_id in changes:
            values = list(product.values)
            for field, value in changes[product.store_id].items():
                values[INDEX[field]] = value
            wanted[product.store_id] = tuple(values)
    return wanted


def edited(
    text: str,
    changes: dict[str, dict[str, Value]],
    *,
    gone: Sequence[str] = (),
    added: Sequence[Values] = (),
    read: Callable[[bytes], Sequence[Product]] = READ,
) -> str | None:
    """An indented example after an edit."""
    data = dedent(text).encode()
    rewrite = Rewrite(FILE, new_values(data, changes, read), gone, added)
    new = rewritten(rewrite, data, read)
    return None if new is None else new.decode()


@st.composite
def drifts(draw: st.DrawFn) -> tuple[Shop, dict[str, Values], list[str]]:
    """A file, new values for some of its products, and products to take out."""
    shop = draw(shops())
    wanted, gone = {}, []
    for product in READ(shop.text.encode()):
        if draw(st.integers(0, 4)) == 0:
            gone.append(product.store_id)
        elif draw(st.booleans()):
            values = list(product.values)
            if draw(st.booleans()):
                values[INDEX["name"]] = draw(WORDS)
            if (old := values[INDEX["tags"]]) is not None:
                kept = draw(st.lists(st.sampled_from(old), max_size=3)) if old else []
                values[INDEX["tags"]] = canonical_tags([*kept, *draw(TAGS)])
            wanted[product.store_id] = tuple(values)
    return shop, wanted, gone


@given(drift=drifts(), added=st.lists(st.tuples(LINES, TAGS), max_size=2), crlf=st.booleans())
def test_any_file_says_what_was_asked_for(
    drift: tuple[Shop, dict[str, Values], list[str]], added: list[tuple[str, list[str]]], crlf: bool
) -> None:
    """Whatever the layout, the products get these values, and the others keep their text."""
    shop, wanted, gone = drift
    data = shop.text.replace("\n", "\r\n").encode() if crlf else shop.text.encode()
    new: list[Values] = [
        row(store_id=f"new {number}", name=name, tags=canonical_tags(tags))
        for number, (name, tags) in enumerate(added)
    ]
    before = {product.store_id: product.values for product in READ(data)}
    after = rewritten(Rewrite(FILE, wanted, gone, new), data, READ)
    expected = {key: wanted.get(key, values) for key, values in before.items() if key not in gone}
    said = {product.store_id: product.values for product in READ(after or b"")}
    for values in new:
        own = said.pop(str(values[0]))
        assert own[:3] == values[:3]
    assert said == expected
    for text in texts_of(data, {*before} - {*wanted, *gone}):
        assert text in FileText(after or b"").text
    if crlf and after:
        assert after.count(b"\n") == after.count(b"\r\n")


def texts_of(data: bytes, store_ids: set[str]) -> list[str]:
    """The text of these products, without their first line's indentation."""
    layout = Layout(FileText(data).text)
    nodes = [node for document in layout.documents for node in document.products]
    products = READ(data)
    assert len(nodes) == len(products)
    return [
        layout.text[node.start : layout.line_end(node.end)]
        for node, product in zip(nodes, products, strict=True)
        if product.store_id in store_ids
    ]


@given(shop=shops())
def test_no_drift_changes_no_byte(shop: Shop) -> None:
    """A file that says what it shall is left as it is."""
    data = shop.text.encode()
    wanted = {product.store_id: product.values for product in READ(data)}
    assert rewritten(Rewrite(FILE, wanted), data, READ) == data


MESSY = """\
    # Our catalogue.
    defaults: {type: top}   # shared
    products:
        # first
        -   store_id: '0123'   # keep the zero
            name: >-   # folded
                Linen
                shirt
            tags: [ linen,summer ]   # flow
        - {store_id: 2, name: "Coat", tags: [winter]}

        -
          tags:
          - a   # first letter
          # about b
          - b
          name: 'It''s'
          store_id: 3
          image_url: https://cdn.example.com/3   # no line break at the end of the file
    ---
    store_id: 4
    name: Long
      name
    tags: [
      x,   # x
      y,
    ]"""


def changed_lines(text: str, new: str | None) -> list[str]:
    """The new lines of a file in which no line was added or removed, where they differ."""
    pairs = zip(dedent(text).split("\n"), (new or "").split("\n"), strict=True)
    return [after for before, after in pairs if before != after]


@pytest.mark.parametrize(
    ("store_id", "field", "value", "lines"),
    [
        ("2", "name", "No", ['    - {store_id: 2, name: "No", tags: [winter]}']),
        (
            "2",
            "tags",
            ("a,b", "winter"),
            ['    - {store_id: 2, name: "Coat", tags: ["a,b", winter]}'],
        ),
        ("2", "tags", (), ['    - {store_id: 2, name: "Coat", tags: []}']),
        ("0123", "tags", ("linen", "wool"), ["        tags: [linen, wool]   # flow"]),
        ("0123", "tags", ("new", "summer"), ["        tags: [new, summer]   # flow"]),
        ("3", "name", "It's 2", ["      name: It's 2"]),
        ("4", "tags", ("x", "y", "z"), ["  x,   # x", "  z, y,"][1:]),
    ],
)
def test_only_the_value_changes(store_id: str, field: str, value: Value, lines: list[str]) -> None:
    """One value is one changed line, in canonical form, its comments beside it."""
    assert changed_lines(MESSY, edited(MESSY, {store_id: {field: value}})) == lines


def test_folded_and_plain_text_of_several_lines() -> None:
    """Text of several lines becomes one line in its place; a comment in its header stays."""
    new = edited(MESSY, {"0123": {"name": "Silk shirt"}, "4": {"name": "Short"}}) or ""
    assert "name: Silk shirt  # folded\n        tags" in new
    assert "\nname: Short\ntags" in new


def test_tags_with_a_line_each() -> None:
    """Entries go and come one line each; comments between them stay."""
    new = edited(MESSY, {"3": {"tags": ("b", "c")}}) or ""
    assert "      tags:\n      # about b\n      - b\n      - c\n      name" in new
    new = edited(MESSY, {"3": {"tags": ()}}) or ""
    assert "      tags: []\n      # about b\n      name" in new


@pytest.mark.parametrize(
    ("tags", "lines"),
    [
        (("a", "c"), "    a,   # first\n    c]  # end\n"),
        (("b",), "    b,\n    ]  # end\n"),
        (("b", "c"), "    b,\n    c]  # end\n"),
    ],
)
def test_brackets_over_several_lines(tags: tuple[str, ...], lines: str) -> None:
    """An entry between brackets goes with its line; the others and their comments stay."""
    text = "store_id: 1\nname: A\ntags: [\n    a,   # first\n    b,\n    c]  # end\ntype: top\n"
    new = edited(text, {"1": {"tags": tags}})
    assert new is not None
    assert READ(new.encode())[0].value("tags") == tags
    assert [line for line in new.split("\n") if line.strip()] == [
        "store_id: 1",
        "name: A",
        "tags: [",
        *lines.rstrip("\n").split("\n"),
        "type: top",
    ]


def test_tags_that_are_aliases() -> None:
    """Single tags that are anchored or repeated stay as they are written, where they stay."""
    text = """\
        products:
          - {store_id: 1, name: A, tags: [&l linen, &s summer, x]}
          - store_id: 2
            name: B
            tags: &all
              - *l
              - *s
          - {store_id: 3, name: C, tags: *all}
        """
    new = edited(text, {"1": {"tags": ("linen", "x")}, "2": {"tags": ("linen", "new")}})
    values = {p.store_id: p.value("tags") for p in READ((new or "").encode())}
    assert values == {"1": ("linen", "x"), "2": ("linen", "new"), "3": ("linen", "summer")}
    assert "tags: [&l linen, x]" in (new or "")
    new = edited(text, {"2": {"tags": ()}})
    values = {p.store_id: p.value("tags") for p in READ((new or "").encode())}
    assert values["2"] == ()
    assert values["3"] == ("linen", "summer")


def test_products_between_brackets() -> None:
    """A list of products between brackets loses entries with their commas."""
    text = "products: [{store_id: 1, name: A}, {store_id: 2, name: B}, {store_id: 3, name: C}]\n"
    two = "products: [{store_id: 1, name: A}, {store_id: 3, name: C}]\n"
    assert edited(text, {}, gone=["2"]) == two
    assert edited(text, {}, gone=["2", "3"]) == "products: [{store_id: 1, name: A}]\n"
    assert edited(text, {}, gone=["1"]) == (
        "products: [{store_id: 2, name: B}, {store_id: 3, name: C}]\n"
    )


def test_a_default_is_overridden_in_the_product() -> None:
    """A value that comes from any defaults is written at the product, behind its name."""
    text = """\
        store_id: 1
        # what it is called
        name: A   # so
        type: top
        ---
        products:
          - {name: B, store_id: 2}
        """
    read = reader(DEFAULTS)
    new = edited(text, {"1": {"tags": ("own",)}, "2": {"tags": ()}}, read=read)
    assert new == dedent(text).replace("# so\n", "# so\ntags: [own]\n").replace(
        "name: B, ", "name: B, tags: [], "
    )


def test_an_alias_is_overridden_where_it_stands() -> None:
    """A value that comes through an alias or a merge is written at the product, not the anchor."""
    text = """\
        products:
          - &a
            store_id: 1
            name: &n A
            tags: &t [x, y]
          - <<: *a
            store_id: 2
          - {store_id: 3, name: *n, tags: *t}
          - {store_id: 4, name: *n, tags: *t}
        """
    new = edited(text, {"2": {"name": "B"}, "3": {"tags": ("z",), "name": "C"}})
    assert new == dedent(text).replace("store_id: 2\n", "store_id: 2\n    name: B\n").replace(
        "{store_id: 3, name: *n, tags: *t}", "{store_id: 3, name: C, tags: [z]}"
    )


def test_an_anchor_moves_on_where_its_own_value_changes() -> None:
    """The value that others repeat goes to the first of them; they keep saying what they said."""
    text = """\
        products:
          - {store_id: 1, name: A, tags: &t [x, y]}
          - {store_id: 2, name: B, tags: *t}
          - {store_id: 3, name: C, tags: *t}
        """
    new = edited(text, {"1": {"tags": ("x",)}})
    assert new == dedent(text).replace("&t [x, y]", "[x]", 1).replace("*t", "&t [x, y]", 1)
    assert edited(text, {}, gone=["1"]) == dedent(text).replace(
        "  - {store_id: 1, name: A, tags: &t [x, y]}\n", ""
    ).replace("*t", "&t [x, y]", 1)


def test_merged_values_are_written_out_where_their_source_changes() -> None:
    """A product that merges another keeps its own values when the other one drifts."""
    text = "products:\n- &a\n  store_id: 1\n  name: A\n- <<: *a\n  store_id: 2\n"
    assert edited(text, {"1": {"name": "B"}}) == (
        "products:\n- &a\n  store_id: 1\n  name: B\n- <<: *a\n  store_id: 2\n  name: A\n"
    )


def test_what_cannot_be_taken_apart_is_refused() -> None:
    """A product that others merge cannot be removed; the error names it and its place."""
    text = "products:\n- &a\n  store_id: 1\n  name: A\n- <<: *a\n  store_id: 2\n"
    with pytest.raises(CatalogError) as caught:
        edited(text, {}, gone=["1"])
    (finding,) = caught.value.findings
    assert finding.code == "cannot_edit"
    assert str(finding.location) == "catalog/a.yaml:3:3"


@pytest.mark.parametrize("number", range(1, 6))
def test_the_product_that_cannot_be_edited_is_the_one_named(number: int) -> None:
    """One value that breaks the file is told at its own product, not at the first that changes."""
    text = "products:\n" + "".join(f"- {{store_id: {n}, name: A}}\n" for n in range(1, 6))

    def read(data: bytes) -> Sequence[Product]:
        if b"broken" in data:
            raise CatalogError([])
        return READ(data)

    changes: dict[str, dict[str, Value]] = {str(n): {"name": f"B{n}"} for n in range(1, 6)}
    changes[str(number)] = {"name": "broken"}
    with pytest.raises(CatalogError) as caught:
        edited(text, changes, read=read)
    assert str(caught.value.findings[0].location) == f"catalog/a.yaml:{number + 1}:4"


def test_fields_behind_question_marks() -> None:
    """A key in its long form keeps that form, and a new field stands beside it."""
    text = "products:\n  - ? store_id\n    : 6\n    ? name\n    : A # c\n"
    assert edited(text, {"6": {"name": "B", "tags": ("x",)}}) == (
        "products:\n  - ? store_id\n    : 6\n    ? name\n    : B # c\n    tags: [x]\n"
    )


REMOVALS = """\
    # Sizes 98 to 158.
    products:
      # the first
      - store_id: 1
        name: A
        # still the first

      # the second
      # in two lines
      - store_id: 2
        name: B   # b

      - store_id: 3
        name: C
    # end
    ---
    # one
    store_id: 4
    name: D
    """


def test_a_product_goes_with_its_comments() -> None:
    """Comments right above a product and within it go; those of the file stay."""
    text = dedent(REMOVALS)
    first = text.index("  # the first")
    second = text.index("  # the second")
    third = text.index("  - store_id: 3")
    assert edited(REMOVALS, {}, gone=["1"]) == text[:first] + text[second:]
    assert edited(REMOVALS, {}, gone=["2"]) == text[:second] + text[third:]
    assert edited(REMOVALS, {}, gone=["1", "2"]) == text[:first] + text[third:]
    assert edited(REMOVALS, {}, gone=["2", "3"]) == text[: second - 1] + text[text.index("# end") :]


def test_documents_and_files_go_with_their_last_product() -> None:
    """A document without products left goes whole; a file without any is no file."""
    text = dedent(REMOVALS)
    assert edited(REMOVALS, {}, gone=["4"]) == text[: text.index("---")]
    assert edited(REMOVALS, {}, gone=["1", "2", "3"]) == text[text.index("---") :]
    assert edited(REMOVALS, {}, gone=["1", "2", "3", "4"]) is None


NEW: Values = row(store_id="0099", name="New: one", tags=("a", "b, c"))


@pytest.mark.parametrize(
    ("text", "appendix"),
    [
        (
            "products:\n-   store_id: 1\n    name: A\n",
            '\n-   store_id: "0099"\n    name: "New: one"\n    tags: [a, "b, c"]\n',
        ),
        (
            "products:\n  - store_id: 1\n    name: A\n  - {store_id: 2, name: B}  # b\n    # too\n",
            '  - store_id: "0099"\n    name: "New: one"\n    tags: [a, "b, c"]\n',
        ),
        (
            "store_id: 1\nname: A",
            '\n---\nproducts:\n  - store_id: "0099"\n    name: "New: one"\n    tags: [a, "b, c"]\n',
        ),
        (
            "# nothing yet\n",
            'products:\n  - store_id: "0099"\n    name: "New: one"\n    tags: [a, "b, c"]\n',
        ),
    ],
)
def test_new_products_stand_as_the_others_do(text: str, appendix: str) -> None:
    """A new product is put behind the last one, indented and parted as the others are."""
    assert edited(text, {}, added=[NEW]) == text + appendix


def test_byte_order_mark_and_line_breaks_stay() -> None:
    """Bytes that no edit is about are the same, mixed line breaks included."""
    data = b"\xef\xbb\xbfstore_id: 1\r\nname: A\ntags: [x]\r\n"
    wanted = new_values(data, {"1": {"name": "B", "tags": ("z",)}}, READ)
    new = rewritten(Rewrite(FILE, wanted), data, READ)
    assert new == b"\xef\xbb\xbfstore_id: 1\r\nname: B\ntags: [z]\r\n"
