"""Every fault of a file: its code, its place, its remedy, all of them in one run."""

import pytest

from reconciler.catalog.read import load_sources
from reconciler.errors import CatalogError

from .reading import errors, findings, message, read, told, warnings

pytestmark = pytest.mark.usefixtures("parser")

START = "store_id: 1\nname: x\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("store_id: 1\nnmae: x\n", [("missing_field", "1:1"), ("unknown_field", "2:1")]),
        ("{}", [("missing_field", "1:1"), ("missing_field", "1:1")]),
        ("products:\n  - type: x\n", [("missing_field", "2:5"), ("missing_field", "2:5")]),
        (f"{START}name: y\n", [("duplicate_key", "3:1")]),
        (f"{START}? [a]\n: b\n", [("wrong_kind", "3:3")]),
        (f"{START}type: [a]\n", [("wrong_kind", "3:7")]),
        (f"{START}type: {{a: b}}\n", [("wrong_kind", "3:7")]),
        (f"{START}image_url: [a]\n", [("wrong_kind", "3:12")]),
        (f"{START}tags: linen\n", [("wrong_kind", "3:7")]),
        (f'{START}tags: ""\n', [("wrong_kind", "3:7")]),
        (f"{START}tags: {{a: b}}\n", [("wrong_kind", "3:7")]),
        (f"{START}tags: [a, [b], {{c: d}}]\n", [("wrong_kind", "3:11"), ("wrong_kind", "3:16")]),
        (f"{START}tags:\n", [("empty_value", "3:1")]),
        (f"{START}tags: ~\n", [("empty_value", "3:7")]),
        (f"{START}tags: [a, ~]\n", [("empty_value", "3:11")]),
        (f"{START}tags: [a, '']\n", [("blank_text", "3:11")]),
        (f"{START}type:\n", [("empty_value", "3:1")]),
        (f"{START}type: null\n", [("empty_value", "3:7")]),
        (f"{START}image_url: ~\n", [("empty_value", "3:12")]),
        ("store_id: ~\nname:\n", [("empty_value", "1:11"), ("empty_value", "2:1")]),
        (f"{START}type: ''\n", [("blank_text", "3:7")]),
        (f"{START}type: ' '\n", [("blank_text", "3:7")]),
        (f'{START}type: "\\u200b\\u3000"\n', [("blank_text", "3:7")]),
        (f"{START}image_url: ' '\n", [("blank_text", "3:12")]),
        (f"{START}type: ' a'\n", [("padded_text", "3:7")]),
        (f'{START}renamed_from: "a\\u00a0"\n', [("padded_text", "3:15")]),
        (f"{START}tags: ['a ']\n", [("padded_text", "3:8")]),
        ("store_id: '1 '\nname: ' x'\n", [("padded_text", "1:11"), ("padded_text", "2:7")]),
        (f'{START}type: "a\\x07b"\n', [("control_character", "3:7")]),
        (f'{START}type: "a\\x85b"\n', [("control_character", "3:7")]),
        (f"{START}type: !!int 5\n", [("explicit_tag", "3:7")]),
        (f"{START}!x type: !y 5\n", [("explicit_tag", "3:1"), ("explicit_tag", "3:10")]),
        (f"!!map\n{START}tags: !!seq [a]\n", [("explicit_tag", "1:1"), ("explicit_tag", "4:7")]),
        (f"{START}<<: x\n", [("wrong_kind", "3:5")]),
        (f"{START}<<: [{{type: x}}, y]\n", [("wrong_kind", "3:17")]),
        (f"{START}<<: {{type: x}}\n<<: {{type: y}}\n", [("duplicate_key", "4:1")]),
        (f'{START}"<<": {{type: x}}\n', [("unknown_field", "3:1")]),
        ("- store_id: 1\n", [("wrong_kind", "1:1")]),
        ("hello", [("wrong_kind", "1:1")]),
        ("null", [("wrong_kind", "1:1")]),
        ("products:\n", [("empty_value", "1:1")]),
        ("products: x\n", [("wrong_kind", "1:11")]),
        ("products:\n  - \n  - x\n", [("empty_value", "2:4"), ("wrong_kind", "3:5")]),
        ("products: []\nbrand: x\nname: y\n", [("unknown_field", "2:1"), ("unknown_field", "3:1")]),
        ("defaults: {type: x}\n", [("missing_field", "1:1")]),
        ("defaults:\nproducts: []\n", [("empty_value", "1:1")]),
        ("defaults: x\nproducts: []\n", [("wrong_kind", "1:11")]),
        ("defaults: {store_id: 1}\nproducts: []\n", [("unknown_field", "1:12")]),
        ("defaults: {tpye: 1}\nproducts: []\n", [("unknown_field", "1:12")]),
        ("defaults: {type: ~}\nproducts: []\n", [("empty_value", "1:18")]),
    ],
)
def test_fault(text: str, expected: list[tuple[str, str]]) -> None:
    """Each fault has its code and stands at the key or the value that is at fault."""
    assert errors(text) == expected


