"""What random tests of applies draw from: catalogues, faults, and lies that can be survived."""

from hypothesis import strategies as st

from reconciler.sandbox.faults import Fault

IDS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
TAGS = st.lists(st.sampled_from(["linen", "Wool", "été"]), max_size=2)
PRODUCT = st.fixed_dictionaries(
    {
        "store_id": IDS,
        "name": st.sampled_from(["Coat", "Shirt", "Jupe d'été"]),
        "tags": TAGS,
        "image_url": st.sampled_from(["https://cdn.shop/1.jpg", "https://cdn.shop/2.jpg"]),
        "type": st.sampled_from(["top", "dress"]),
    }
)
CATALOG = st.lists(PRODUCT, max_size=6, unique_by=lambda declared: declared["store_id"])
FAULT = st.one_of(
    st.builds(
        Fault,
        kind=st.just("status"),
        method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", None]),
        moment=st.sampled_from(["before", "after"]),
        status=st.sampled_from([400, 404, 429, 500, 502, 503]),
        nth=st.tuples(st.integers(1, 4)),
    ),
    st.builds(
        Fault,
        kind=st.sampled_from(["reset", "truncate", "html", "redirect", "empty", "shape"]),
        method=st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
        moment=st.sampled_from(["before", "after"]),
        nth=st.tuples(st.integers(1, 3)),
    ),
    st.builds(
        Fault,
        kind=st.sampled_from(["reset", "status"]),
        moment=st.sampled_from(["before", "after"]),
        chance=st.sampled_from([0.2, 0.6, 1.0]),
        times=st.integers(1, 12),
    ),
    st.builds(Fault, kind=st.sampled_from(["created_zero", "partial_patch"]), times=st.just(1)),
    st.builds(
        Fault, kind=st.just("shift"), way=st.just("replace"), nth=st.tuples(st.integers(1, 3))
    ),
    st.builds(
        Fault,
        kind=st.just("ignore_field"),
        field=st.sampled_from(["tags", "name"]),
        times=st.just(1),
    ),
)
# A list is stale by less than `settle`: what no list shows for longer, no client can know.
LAG = st.sampled_from([1.0, 4.0])
LIE = st.one_of(
    st.builds(
        Fault,
        kind=st.just("lag"),
        method=st.sampled_from(["POST", "PATCH", "DELETE", None]),
        seconds=LAG,
    ),
    st.builds(
        Fault,
        kind=st.just("wrong_id"),
        way=st.sampled_from(["listed", "earlier", "never"]),
        moment=st.sampled_from(["before", "after"]),
        store_id=st.one_of(st.none(), IDS),
        times=st.integers(1, 2),
    ),
    st.builds(
        Fault,
        kind=st.just("ignore"),
        method=st.sampled_from(["PATCH", "DELETE"]),
        times=st.integers(1, 3),
    ),
    st.builds(Fault, kind=st.just("same_id"), nth=st.tuples(st.integers(1, 6))),
    st.builds(
        Fault,
        kind=st.just("new_id"),
        moment=st.sampled_from(["before", "after"]),
        store_id=st.one_of(st.none(), IDS),
        nth=st.tuples(st.integers(1, 6)),
    ),
)
MOVING = {"shift", "new_id"}
"""Faults that change products without a write."""
