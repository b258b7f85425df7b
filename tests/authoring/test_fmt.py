"""The canonical form: same values, same comments, at rest, and pleasant to read."""

from textwrap import dedent

import pytest
from hypothesis import given

from reconciler.authoring.canonical import one_product
from reconciler.authoring.edit_products import appended
from reconciler.authoring.format import form_of, formatted
from reconciler.catalog.read import load_sources
from reconciler.model import Values
from reconciler.yamltext.layout import Layout
from tests.authoring.messy import Shop, shops
from tests.project import ROOT


def values_of(text: str) -> list[Values]:
    """What the products of a file say."""
    return [p.values for p in load_sources([("a.yaml", text.encode())]).products.values()]


def comments_of(text: str) -> list[str]:
    """The comments of a file, sorted."""
    return sorted(comment for _, comment in Layout(text).comments)


def format_text(text: str) -> str:
    """The canonical form of a text."""
    return formatted(text.encode()).decode()


@given(shop=shops())
def test_values_and_comments_stay_and_twice_is_once(shop: Shop) -> None:
    """Whatever the layout, no value and no comment is lost, and a second run changes nothing."""
    new = format_text(shop.text)
    assert values_of(new) == values_of(shop.text)
    assert comments_of(new) == comments_of(shop.text)
    assert format_text(new) == new


def form(text: str) -> str:
    """The canonical form of an indented example, which must be at rest."""
    new = format_text(dedent(text))
    assert format_text(new) == new
    return new


def test_fields_stand_in_the_order_of_the_table() -> None:
    """Fields are sorted, each with the comments above and beside it."""
    text = """\
        # the product
        renamed_from: "9"
        # what it is
        type: top   # measured so
        name: Shirt
        store_id: 10
        """
    assert form(text) == dedent(
        """\
        # the product
        store_id: 10
        name: Shirt
        # what it is
        type: top  # measured so
        renamed_from: 9
        """
    )


@pytest.mark.parametrize(
    "text",
    [
        "0123",
        "No",
        "1e3",
        "1.10",
        "12:30",
        "2024-01-01",
        "0x1F",
        ".inf",
        "=",
        "<<",
        "yes",
        "off",
        "y",
        "N",
        "1_000",
        "+5",
        "5E10",
        "0o17",
        "1.",
        ".5",
        "12345678901234567",
        "-a",
        "?a",
        "<a",
    ],
)
def test_what_other_tools_misread_is_quoted(text: str) -> None:
    """A plain scalar that another YAML tool takes for something else is put in quotes."""
    assert form(f"store_id: {text}\nname: x\n") == f'store_id: "{text}"\nname: x\n'


@pytest.mark.parametrize("text", ["10482", "40017-B", "0", "Shirt", "7M03", "a=b", "null and void"])
def test_what_every_tool_reads_alike_stays_plain(text: str) -> None:
    """Ordinary text and whole numbers have no quotes, so quotes that are there go."""
    assert form(f"store_id: {text}\nname: 'x'\n") == f"store_id: {text}\nname: x\n"


def test_lists_are_indented_and_short_tags_stand_on_one_line() -> None:
    """Indentation is two, short tags are sorted on one line, long or annotated ones are not."""
    long = [f"a tag with a long name {number}" for number in range(5)]
    text = f"""\
        products:
        -   store_id: 1
            name: A
            tags:
            - b
            - a, c
        # second
        -
            store_id: 2
            name: B
            tags:
            # the season
            - x   # until May
        - store_id: 3
          name: C
          tags: [{", ".join(long)}]
        """
    rows = "\n".join(f"              - {tag}" for tag in long)
    assert form(text) == dedent(
        f"""\
        products:
          - store_id: 1
            name: A
            tags: ["a, c", b]
          # second
          - store_id: 2
            name: B
            tags:
              # the season
              - x  # until May
          - store_id: 3
            name: C
            tags:
{rows}
        """
    )


@pytest.mark.parametrize(
    "text",
    [
        'products:\n  - store_id: "012"\n    name: Linen shirt\n    tags: [a, b]\n',
        "products:\n- name: 'Linen shirt'\n  tags:\n  - b\n  - a\n  store_id: 012\n",
        "products: [{tags: [b, a], store_id: '012', name: \"Linen shirt\"}]\n",
        "{products: [{name: Linen shirt, store_id: 012, tags: [a, b, a]}]}\n",
        "products:\n- name: >-\n   Linen\n   shirt\n  ? tags\n  : - a\n    - b\n  store_id: 012\n",
        " products:\n  -\n   tags: [a,\n    b]\n   name: Linen\n    shirt\n   store_id: 012",
    ],
)
def test_all_spellings_of_a_product_become_one(text: str) -> None:
    """Products that say the same are written the same, however they were spelled."""
    neat = 'products:\n  - store_id: "012"\n    name: Linen shirt\n    tags: [a, b]\n'
    assert form(text) == neat


