"""Catalogues, remotes and ledgers by the hundred: small alphabets, so that everything collides."""

from hypothesis import strategies as st

from reconciler.model import Catalog, Kept, Known, Ledger, RemoteProduct, Sent, State
from tests.planning.making import catalog, declared, entries, listed

STORE_IDS = tuple("ABCDE")
_NAMES = st.sampled_from(("Coat", "Shirt"))
_TAGS = st.sampled_from(((), ("linen",), ("linen", "new")))
_TYPES = st.sampled_from(("top", "dress"))
_IMAGES = st.sampled_from(("", "https://cdn.shop/1.jpg", "https://cdn.shop/2.jpg"))


@st.composite
def catalogs(draw: st.DrawFn, renames: bool = True) -> Catalog:
    """Any legal catalogue; `renamed_from` as the reader allows it."""
    order = draw(st.permutations(STORE_IDS))
    chosen = order[: draw(st.integers(0, len(order)))]
    sources: dict[str, str] = {}
    if renames:
        # Exchanges among the chosen are rare in chance's hands, so they are dealt often.
        froms = draw(st.permutations(chosen) if draw(st.booleans()) else st.permutations(STORE_IDS))
        for store_id, source in zip(chosen, froms, strict=False):
            if source != store_id and draw(st.integers(0, 3)):
                sources[store_id] = source
        # A source that stays declared is an error of the catalogue, and so on along the chain.
        while wrong := [s for s, x in sources.items() if x in chosen and x not in sources]:
            del sources[wrong[0]]
    return catalog(
        *(
            declared(
                store_id,
                draw(_NAMES),
                tags=draw(st.none() | _TAGS),
                image=draw(st.none() | _IMAGES),
                type=draw(st.none() | _TYPES),
                was=sources.get(store_id),
            )
            for store_id in chosen
        )
    )


_REMOTE = st.tuples(
    st.sampled_from((*STORE_IDS, "F", None, "", "B~moving-p1")), st.none() | _NAMES, _TAGS
)


@st.composite
def remotes(draw: st.DrawFn) -> list[RemoteProduct]:
    """Any remote products: dirty ones, doubled ones, one without an id."""
    rows = draw(st.lists(_REMOTE, max_size=6))
    products = [listed(f"p{n}", *row) for n, row in enumerate(rows)]
    if draw(st.integers(0, 9)) == 0:
        products.insert(0, listed(None, *draw(_REMOTE)))
    return products


_STATES = st.sampled_from(State)
_ENTRIES = st.fixed_dictionaries(
    {},
    optional={"image_url": st.tuples(_IMAGES, _STATES), "type": st.tuples(_TYPES, _STATES)},
).map(lambda known: entries(**known))
_KEPT = st.fixed_dictionaries(
    {}, optional={"name": st.builds(Kept, _NAMES, _NAMES), "tags": st.builds(Kept, _TAGS, _TAGS)}
)
LEDGERS = st.builds(
    Ledger,
    products=st.dictionaries(
        st.sampled_from([f"p{n}" for n in range(7)]),
        st.builds(
            Known,
            st.sampled_from(STORE_IDS),
            _ENTRIES,
            _KEPT,
            st.none() | st.sampled_from(STORE_IDS),
        ),
        max_size=5,
    ),
    creates=st.dictionaries(
        st.sampled_from(STORE_IDS),
        st.builds(Sent, _ENTRIES, came_from=st.none() | st.sampled_from(STORE_IDS)),
        max_size=2,
    ),
)
