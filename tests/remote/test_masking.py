"""Data without the key: no spelling of it gets through, and nothing else is touched."""

import html
import json
import re
from collections.abc import Callable
from time import perf_counter
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.remote.masking import MASK
from reconciler.remote.redaction import Redactor
from tests.remote.actions import Connect, Serve
from tests.remote.servers import page

Spell = Callable[[str], str]

LONG = 'a b&c=%/+"é-longer-4711'
SHORT = ["Key4711ab", 'a b&c=%/+"é', "demo", "k"]


def small(text: str) -> str:
    """The same percent-encoding, in lower case."""
    return re.sub("%..", lambda escape: escape[0].lower(), text)


SPELLINGS: dict[str, Spell] = {
    "raw": str,
    "url": lambda key: quote(key, safe=""),
    "path": quote,
    "form": quote_plus,
    "lower": lambda key: small(quote(key, safe="")),
    "lower form": lambda key: small(quote_plus(key)),
    "twice": lambda key: quote(quote(key, safe=""), safe=""),
    "form twice": lambda key: quote_plus(quote_plus(key)),
    "lower twice": lambda key: small(quote(small(quote(key, safe="")), safe="")),
    "every byte": lambda key: "".join(f"%{byte:02x}" for byte in key.encode()),
    "html": html.escape,
    "html twice": lambda key: html.escape(html.escape(key)),
    "url in html": lambda key: html.escape(quote(key, safe="&'")),
    "entities": lambda key: "".join(f"&#{ord(char)};" for char in key),
    "hexadecimal entities": lambda key: "".join(f"&#x{ord(char):X};" for char in key),
    "json": lambda key: json.dumps(key)[1:-1],
    "slashed json": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
}


def escaped(char: str, upper: bool) -> str:
    """A character as JSON may always spell it: by the numbers of its halves."""
    units = char.encode("utf-16-be").hex()
    units = units.upper() if upper else units
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def slashed(text: str) -> str:
    """JSON as PHP writes it."""
    return json.dumps(text).replace("/", "\\/")


def html_safe(text: str) -> str:
    """JSON as Go writes it."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(escaped(char, upper=False) if char in "<>&" else char for char in written)


WRITERS: dict[str, Spell] = {
    "ascii": json.dumps,
    "readable": lambda text: json.dumps(text, ensure_ascii=False),
    "slashed": slashed,
    "html-safe": html_safe,
    "upper": lambda text: f'"{"".join(escaped(char, upper=True) for char in text)}"',
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)
keys = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda key: key == key.strip()
)


def answer(text: str) -> bytes:
    """A page of one record whose handle is this JSON."""
    return b'{"count": 1, "results": [{"id": "a", "handle": %s}]}' % text.encode()


def handle(body: bytes) -> str:
    """The handle that a reader of the page sees."""
    seen: str = json.loads(body)["results"][0]["handle"]
    return seen


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_long_key_gets_through(spelling: str, writer: str) -> None:
    """However a key is encoded, and whoever wrote the JSON around it, the data is without it."""
    body = answer(WRITERS[writer](f"see {SPELLINGS[spelling](LONG)} there"))
    assert handle(Redactor([LONG]).mask(body)) == f"see {MASK} there"


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("key", SHORT)
def test_a_key_of_any_length_is_masked_as_a_parameter(key: str, spelling: str, writer: str) -> None:
    """A link's key is no product's name, so it goes even where it is only a letter."""
    link = f"https://x/?api_key={SPELLINGS[spelling](key)}"
    for end in ("", "&limit=5", "#top"):
        masked = Redactor([key]).mask(answer(WRITERS[writer](link + end)))
        assert handle(masked) == f"https://x/?api_key={MASK}{end}"


@pytest.mark.parametrize("writer", WRITERS)
def test_a_parameter_within_a_parameter_is_masked(writer: str) -> None:
    """A link that is another's parameter has its own name and sign encoded too."""
    for key in (LONG, *SHORT):
        inner = quote(f"/?api_key={quote(key, safe='')}&limit=5", safe="")
        masked = Redactor([key]).mask(answer(WRITERS[writer](f"https://x/?next={inner}")))
        assert handle(masked) == f"https://x/?next=%2F%3Fapi_key%3D{MASK}%26limit%3D5"


@given(keys, st.sampled_from(sorted(SPELLINGS)), st.data())
def test_no_spelling_of_any_key_gets_through(key: str, spelling: str, data: st.DataObject) -> None:
    """Any key, encoded for a URL or a page, with any of its characters escaped by JSON."""
    link = f"https://x/?api_key={SPELLINGS[spelling](key)}&limit=5"
    ways = data.draw(st.lists(st.integers(0, 2), min_size=len(link), max_size=len(link)))
    text = "".join(
        escaped(char, upper=way == 1) if way else json.dumps(char, ensure_ascii=False)[1:-1]
        for char, way in zip(link, ways, strict=True)
    )
    masked = handle(Redactor([key]).mask(answer(f'"{text}"')))
    # Where a letter beyond ASCII stands before a key's last sign, that may be taken for a letter,
    # and the sign that follows for the key's.
    ends = {"&limit=5"} if key.isascii() else {"&limit=5", "limit=5"}
    assert masked in {f"https://x/?api_key={MASK}{end}" for end in ends}


@given(
    st.lists(values, max_size=5),
    st.sampled_from(["a-key-nobody-writes", "a-key-n", "§-§-§-§-§-§-§", "-------------"]),
    st.booleans(),
)
def test_a_page_without_the_key_is_the_same_bytes(
    listed: list[object], key: str, ascii: bool
) -> None:
    """Whatever else an answer holds, however it is written: not one byte of it is touched.

    The last keys have no letter or digit, so that every page is looked through text by text.
    """
    text = json.dumps(listed, ensure_ascii=ascii, indent=2)
    body = text.encode("utf-8", "surrogatepass")
    assert Redactor([key]).mask(body) == body