@given(values=shops().map(lambda shop: shop.values[0]))
def test_what_pull_writes_is_in_form(values: Values) -> None:
    """The text of a new product, as pull writes it, is canonical, alone and in a list."""
    assert format_text(one_product(values)) == one_product(values)
    entry = appended("", [values]).text
    assert format_text(entry) == entry


def test_comments_between_braces_and_brackets_are_hung_back_on() -> None:
    """Comments that stand where the canonical form has no line go to the nearest that it has."""
    text = """\
        products: [  # all
          # first
          {  # a pair
            name: A,  # note
            tags: [x,  # until May
              z],  # both
            # the key
            store_id: 012}  # tail
        ]  # end
        """
    assert form(text) == dedent(
        """\
        # all
        products:  # end
          # first
          # a pair
          # tail
          # the key
          - store_id: "012"
            name: A  # note
            tags:  # both
              - x  # until May
              - z
        """
    )


@pytest.mark.parametrize(
    "text",
    [
        "%YAML 1.2\n---\nname: A\nstore_id: 1\n",
        "name: A\nstore_id: 1\n...\n",
        "--- {name: A, store_id: 1}\n",
        "name: |1-\n A\nstore_id: 1\nimage_url: &a ''\n",
    ],
)
def test_what_no_rule_covers_keeps_its_meaning(text: str) -> None:
    """Directives, end marks and the like are left alone rather than guessed at."""
    assert values_of(form(text)) == values_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "products:\n    - &a\n      name: A\n      store_id: 1\n    - <<: *a\n      store_id: 2\n",
        "defaults: &d {type: top}\nproducts:\n- {<<: *d, name: A, store_id: 1}\n",
        "products:\n- name: !!str A\n  store_id: 1\n",
    ],
)
def test_products_with_anchors_keep_their_text(text: str) -> None:
    """A product with an anchor, an alias or a tag is moved at most, never rewritten."""
    new = form(text)
    assert [line.strip() for line in new.splitlines()] == [
        line.strip() for line in text.splitlines()
    ]
    assert values_of(new) == values_of(text)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n# a\n---\n# b\n"])
def test_files_without_products_stay(text: str) -> None:
    """What holds no product has nothing to bring into form."""
    assert form(text).rstrip("\n") == text.rstrip("\n")


def test_separators_and_their_comments_stay() -> None:
    """Documents keep their order, their `---` and the comments around it."""
    text = "store_id: 1\nname: A\n\n# end\n--- # next\n# head\n\nname: B\nstore_id: 2\n...\n"
    assert form(text).startswith("store_id: 1\nname: A\n\n# end\n--- # next\n# head\n\n")


def test_line_breaks_and_byte_order_mark_stay() -> None:
    """A file keeps its byte-order mark and the kind of line break that it has."""
    data = b"\xef\xbb\xbfname: A\r\nstore_id: 01\r\n"
    assert formatted(data) == b'\xef\xbb\xbfstore_id: "01"\r\nname: A\r\n'


def test_a_last_line_break_is_added() -> None:
    """A file ends with one line break."""
    assert formatted(b"store_id: 1\nname: A") == b"store_id: 1\nname: A\n"
    assert formatted(b"store_id: 1\nname: A\n\n\n") == b"store_id: 1\nname: A\n"


def test_the_example_catalogue_is_in_form() -> None:
    """The catalogue that comes with the project is what fmt makes of it."""
    files = sorted((ROOT / "catalog").rglob("*.yaml"))
    assert files
    assert [file.name for file in files if formatted(file.read_bytes()) != file.read_bytes()] == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("%YAML 1.2\n---\nstore_id: 1\n", (1, 1, "it has a directive (a line that begins with %)")),
        ("name: A\nstore_id: 1\n...\n", (1, 1, "the document ends with `...`")),
        (
            "store_id: 1\nname: A\n---\nstore_id: 2\nname: B\n...\n",
            (3, 1, "the document ends with `...`"),
        ),
    ],
)
def test_what_is_left_as_it_is_is_told(text: str, kept: tuple[int, int, str]) -> None:
    """A document that no rule covers keeps its text, and its place and the reason are known."""
    assert form_of(text.encode()) == (text.encode(), (kept,))


def test_what_has_an_anchor_is_no_complaint() -> None:
    """A product with an anchor keeps its text by rule, so there is nothing to tell."""
    assert form_of(b"products:\n  - &a {name: A, store_id: 1}\n").kept == ()