@pytest.mark.parametrize(
    "url",
    [
        "cdn.shop/1.jpg",
        "ftp://cdn.shop/1.jpg",
        "https:///1.jpg",
        "https://",
        "https://:80/1.jpg",
        "https://cdn.shop:x/1.jpg",
        "https://cdn.shop:/1.jpg",
        "https://cdn.shop:0/1.jpg",
        "https://cdn.shop:99999/1.jpg",
        "https://cdn.shop/a b.jpg",
        "https://cdn.shop/a\\nb.jpg",
        "https://cdn.shop/a\\u00a0b.jpg",
        "https://[::1/1.jpg",
        "https://other.example\\\\@cdn.shop/1.jpg",
        "javascript:alert(1)",
    ],
)
def test_bad_url(url: str) -> None:
    """What is no http(s) URL with a host and perhaps a port is refused, wherever it comes."""
    good = '{store_id: 2, name: y, image_url: "https://cdn.shop/2.jpg"}\n---\n'
    assert errors(f'{good}{START}image_url: "{url}"\n') == [("bad_url", "5:12")]


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.shop",
        "HTTP://cdn.shop:8080/1.jpg?a=b#c",
        "https://user@cdn.shop/ä.jpg",
        "https://[::1]:80/",
        "https://[::1]",
        "https://cdn.shop/%20",
    ],
)
def test_good_url(url: str) -> None:
    """URLs with what a URL may have are taken as written."""
    assert told(f'{START}image_url: "{url}"\n---\nstore_id: 2\nname: y\nimage_url: "{url}"\n') == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\\u200bb", "invisible_character"),
        ("a\\u202eb", "invisible_character"),
        ("a\\u2028b", "invisible_character"),
        ("a\\u3164b", "invisible_character"),
        ("e\\u0301", "not_nfc"),
    ],
)
def test_text_warnings(text: str, code: str) -> None:
    """Characters that nobody sees, and text that is not composed, are warnings at every use."""
    document = f'store_id: 1\nname: "{text}"\ntags: ["{text}"]\n'
    assert warnings(document) == [(code, "2:7"), (code, "3:8")]
    assert warnings(f'{document}---\nstore_id: 2\nname: x\ntags: ["{text}"]\n')[2:] == [
        (code, "7:8")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
        "\U0001f3f3\ufe0f\u200d\U0001f308",  # a flag of two signs, the first as a picture
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, "I want"
        "\u0915\u094d\u200d\u0937",  # Devanagari
    ],
)
def test_joiners_that_are_needed_are_no_fault(text: str) -> None:
    """Within an emoji, and between letters of a script that needs them, joiners are spelling."""
    assert warnings(f"store_id: 1\nname: {text}\n") == []
    lone = f"store_id: 1\nname: {text} a\u200db\n"
    assert warnings(lone) == [("invisible_character", "2:7")]


def test_a_merge_conflict_is_called_one() -> None:
    """Markers that a merge left are told as such, at the first of them."""
    text = "store_id: 1\nname: x\n<<<<<<< HEAD\ntype: a\n=======\ntype: b\n>>>>>>> main\n"
    (finding,) = findings(text)
    assert (finding.code, str(finding.location)) == ("bad_yaml", "a.yaml:3:1")
    assert "merge conflict" in finding.message


def test_surrogate_pairs_of_json_are_read() -> None:
    """JSON spells one character as two escapes; in single quotes these stay what they are."""
    pair, emoji = "\\ud83d\\ude00", "\U0001f600"
    text = f'{{"store_id": "1", "name": "A {pair} b", "tags": ["{pair}{pair}"], "type": "x"}}\n'
    (product,) = read(text).products.values()
    assert (product.name, product.value("tags")) == (f"A {emoji} b", (emoji * 2,))
    column = text.index('"x"') + 1
    assert str(product.location_of("type")) == f"a.yaml:1:{column}"
    mixed = (
        f"- {{store_id: 1, name: \"{pair}\", type: '{pair}'}}\n- {{store_id: 2, name: {pair}}}\n"
    )
    first, second = read(f"products:\n{mixed}").products.values()
    assert (first.name, first.value("type"), second.name) == (emoji, pair, pair)


def test_half_a_surrogate_pair_is_refused() -> None:
    """Half of a pair is no character."""
    ((code, _),) = errors('{"store_id": "1", "name": "\\ud83d"}')
    assert code == "bad_yaml"


