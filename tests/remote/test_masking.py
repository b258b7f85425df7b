"""Data without the key: no form of it gets through, and nothing else is touched."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model import Listing
from reconciler.remote import wire
from reconciler.remote.redaction import MASK, Redactor
from reconciler.remote.transport import Response
from reconciler.remote.wire import Page, read_page
from tests.remote.actions import Connect, Serve
from tests.remote.servers import page
from tests.remote.spellings import AS_SENT, FORMS, KEYS, Spell, legible

LONG = 'a b&c=%/+"é-longer-4711'
SHORT = ["Key4711ab", 'a b&c=%/+"é', "demo", "k"]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def html_safe(text: str) -> str:
    """JSON as Go writes it."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(f"\\u{ord(char):04x}" if char in "<>&" else char for char in written)


WRITERS: dict[str, Spell] = {
    "ascii": json.dumps,
    "readable": lambda text: json.dumps(text, ensure_ascii=False),
    "slashed": lambda text: json.dumps(text).replace("/", "\\/"),
    "html-safe": html_safe,
}


def read(text: str, *keys: str, encoding: str = "utf-8") -> str:
    """The name, and the same in the whole record, of a product whose name is this JSON."""
    link = quote(keys[0] if keys else "", safe="", errors="replace")
    body = '{"count": 1, "next": "https://x/?api_key=%s", "results": [{"id": "a", "name": %s}]}'
    got: Page = read_page(
        Response(200, (body % (link, text)).encode(encoding), "application/json", None),
        Redactor(keys),
    )
    record = Listing(got.products, (got.raw,)).records(["a"])["a"]
    assert record["name"] == got.products[0].name
    return str(record["name"])


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_long_key_gets_through(form: str, writer: str) -> None:
    """However a key is encoded, and whoever wrote the JSON around it, the data is without it."""
    for key in (LONG, *KEYS):
        seen = read(WRITERS[writer](f"see {FORMS[form](key)} there"), key)
        assert not legible(key, seen)
        assert seen == f"see {MASK} there" or form not in AS_SENT


@pytest.mark.parametrize("key", SHORT)
def test_a_key_of_any_length_is_masked_as_a_parameter(key: str) -> None:
    """A link's key is no product's name, so it goes even if it is only a letter."""
    for form in AS_SENT:
        for end in ("", "&limit=5", "#top"):
            link = f"https://x/?api_key={FORMS[form](key)}"
            for writer in WRITERS.values():
                assert read(writer(link + end), key) == f"https://x/?api_key={MASK}{end}"
    inner = quote(f"/?api_key={quote(key, safe='')}&limit=5", safe="")
    assert read(json.dumps(f"https://x/?next={inner}"), key).startswith(MASK[:-1])


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=12, max_size=30),
    st.sampled_from([*AS_SENT]),
)
def test_no_sent_form_of_any_key_gets_through(key: str, form: str) -> None:
    """Whatever the key, raw or percent-encoded it is gone."""
    key = key.strip()
    sent = FORMS[form](key)
    assert sent not in read(json.dumps(f"see\n{sent}\nthere"), key) or len(key) < 12


@given(values, st.sampled_from(["a-key-nobody-writes", "a-key-n", "§-§-§-§-§-§-§"]))
def test_a_record_without_the_key_is_kept_as_it_is(value: object, key: str) -> None:
    """Whatever else a record holds, however it is written: not one value of it is touched.

    The last key has no letter or digit, so every page is read as one that holds the key.
    """
    body = json.dumps({"count": 1, "results": [{"id": "a", "other": value}]}).encode()
    got = read_page(Response(200, body, "application/json", None), Redactor([key]))
    clean = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    expected = json.loads(clean.decode("utf-8", "replace"))
    record = Listing(got.products, (got.raw,)).records(["a"])["a"]
    assert record["other"] in (value, expected)


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
def test_ordinary_data_is_not_touched(key: str, text: str) -> None:
    """What only looks like a short key, or begins as one does, stays."""
    for writer in WRITERS.values():
        assert read(writer(text), key) == text


def test_a_key_of_digits_is_masked_as_a_number_too() -> None:
    """A key that JSON takes for a number is masked as one, and the page can still be read."""
    assert read("123456789012", "123456789012") == MASK


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32-le", "utf-8-sig"])
def test_a_key_in_wide_json_is_masked(encoding: str) -> None:
    """An answer that is read in spite of its encoding is masked in spite of it."""
    assert read(json.dumps(LONG), LONG, encoding=encoding) == MASK
    assert read(json.dumps("other"), LONG, encoding=encoding) == "other"


def test_every_key_is_masked() -> None:
    """A redactor of many keys masks each, long or short, with the white space that it came with."""
    keys = ("short\n", " first-of-many-keys", "second-of-many-keys", "", " ")
    text = '"api_key=short and first-of-many-keys and second-of-many-keys"'
    assert read(text, *keys) == f"api_key={MASK} and {MASK} and {MASK}"


def test_a_page_without_the_key_costs_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ordinary data is read once: its links hold the key, and nothing is kept of them."""
    monkeypatch.setattr(wire, "_read_carefully", None)
    text = "Wool cöat & hat https://x/a%20b.jpg#top"
    assert read(html_safe(text), "q7Zk0123456789abcdefGHIJKLmnopqrst4711XY") == text


@pytest.mark.parametrize("key", [LONG, *SHORT])
def test_neither_products_nor_records_hold_the_key(
    serve: Serve, connect: Connect, key: str
) -> None:
    """What the list returns of a product, and what the journal keeps of it, is masked."""
    link = f"https://x/?api_key={quote(key, safe='')}"
    record = {"id": "a", "store_id": "1", "name": link, "brand": link, "tags": [{"name": link}]}
    server = serve(lambda call: page(call, [record, {"id": "b", "store_id": "2"}], most=2))
    listing = connect(server, key=key).list()
    clean = f"https://x/?api_key={MASK}"
    assert (listing.products[0].name, listing.products[0].value("tags")) == (clean, (clean,))
    whole = listing.records(["a"])["a"]
    assert (whole["name"], whole["brand"], whole["tags"]) == (clean, clean, [{"name": clean}])
