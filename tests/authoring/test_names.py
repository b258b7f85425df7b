"""File names from what the remote says: readable where that is safe, and never a trap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.authoring.file_names import FileNames
from reconciler.catalog.files import belongs


@pytest.mark.parametrize(
    ("store_id", "handle", "name"),
    [
        ("10482", "linen-shirt", "linen-shirt.yaml"),
        ("10482", None, "10482.yaml"),
        ("10482", "", "10482.yaml"),
        ("Größe 38", None, "groe-38.yaml"),
        ("1", "../../etc/passwd", "etc-passwd.yaml"),
        ("1", "C:\\x\u0000y", "c-x-y.yaml"),
        ("1", ".hidden", "hidden.yaml"),
        ("1", "_defaults", "defaults.yaml"),
        ("1", "CON", "con-1.yaml"),
        ("nul", None, "nul-2.yaml"),
        ("日本", "日本", "product-2.yaml"),
        ("1", "x" * 500, f"{'x' * 80}.yaml"),
    ],
)
def test_names_are_safe(store_id: str, handle: str | None, name: str) -> None:
    """Paths, hidden names, devices and foreign letters become plain names."""
    assert FileNames().name(store_id, handle) == name


def test_names_never_meet() -> None:
    """What is taken, if only in other case or with another ending, is not given again."""
    names = FileNames(["Shirt.yaml", "coat.YML"])
    assert names.name("1", "shirt") == "shirt-1.yaml"
    assert names.name("1", "Shirt") == "1.yaml"
    assert names.name("1", "shirt") == "shirt-2.yaml"
    assert names.name("7", "Coat") == "coat-7.yaml"


@given(st.lists(st.tuples(st.text(), st.none() | st.text()), max_size=8))
def test_any_text_makes_names_of_its_own(products: list[tuple[str, str | None]]) -> None:
    """Whatever the remote says, every product gets a plain name that the catalogue reads."""
    names = FileNames()
    given_names = [names.name(store_id, handle) for store_id, handle in products]
    assert len({name.casefold() for name in given_names}) == len(products)
    for name in given_names:
        assert belongs(name)
        assert name.isascii()
        assert name.removesuffix(".yaml").replace("-", "").isalnum()