@given(st.binary())
def test_bytes_that_are_no_json_are_the_same_bytes(body: bytes) -> None:
    """An answer that cannot be read is nobody's data, and no fault of the masking either."""
    assert Redactor(["a-key-nobody-writes", "\xa7" * 12]).mask(body) == body


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("demo", "demo shirt, a democratic key: api_key=demonstration of api_key"),
        ("Key4711ab", "Key4711ab"),
        ("k", "api_key=kept for the key k"),
        ("demo", "https://x/?my_key=demo&api_key=other&api_keys=demo"),
        ("demo-key-4711", "demo-key 4711 \\u0064emo-key-471 &#100;emo %64emo"),
    ],
)
@pytest.mark.parametrize("writer", WRITERS)
def test_ordinary_data_is_not_touched(key: str, text: str, writer: str) -> None:
    """What only looks like a short key, or begins as one does, stays byte for byte."""
    body = answer(WRITERS[writer](text))
    assert Redactor([key]).mask(body) == body


def test_all_but_the_key_stays_byte_for_byte() -> None:
    """Numbers of any length, repeated names, escapes and white space beside a masked text stay."""
    rest = (
        rb'{ "n":%s,"n": -0.10e+400 ,"b":[true,null,NaN],' % (b"7" * 5000)
        + rb'"u":"\u00E9\/\ud800","t":"\"caf'
        + "é".encode()
        + rb'\\","handle":'
    )
    spelled = rb'"\u0061 b\u0026c=%\/+\"\u00E9-longer-4711"'
    assert Redactor([LONG]).mask(rest + spelled + b"}\n") == rest + b'"[key]"}\n'


def test_a_key_of_digits_is_masked_as_a_number_too() -> None:
    """A key that JSON takes for a number is masked as one, and the page can still be read."""
    body = b'{"count": 1, "results": [{"id": 123456789012, "handle": "x"}]}'
    masked = json.loads(Redactor(["123456789012"]).mask(body))
    assert masked == {"count": 1, "results": [{"id": MASK, "handle": "x"}]}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32-le", "utf-8-sig"])
def test_a_key_in_wide_json_is_masked(encoding: str) -> None:
    """An answer that is read in spite of its encoding is masked in spite of it."""
    text = answer(json.dumps(LONG)).decode()
    assert LONG in handle(text.encode(encoding))
    assert handle(Redactor([LONG]).mask(text.encode(encoding))) == MASK
    plain = text.replace("longer", "other").encode(encoding)
    assert Redactor([LONG]).mask(plain) == plain


def test_a_key_in_a_name_is_masked() -> None:
    """A record's own key is data as well as its value is."""
    body = answer("{" + json.dumps(quote(LONG)) + ": 1}")
    assert json.loads(Redactor([LONG]).mask(body))["results"][0]["handle"] == {MASK: 1}


def test_every_key_is_masked() -> None:
    """A redactor of many keys masks each, long or short, with the white space that it came with."""
    body = answer('"api_key=short and first-of-many-keys and second-of-many-keys"')
    masked = Redactor(["short\n", " first-of-many-keys", "second-of-many-keys", "", " "]).mask(body)
    assert handle(masked) == f"api_key={MASK} and {MASK} and {MASK}"


@pytest.mark.parametrize("filler", ['"', '\\"', "\\", "%25", "&#65;", "&amp;", "\\u0041", "9", "é"])
def test_no_answer_takes_long(filler: str) -> None:
    """An answer made to be searched for ever is searched through like any other."""
    body = filler.encode() * 30_000
    redactor = Redactor([LONG, "demo", "/-slash-key-é", "9" * 20 + "8"])
    before = perf_counter()
    redactor.mask(body)
    redactor.mask(b'"' + body + b'"')
    assert perf_counter() - before < 5


def test_a_page_without_the_key_costs_a_look() -> None:
    """A page of ordinary data is not taken apart: that takes a hundred times as long."""
    record = {"id": "5f2c", "name": "Wool cöat & hat", "image_md": "https://x/a%20b.jpg#top"}
    body = json.dumps({"count": 600, "results": [record] * 600}, ensure_ascii=False).encode()
    redactor = Redactor(["q7Zk0123456789abcdefGHIJKLmnopqrst4711XY"])

    def quickest(page: bytes) -> float:
        times = []
        for _ in range(7):
            before = perf_counter()
            redactor.mask(page)
            times.append(perf_counter() - before)
        return min(times)

    assert quickest(body) * 5 < quickest(body.replace(b"Wool", b"W%41l"))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("key", [LONG, *SHORT])
def test_neither_products_nor_records_hold_the_key(
    serve: Serve, connect: Connect, key: str, spelling: str
) -> None:
    """What the list returns of a product, and what the journal keeps of it, come from one mask."""
    link = f"https://x/?api_key={SPELLINGS[spelling](key)}"
    record = {"id": "a", "store_id": "1", "name": link, "brand": link, "tags": [{"name": link}]}
    server = serve(lambda call: page(call, [record, {"id": "b", "store_id": "2"}], most=2))
    listing = connect(server, key=key).list()
    clean = f"https://x/?api_key={MASK}"
    assert (listing.products[0].name, listing.products[0].value("tags")) == (clean, (clean,))
    whole = listing.records(["a"])["a"]
    assert (whole["name"], whole["brand"], whole["tags"]) == (clean, clean, [{"name": clean}])
