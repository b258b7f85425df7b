"""Plans to render: a small readable one, a hostile one, a long one, and any one at all."""

from typing import Any

from hypothesis import strategies as st

from reconciler.codes import Code
from reconciler.model import (
    FIELDS,
    KEYS,
    WRITE_ONLY,
    Finding,
    Kind,
    Location,
    RemoteProduct,
    Value,
)
from reconciler.planning.plan import (
    Adoption,
    Blocked,
    CatalogFacts,
    Change,
    Create,
    Delete,
    FieldChange,
    Origin,
    Plan,
    Refusal,
    Update,
    change_order,
)
from reconciler.report.context import Context
from tests.model.making import listed

HOSTILE = (
    "`|<b onclick=x>\n::set-output name=a::b\r\n@everyone #1 !2 GH-3 www.evil.example http://e.x"
    " ``` ~~~ </details></table><script>alert(1)</script> ![x](javascript:1) [l](http://e.x)"
    "\x1b[31m\x9b2J\u202eRTL\u2066\u200b\u2028 ##[error]x ##vso[task.x] <!-- --> {{ 7*7 }}"
    " *_a_*\x00"
)

CONTEXT = Context(
    tool="1.0.0",
    created_at="2026-01-02T03:04:05Z",
    operations=(
        {"method": "POST", "store_ids": ["10482"], "body": {}},
        {"method": "PATCH", "ids": ["a"], "store_ids": ["10391"], "body": {"tags": ["winter"]}},
    ),
)


def seen(id: str, store_id: str, name: str | None = "Wool coat") -> Any:
    """A remote product as an update saw it."""
    return listed(id, store_id, name, ("autumn",))


def small_plan() -> Plan:
    """A change of every kind, with tags, write-only fields, a block, a warning and a refusal."""
    create = Create(
        "10482",
        "Linen shirt",
        {
            "store_id": FieldChange(None, "10482"),
            "name": FieldChange(None, "Linen shirt"),
            "tags": FieldChange(None, ("linen", "summer")),
            "image_url": FieldChange(None, "https://cdn.shop/10482.jpg", True),
        },
        Location("catalog/tops.yaml", 3, 5),
    )
    update = Update(
        "10391",
        "5f2c",
        "Wool coat",
        {
            "tags": FieldChange(("autumn",), ("winter",)),
            "type": FieldChange("dress", "top", True),
            "image_url": FieldChange(None, "https://cdn.shop/2.jpg", True, True),
        },
        seen("5f2c", "10391"),
        Location("catalog/coats.yaml", 14, 5),
        "edit",
        "https://img.example/1.jpg",
    )
    rename = Update(
        "10400",
        "77aa",
        "Green dress",
        {"store_id": FieldChange("9001", "10400")},
        seen("77aa", "9001", "Green dress"),
        Location("catalog/dresses.yaml", 2, 1),
        "both",
    )
    delete = Delete(
        "999",
        "dd01",
        "Old hat",
        {},
        {"id": "dd01", "size_chart": {"M": {"head": 58}}, "fabric": {}, "comment": "runs small"},
    )
    return Plan(
        store="default",
        catalog=CatalogFacts(24, "abc", "c0ffee", False),
        remote_products=23,
        changes=(create, update, rename, delete),
        blocked=(Blocked("77", ("a", "b"), Code.DUPLICATE_REMOTE),),
        adoptions=(Adoption("5f2c", "10391", (None, "top")),),
        warnings=(
            Finding(
                "warning",
                Code.CREATE_WITHOUT_TYPE,
                "10482 has no type",
                Location("catalog/tops.yaml", 3, 5),
            ),
        ),
        refusals=(
            Refusal(Code.TOO_MANY_DELETES, "1 of 23 would be deleted.", "--allow-deletes 1"),
        ),
        unchanged=20,
        unconfirmed=2,
    )


def hostile_plan(text: str = HOSTILE) -> Plan:
    """`text` in every place of a plan that holds text from elsewhere."""
    place = Location(text, 1, 1)
    fields = {
        "name": FieldChange(text + "x", text),
        "tags": FieldChange((text,), (text + "1", text + "2")),
        "image_url": FieldChange(None, text, True),
        "type": FieldChange(text, "", True, True),
    }
    record = {"id": text, "size_chart": {text: text}, "comment": text, "image_md": text}
    product = listed("2" + text, "2" + text, text, (text,))
    return Plan(
        store=text,
        catalog=CatalogFacts(1, text, text, False),
        remote_products=1,
        changes=(
            Create("1" + text, text, fields, place, "edit"),
            Update("2" + text, "2" + text, text, fields, product, place, "drift", text),
            Update(
                "3" + text,
                "2" + text,
                text,
                fields | {"store_id": FieldChange("2" + text, "3" + text)},
                product,
                place,
                "both",
            ),
            Delete("4" + text, "4" + text, text, {}, record),
        ),
        blocked=(Blocked(text, (text,), Code.DUPLICATE_REMOTE),),
        warnings=(Finding("warning", Code.UNCONFIRMED, text, place),),
        refusals=(Refusal(Code.TOO_MANY_DELETES, text, text),),
    )


