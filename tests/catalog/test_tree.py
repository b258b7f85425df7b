"""The loader for settings: nested text with places."""

import pytest

from reconciler.model import Location
from reconciler.yamltext.tree import load_tree

pytestmark = pytest.mark.usefixtures("parser")

SETTINGS = b"""\
catalog: catalog
limits: {deletes: 10%, floor: 5}
protected: ["gift-*", 'x']
requests:
  rate: null
  proxy:
stores:
  default: &base {api_url: "https://a.shop/", catalog: ~}
  other:
    <<: *base
    catalog: "~"
"""


def test_values() -> None:
    """Every scalar is text as written, and what is null without quotes is known as such."""
    tree = load_tree("reconciler.yaml", SETTINGS)
    assert tree.value == {
        "catalog": "catalog",
        "limits": {"deletes": "10%", "floor": "5"},
        "protected": ["gift-*", "x"],
        "requests": {"rate": "null", "proxy": ""},
        "stores": {
            "default": {"api_url": "https://a.shop/", "catalog": "~"},
            "other": {"api_url": "https://a.shop/", "catalog": "~"},
        },
    }
    assert tree.findings == ()
    assert tree.nulls == {
        ("requests", "rate"),
        ("requests", "proxy"),
        ("stores", "default", "catalog"),
    }


def test_places() -> None:
    """Keys and values have their own places; what is absent has its parent's."""
    tree = load_tree("s.yaml", SETTINGS)
    assert tree.keys["limits", "floor"] == Location("s.yaml", 2, 24)
    assert tree.location(("limits", "floor")) == Location("s.yaml", 2, 31)
    assert tree.location(["protected", 1]) == Location("s.yaml", 3, 23)
    assert tree.location(("limits", "updates")) == Location("s.yaml", 2, 9)
    assert tree.location(()) == Location("s.yaml", 1, 1)
    assert tree.location(("requests", "proxy")) == Location("s.yaml", 6, 3)
    assert tree.location(("stores", "other", "api_url")) == Location("s.yaml", 8, 28)


@pytest.mark.parametrize("data", [b"", b"# none\n", b"---\n"])
def test_empty(data: bytes) -> None:
    """An empty file has no value and no fault."""
    tree = load_tree("s.yaml", data)
    assert (tree.value, tree.findings) == (None, ())
    assert tree.location(("a",)) == Location("s.yaml", 1, 1)


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"a: 1\na: 2\n", "duplicate_key", "s.yaml:2:1"),
        (b"a: !!int 1\n", "explicit_tag", "s.yaml:1:4"),
        (b"a: [\n", "bad_yaml", "s.yaml:2:1"),
        (b"a: \xff\n", "bad_encoding", "s.yaml:1:4"),
        (b"a: 1\n---\nb: 1\n", "wrong_kind", "s.yaml:3:1"),
        (b"[a]: 1\n", "wrong_kind", "s.yaml:1:1"),
    ],
)
def test_faults(data: bytes, code: str, place: str) -> None:
    """Faults are findings with a place, not exceptions."""
    (finding,) = load_tree("s.yaml", data).findings
    assert (finding.code, str(finding.location)) == (code, place)


def test_other_roots() -> None:
    """The root may be text or a list: the caller says whether that is right."""
    assert load_tree("s.yaml", b"hello").value == "hello"
    assert load_tree("s.yaml", b'""').value == ""
    assert load_tree("s.yaml", b"[a, [b]]").value == ["a", ["b"]]
