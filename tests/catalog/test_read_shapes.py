"""The three shapes of file, defaults, merge keys, and text that stays as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.catalog.read import load_sources
from reconciler.model import Location
from tests.model.making import row

from .reading import encoded, errors, findings, message, read

pytestmark = pytest.mark.usefixtures("parser")

ONE = """\
store_id: "10482"
name: Linen shirt
type: top
tags: [summer, linen, linen]
image_url: https://cdn.shop/1.jpg
renamed_from: "9001"
"""

MANY = """\
defaults: {type: top, tags: [basic]}
products:
  - store_id: 10482
    name: Linen shirt
    tags: [linen, summer]
  - {store_id: 2, name: Coat, type: coat}
"""


def test_one_product() -> None:
    """A mapping of fields is one product, with the place of each value."""
    (product,) = read(ONE).products.values()
    assert product.values == row(
        store_id="10482",
        name="Linen shirt",
        tags=("linen", "summer"),
        image_url="https://cdn.shop/1.jpg",
        type="top",
    )
    assert product.renamed_from == "9001"
    assert product.location == Location("a.yaml", 1, 1)
    assert product.location_of("store_id") == Location("a.yaml", 1, 11)
    assert product.location_of("tags") == Location("a.yaml", 4, 7)
    assert product.location_of("renamed_from") == Location("a.yaml", 6, 15)


def test_many_products() -> None:
    """`products` lists many, and `defaults` beside it gives them what they do not say."""
    shirt, coat = read(MANY).products.values()
    assert shirt.values == row(
        store_id="10482", name="Linen shirt", tags=("linen", "summer"), type="top"
    )
    assert coat.values == row(store_id="2", name="Coat", tags=("basic",), type="coat")
    assert shirt.location == Location("a.yaml", 3, 5)
    assert shirt.location_of("type") == shirt.location
    assert coat.location == Location("a.yaml", 6, 6)


def test_documents_of_either_shape() -> None:
    """A file may hold several documents; defaults count only within their own."""
    catalog = read(f"{MANY}---\n{ONE.replace('10482', '7').replace('type: top', '')}---\n# none\n")
    assert list(catalog.products) == ["10482", "2", "7"]
    assert catalog.products["7"].value("type") is None


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n---\n...\n", "\ufeff"])
def test_nothing(text: str) -> None:
    """Empty and comment-only files hold no products, and that is no fault."""
    assert read(text).products == {}
    assert read(text).files == ("a.yaml",)


@pytest.mark.parametrize("text", ["products: []", "products: []\ndefaults: {}"])
def test_empty_list(text: str) -> None:
    """A list without products is legal."""
    assert read(text).products == {}


def test_folder_defaults() -> None:
    """The nearest value wins, field by field, and whole: nothing is merged."""
    files: dict[str, str | bytes] = {
        "_defaults.yaml": "{type: far, tags: [far], image_url: https://far.shop/1.jpg}",
        "women/_defaults.yml": "tags: [near]",
        "women/coats/a.yaml": "{defaults: {tags: []}, products: [{store_id: 1, name: A}]}",
        "women/b.yaml": "{store_id: 2, name: B}",
        "womens/c.yaml": '{store_id: 3, name: C, image_url: ""}',
    }
    products = load_sources(encoded(files)).products
    assert products["1"].values == row(
        store_id="1", name="A", tags=(), image_url="https://far.shop/1.jpg", type="far"
    )
    assert products["2"].values == row(
        store_id="2", name="B", tags=("near",), image_url="https://far.shop/1.jpg", type="far"
    )
    assert products["3"].values == row(
        store_id="3", name="C", tags=("far",), image_url="", type="far"
    )


def test_name_by_default() -> None:
    """A default may give the name, which then is not missing."""
    catalog = read("{defaults: {name: Sock}, products: [{store_id: 1}, {store_id: 2}]}")
    assert [product.name for product in catalog.products.values()] == ["Sock", "Sock"]


@pytest.mark.parametrize(
    "written",
    ["0123", "No", "yes", "1.10", "12:30", "1e3", "0x1F", "2024-01-01", "1_000", ".inf", "=", "-1"],
)
def test_scalars_are_text(written: str) -> None:
    """No scalar becomes a number, a boolean or a date, in any position."""
    text = f"store_id: {written}\nname: {written}\ntags: [{written}]\ntype: {written}\n"
    (product,) = read(text).products.values()
    assert product.values == row(store_id=written, name=written, tags=(written,), type=written)


@pytest.mark.parametrize("word", ["null", "~", "Null", "NULL"])
def test_quoted_null_is_text(word: str) -> None:
    """What means null without quotes is text in quotes, or with the string tag."""
    text = f"store_id: \"{word}\"\nname: '{word}'\ntags: ['{word}']\ntype: !!str {word}\n"
    (product,) = read(text).products.values()
    assert product.values == row(store_id=word, name=word, tags=(word,), type=word)
    assert errors(f"store_id: 1\nname: x\ntags: ['{word}', {word}]\n") == [
        ("empty_value", f"3:{len(word) + 12}")
    ]


def test_clearing() -> None:
    """An empty list clears the tags and an empty text the image."""
    (product,) = read("store_id: 1\nname: x\ntags: []\nimage_url: ''\n").products.values()
    assert product.values == row(store_id="1", name="x", tags=(), image_url="")


@pytest.mark.parametrize(
    ("written", "tags"),
    [
        ("12:30", "12:30"),
        ("what?", "what?"),
        ("a?b:c", "a?b:c"),
        ('"a:b"', "a:b"),
        ("a::b", "a::b"),
    ],
)
def test_punctuation_between_brackets(written: str, tags: str) -> None:
    """Colons and question marks inside plain words are text between brackets too."""
    text = f'store_id: 1\nname: "a:b?"\n---\n{{store_id: 2:2, name: x, tags: [{written}]}}\n'
    catalog = read(text)
    assert catalog.products["1"].name == "a:b?"
    assert catalog.products["2:2"].value("tags") == (tags,)
    assert catalog.products["2:2"].location_of("name") == Location("a.yaml", 4, 23)


def test_url_between_brackets() -> None:
    """A URL needs no quotes between brackets, and JSON is YAML."""
    catalog = read(
        "{store_id: 1, name: x, image_url: https://cdn.shop/1.jpg?a=b:c}\n"
        '--- {"store_id":"2","name":"y","image_url":"https://cdn.shop/2.jpg"}\n'
    )
    assert catalog.products["1"].value("image_url") == "https://cdn.shop/1.jpg?a=b:c"
    assert catalog.products["2"].value("image_url") == "https://cdn.shop/2.jpg"


def test_fault_after_rereading() -> None:
    """A file that was read again for its colons still tells a syntax error, once and in place."""
    text = "products:\n- {store_id: 1, name: a:b, brand: x}\n---\nname: [x\n"
    assert errors(text) == [("unknown_field", "2:28"), ("bad_yaml", "5:1")]


def test_line_ends_and_mark() -> None:
    """A byte-order mark and CRLF are legal and move no place."""
    text = "\ufeffstore_id: 1\r\nname: x\r\n---\r\n\ufeffstore_id: 2\r\nname: é\r\n"
    catalog = read(text)
    assert catalog.products["1"].location_of("name") == Location("a.yaml", 2, 7)
    assert catalog.products["2"].location == Location("a.yaml", 4, 1)


def test_columns_count_characters() -> None:
    """A column counts characters, not bytes."""
    catalog = read('{store_id: "日本😀é", name: x}')
    assert catalog.products["日本😀é"].location_of("name") == Location("a.yaml", 1, 26)


def test_tabs_as_space() -> None:
    """Tabs may stand between key and value and within plain text."""
    (product,) = read("store_id:\t1\nname: a\tb \t# c\ntype: a\t\n  b\n").products.values()
    assert product.values == row(store_id="1", name="a\tb", type="a b")


def test_block_scalars() -> None:
    """Block scalars are text; one that keeps its last line break is padded, with the remedy."""
    catalog = read("store_id: 1\nname: |-\n  a\n  b\ntype: >-\n  a\n  b\n")
    assert catalog.products["1"].values == row(store_id="1", name="a\nb", type="a b")
    assert "|-" in message("store_id: 1\nname: |\n  a\n")


def test_aliases_and_merge_keys() -> None:
    """Explicit keys win over merged ones and earlier mappings over later ones, at any depth."""
    text = """\