def test_raw_separators_are_kept() -> None:
    """The separators that parsers disagree on are text, warned of, and end no line."""
    text = "store_id: 1\nname: a\u2028b\u2029c\ufeffd\ntype: x\n"
    assert warnings(text) == [("invisible_character", "2:7")]
    (product,) = load_sources([("a.yaml", text.encode())]).products.values()
    assert product.name == "a\u2028b\u2029c\ufeffd"
    assert product.location_of("type").line == 3


def test_tags_in_case() -> None:
    """Each further spelling of a tag is told once, in one product or in several."""
    text = "products:\n- {store_id: 1, name: x, tags: [Linen, linen]}\n"
    assert warnings(text) == [("tags_differ_in_case", "2:40")]
    files: dict[str, str | bytes] = {
        "a.yaml": "{store_id: 1, name: x, tags: [Linen]}",
        "b.yaml": "{store_id: 2, name: x, tags: [linen]}",
        "c.yaml": "{store_id: 3, name: x, tags: [linen]}",
    }
    (finding,) = findings(files)
    assert str(finding.location) == "b.yaml:1:31"
    assert "a.yaml:1:31" in finding.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("store_id: 1\nname: x\ntgas: [a]\n", "Did you mean tags?"),
        ("store_id: 1\nname: x\nName: y\n", "Did you mean name?"),
        (f"{START}zzz: y\n", "Remove it. Known here: store_id, name, tags"),
        (f"{START}tags: linen\n", "`tags: [linen]`"),
        (f"{START}type: ~\n", "Leave the field out"),
        (f"{START}type: ~\n", "`tags: []`"),
        (f"{START}image_url: x\n", "https://"),
        ("- store_id: 1\n", "`products:`"),
        ("products: []\nname: y\n", "below `products:`"),
        ("prodcuts: []\nproducts: []\n", "Did you mean products?"),
        (f"{START}name: y\n", "at a.yaml:2:1"),
        (f"{START}type: !!int 5\n", "!!int"),
        ("store_id: 1\n\tname: x\n", "spaces"),
        ("store_id: 1\nname: Shirt: blue\n", "quotes"),
        ("store_id: 1\nname: @home\n", "quotes"),
        ("store_id: 1\nname: - x\n", "quotes"),
        ("store_id: 1\nname: *\n", "quotes"),
        ("store_id: 1\nname: 'x\n", "Close the quote"),
        ("store_id: 1\ntags: [x\n", "close the bracket"),
        ('store_id: 1\nname: "\\q"\n', "backslash"),
        ('store_id: 1\nname: "\\UFFFFFFFF"\n', "Bad YAML"),
        ("store_id: 1\nname: !e!x y\n", "Remove the tag"),
        ("%YAML 2.0\n---\nstore_id: 1\n", "Bad YAML"),
    ],
)
def test_remedy(text: str, words: str) -> None:
    """A message says what to do."""
    assert words in message(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("store_id: 1\nname: a: b\n", "2:8"),
        ("store_id: é\nname: 'é' x\n", "2:11"),
        ("store_id: 1\nname: [x\n", "3:1"),
        ("store_id: 1\nname: @x\n", "2:7"),
    ],
)
def test_syntax_error(text: str, place: str) -> None:
    """A syntax error stands where the parser gave up, and other files are still checked."""
    files: dict[str, str | bytes] = {"a.yaml": text, "b.yaml": "store_id: ~\n"}
    assert told(files)[0] == ("error", "bad_yaml", place)
    assert [one.place for one in told(files)[1:]] == ["b.yaml:1:1", "b.yaml:1:11"]


def test_faults_before_a_syntax_error() -> None:
    """What was read before a syntax error is still checked."""
    text = "products:\n- {store_id: 1}\n- {store_id: 2\n"
    assert [one[0] for one in errors(text)][-1] == "bad_yaml"
    assert errors(f"store_id: ~\nname: x\n---\n{text}")[0] == ("empty_value", "1:11")


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"store_id: 1\nname: J\xf6rg\n", "2:8"),
        (b"\xef\xbb\xbfname: \xc3\xa9\xff", "1:8"),
        (b"store_id: 1\r\n\r\nname: \xc3", "3:7"),
        (b"\xff", "1:1"),
        ("name: x".encode("utf-16"), "1:1"),
        ("name: x".encode("utf-16-le"), "1:1"),
        ("name: x".encode("utf-16-be"), "1:1"),
        ("name: x".encode("utf-32"), "1:1"),
    ],
)
def test_encoding(data: bytes, place: str) -> None:
    """What is not UTF-8 is refused at its first wrong byte, the column in characters."""
    assert errors(data) == [("bad_encoding", place)]
    assert "UTF-8" in message(data)