def long_plan(count: int) -> Plan:
    """A plan of `count` products of each kind but renames."""
    changes: list[Change] = [
        Create(f"c{n:06}", f"New {n}", {"tags": FieldChange(None, ("new",))}) for n in range(count)
    ]
    changes += [
        Update(
            f"u{n:06}",
            f"id{n}",
            f"Coat {n}",
            {
                "tags": FieldChange(("autumn", f"t{n}"), ("winter",)),
                "image_url": FieldChange("https://a.example/1", f"https://a.example/{n}", True),
            },
            seen(f"id{n}", f"u{n:06}"),
            Location("catalog/coats.yaml", n + 1, 3),
            image_md="https://img.example/1.jpg",
        )
        for n in range(count)
    ]
    changes += [
        Delete(f"x{n:06}", f"xd{n}", None, {}, {"id": f"xd{n}", "comment": "c"})
        for n in range(count)
    ]
    return Plan("default", CatalogFacts(count), count, tuple(changes))


TEXTS = st.text(st.characters(), max_size=12)
"""Any text, lone surrogates included: JSON can carry them."""

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.dictionaries(TEXTS, _JSON, max_size=5)
_TAGS = st.lists(TEXTS, max_size=3, unique=True).map(lambda tags: tuple(sorted(tags)))
_KINDS = {field.key: field.kind for field in FIELDS}
_WRITE_ONLY = frozenset(KEYS[position] for position in WRITE_ONLY)
_LOCATIONS = st.builds(Location, TEXTS, st.integers(1, 9999), st.integers(1, 999))
_ORIGINS: st.SearchStrategy[Origin | None] = st.sampled_from((None, "edit", "drift", "both"))
_COUNTS = st.integers(0, 10**6)


def _values(key: str) -> st.SearchStrategy[Value]:
    """Any value of one field."""
    return _TAGS if _KINDS[key] is Kind.TAGS else TEXTS


def _field_change(key: str) -> st.SearchStrategy[FieldChange]:
    """Any change of one field."""
    write_only = key in _WRITE_ONLY
    doubt = st.booleans() if write_only else st.just(False)
    value = st.none() | _values(key)
    return st.builds(FieldChange, value, value, st.just(write_only), doubt)


_FIELDS = st.fixed_dictionaries({}, optional={key: _field_change(key) for key in KEYS})


@st.composite
def _updates(draw: st.DrawFn) -> Update:
    """Any update; what it saw has the id that it changes."""
    id = draw(TEXTS)
    values = tuple(
        draw(st.none() | _values(field.key)) if field.readable else None for field in FIELDS
    )
    product = RemoteProduct(id, values)
    location, picture = draw(st.none() | _LOCATIONS), draw(st.none() | TEXTS)
    name, fields, origin = draw(TEXTS), draw(_FIELDS), draw(_ORIGINS)
    places = draw(st.none() | TEXTS), draw(st.none() | TEXTS)
    return Update(draw(TEXTS), id, name, fields, product, location, origin, picture, *places)


CHANGES = (
    st.builds(Create, TEXTS, TEXTS, _FIELDS, st.none() | _LOCATIONS, _ORIGINS, st.none() | TEXTS)
    | _updates()
    | st.builds(Delete, TEXTS, TEXTS, st.none() | TEXTS, _FIELDS, RECORDS, _ORIGINS)
)
CODES = st.sampled_from(Code)
PLANS = st.builds(
    Plan,
    store=TEXTS,
    catalog=st.builds(CatalogFacts, _COUNTS, TEXTS, st.none() | TEXTS, st.none() | st.booleans()),
    remote_products=_COUNTS,
    changes=st.lists(CHANGES, max_size=4).map(
        lambda changes: tuple(sorted(changes, key=change_order))
    ),
    blocked=st.lists(
        st.builds(Blocked, st.none() | TEXTS, st.lists(TEXTS, max_size=2).map(tuple), CODES),
        max_size=2,
    ).map(tuple),
    adoptions=st.lists(
        st.builds(
            Adoption,
            TEXTS,
            TEXTS,
            st.tuples(*(st.none() | TEXTS for _ in _WRITE_ONLY)),
            st.none() | TEXTS,
            st.lists(TEXTS, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    warnings=st.lists(
        st.builds(Finding, st.just("warning"), CODES, TEXTS, st.none() | _LOCATIONS), max_size=2
    ).map(tuple),
    refusals=st.lists(st.builds(Refusal, CODES, TEXTS, TEXTS), max_size=2).map(tuple),
    unchanged=_COUNTS,
    unconfirmed=_COUNTS,
    kept=_COUNTS,
)