products:
  - &first {store_id: 1, name: &name First, type: top, tags: &tags [a, b]}
  - &second {<<: *first, store_id: 2, type: coat}
  - {<<: [*second, {type: hat, image_url: "https://cdn.shop/1.jpg"}, *first], store_id: 3}
  - {store_id: 4, name: *name, tags: *tags}
"""
    products = read(text).products
    assert products["2"].values == row(store_id="2", name="First", tags=("a", "b"), type="coat")
    assert products["3"].values == row(
        store_id="3", name="First", tags=("a", "b"), image_url="https://cdn.shop/1.jpg", type="coat"
    )
    assert products["4"].values == row(store_id="4", name="First", tags=("a", "b"))


def test_anchored_list() -> None:
    """Products below an anchor, and a product that is an alias, are products too."""
    catalog = read("products: &all\n- {store_id: 1, name: x}\n")
    assert list(catalog.products) == ["1"]
    text = "defaults: &base {type: x, name: y}\nproducts:\n- *base\n"
    assert errors(text) == [("missing_field", "1:18")]


def test_anchors_end_with_their_document() -> None:
    """An alias reaches no other document and nothing that is not complete."""
    text = "store_id: &id 1\nname: x\n---\nstore_id: 2\nname: *id\n"
    assert errors(text) == [("bad_yaml", "5:7")]
    assert errors("store_id: 1\nname: &x [*x]\n") == [("bad_yaml", "2:11")]
    assert "in quotes" in message("store_id: 1\nname: *sale\n")


def test_products_in_order() -> None:
    """Products stand in the order of the file names, then of the file, however files come."""
    files = [("b.yaml", b"{store_id: 1, name: x}"), ("a.yaml", b"{store_id: 2, name: x}")]
    catalog = load_sources(files)
    assert list(catalog.products) == ["2", "1"]
    assert catalog == load_sources(reversed(files))


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp", "Cn"]), min_size=1
    ).filter(lambda text: text.strip() == text and any(not c.isspace() for c in text))
)
def test_quoted_text_comes_back(text: str) -> None:
    """Whatever is written in quotes comes back as written, in every position that takes text."""
    quoted = "'" + text.replace("'", "''") + "'"
    document = f"{{store_id: {quoted}, name: {quoted}, tags: [{quoted}], type: {quoted}}}"
    found = [one for one in findings(document) if one.severity == "error"]
    assert not [one for one in found if one.code != "blank_text"]
    if not found:
        (product,) = read(document).products.values()
        assert product.values == row(store_id=text, name=text, tags=(text,), type=text)