def test_raw_control_characters() -> None:
    """Control characters in the file are told line by line, and the rest is still checked."""
    text = "store_id: 1\nname: é\x01\x02\r\n# \x7f\ntype: a\x85\rtags: x\n\ufffe: x\n"
    assert errors(text) == [
        ("control_character", "2:8"),
        ("control_character", "3:3"),
        ("control_character", "4:8"),
        ("wrong_kind", "5:7"),
        ("control_character", "6:1"),
        ("unknown_field", "6:1"),
    ]


@pytest.mark.parametrize("bracket", ["[", "[\n ", "{", "- ", "? "])
def test_deep_nesting(bracket: str) -> None:
    """Any depth of nesting is a finding, not a crash."""
    ((code, _),) = errors(f"tags:\n  {bracket * 20_000}")
    assert code == "bad_yaml"


def test_alias_bomb() -> None:
    """Aliases that multiply a file beyond the budget are refused."""
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    text = "\n".join(["l0: &l0 [lol, lol, lol]", *levels])
    assert errors(text)[0][0] == "alias_budget"


def test_merged_fault_is_told_once() -> None:
    """A fault that many products share through an alias is one finding."""
    base = "defaults: &base {type: ' x'}\nproducts:\n"
    text = base + "".join(f"- {{<<: *base, store_id: {n}, name: y}}\n" for n in range(50))
    assert errors(text) == [("padded_text", "1:24")]


def test_merge_of_itself_by_many_ways() -> None:
    """A mapping that is merged along many ways is read once."""
    lines = ["- &m0 {store_id: 0, name: x}"]
    lines += [f"- &m{n} {{<<: [*m{n - 1}, *m{n - 1}], store_id: {n}}}" for n in range(1, 12)]
    assert told("products:\n" + "\n".join(lines)) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("_defaults.yaml", "products: []\n"),
        ("_defaults.yaml", "defaults: {type: top}\n"),
        ("a.yaml", "defaults: {products: []}\nproducts: []\n"),
    ],
)
def test_the_shape_of_a_file_has_its_place(file: str, text: str) -> None:
    """What divides a file of products is told where it belongs, and not asked back for itself."""
    (found,) = findings({file: text})
    assert "It belongs at the top of a file of products." in found.message
    assert "Did you mean" not in found.message


def test_defaults_files() -> None:
    """Faults of defaults files are told there, and each file's once."""
    files: dict[str, str | bytes] = {
        "_defaults.yaml": "type: ~\nstore_id: 5\n---\ntype: x\n",
        "_defaults.yml": "type: x\n",
        "b/_defaults.yaml": "[x]\n",
        "c/_defaults.yaml": "# none\n",
        "d/_defaults.yaml": "type: [\n",
        "b/c/x.yaml": START,
    }
    assert errors(files) == [
        ("empty_value", "_defaults.yaml:1:7"),
        ("unknown_field", "_defaults.yaml:2:1"),
        ("wrong_kind", "_defaults.yaml:4:1"),
        ("duplicate_key", "_defaults.yml:1:1"),
        ("wrong_kind", "b/_defaults.yaml:1:1"),
        ("bad_yaml", "d/_defaults.yaml:2:1"),
    ]


def test_all_faults_sorted() -> None:
    """Errors and warnings of all files come together, by file, line, column and code."""
    files: dict[str, str | bytes] = {
        "b.yaml": "store_id: 1\nname: ' x'\nbrand: y\n",
        "a.yaml": "name: ~\ntags: [A, a]\n",
    }
    with pytest.raises(CatalogError) as caught:
        load_sources((name, str(data).encode()) for name, data in files.items())
    places = [finding.location for finding in caught.value.findings]
    assert [str(place) for place in places] == [
        "a.yaml:1:1",
        "a.yaml:1:7",
        "a.yaml:2:11",
        "b.yaml:2:7",
        "b.yaml:3:1",
    ]
    assert str(caught.value) == "The catalogue has 4 errors."
    assert caught.value.hint


def test_size() -> None:
    """A file above the limit is refused by name, and the limit is told."""
    with pytest.raises(CatalogError) as caught:
        load_sources([("a.yaml", START.encode())], max_bytes=10)
    (finding,) = caught.value.findings
    assert (finding.code, str(finding.location)) == ("file_too_large", "a.yaml:1:1")
    assert "10 bytes" in finding.message
    with pytest.raises(CatalogError, match="1 error"):
        load_sources([("a.yaml", b"#" * 1_048_577)], max_bytes=1_048_576)
