"""Records and the checks of bodies, with plain values."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.fields import FIELDS, Kind, Value
from reconciler.sandbox.records import (
    change_record,
    handle,
    hidden,
    image_md,
    new_record,
    product_id,
)
from reconciler.sandbox.validation import check_fields, check_ids
from tests.sandbox.documented import DOCUMENTED

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def test_a_new_record_has_the_documented_keys_only() -> None:
    """Whatever is written, a record has the documented keys in their order."""
    values: dict[str, Value] = {"store_id": "1", "name": "x", "tags": ("a",), "type": "top"}
    values["image_url"] = "https://cdn.shop/1.jpg"
    record = new_record("id", values)
    assert tuple(record) == DOCUMENTED
    change_record(record, values)
    assert tuple(record) == DOCUMENTED
    assert hidden(values) == {"image_url": "https://cdn.shop/1.jpg", "type": "top"}


def test_made_up_values_are_stable() -> None:
    """Ids and pictures depend on nothing but what they are made from, and tell them apart."""
    assert len({product_id(n) for n in range(100)}) == 100
    assert image_md("https://a/1") == image_md("https://a/1") != image_md("https://a/2")
    assert image_md("") is None
    assert handle("  Ärmel & Co. ") == "armel-co"


@given(
    st.dictionaries(st.sampled_from([f.key for f in FIELDS] + ["status"]), json_values),
    st.booleans(),
)
def test_every_body_is_judged(body: dict[str, object], partial: bool) -> None:
    """For any JSON each known field is either a value of its kind or a complaint, never both."""
    values, errors = check_fields(body, partial=partial)
    assert not values.keys() & errors.keys()
    for field in FIELDS:
        if field.key in values:
            assert isinstance(values[field.key], tuple if field.kind is Kind.TAGS else str)
        elif field.key not in errors:
            assert field.key not in body
            assert partial or not field.required


@given(json_values)
def test_ids_are_distinct_text_or_a_complaint(products: object) -> None:
    """A PATCH's ids are one or more different texts; anything else is a complaint."""
    ids, errors = check_ids({"products": products})
    assert bool(ids) != bool(errors)
    assert len(set(ids)) == len(ids)
    assert all(isinstance(id, str) for id in ids)


def test_text_that_cannot_be_kept_is_refused() -> None:
    """A null character and half a character are complaints, not crashes."""
    _, errors = check_fields({"name": "a\0b", "store_id": "\udc00"}, partial=True)
    assert errors == {
        "name": ["Null characters are not allowed."],
        "store_id": ["Surrogate characters are not allowed."],
    }
    _, errors = check_fields({"image_url": "http://[::1"}, partial=True)
    assert errors == {"image_url": ["Enter a valid URL."]}
