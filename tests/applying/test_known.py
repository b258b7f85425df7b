"""What is known of a product between applies (issue 12, rows 5-8), and the budget of a run (12)."""

from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest

from reconciler.codes import Code
from reconciler.model import Value
from reconciler.reconcile import Options
from reconciler.sandbox.faults import Fault
from reconciler.sandbox.server import Sandbox
from tests.applying.checks import (
    DAY,
    HOUR,
    account_is_true,
    blocked,
    converges,
    exactly,
    fates,
    kept_in_journal,
    summary,
    writes,
)
from tests.applying.world import KEY, World, product
from tests.cli.run import in_process

CHART = {"M": {"chest": 98}}

# Row 5: writes that are accepted and ignored for a while ---------------------------------------

IGNORED = [
    ({"name": "New"}, Fault("ignore", method="PATCH")),
    ({"tags": ["new"]}, Fault("ignore", method="PATCH")),
    ({"name": "New"}, Fault("ignore_field", field="name")),
    ({"name": "New", "tags": ["new"]}, Fault("ignore_field", field="tags")),
    ({"name": "New", "tags": ["new"]}, Fault("partial_patch", amount=0)),
]
EACH = pytest.mark.parametrize(("edit", "fault"), IGNORED)


def ignored(world: World, edit: dict[str, Any], fault: Fault) -> list[dict[str, Any]]:
    """An apply whose updates are accepted and ignored; returns the catalogue."""
    declared = [product("1"), product("2"), product("3")]
    world.declare(declared)
    world.apply()
    for one in declared[:2]:
        one.update(edit)
    world.declare(declared)
    world.misbehave(fault)
    report = world.apply()
    assert (report.exit_code, report.converged) == (0, False)
    assert set(fates(report).values()) == {"applied"}
    assert Code.SERVER_KEEPS in {finding.code for finding in report.warnings}
    world.misbehave()
    return declared


@EACH
def test_what_the_server_keeps_is_counted(world: World, edit: Any, fault: Fault) -> None:
    """Row 5, P6: products at which the server keeps another value are counted, not as unchanged."""
    ignored(world, edit, fault)
    sent = writes(world)
    plan = world.plan()
    assert not plan.changes
    assert (summary(plan)["kept"], plan.unchanged) == (2, 1)
    assert Code.SERVER_KEEPS in {finding.code for finding in plan.warnings}
    report = world.apply()
    assert (report.exit_code, report.converged, writes(world)) == (0, False, sent)


@EACH
def test_what_the_server_kept_is_tried_again_a_day_later(
    world: World, edit: Any, fault: Fault
) -> None:
    """Row 5, P1: after a day, and not before, an apply sends what the server did not store."""
    declared = ignored(world, edit, fault)
    world.clock.skip(DAY - 3 * HOUR)
    assert not world.apply().outcomes
    world.clock.skip(3 * HOUR)
    report = world.apply()
    assert fates(report) == {"1": "applied", "2": "applied"}
    assert report.converged
    exactly(world, declared)
    assert summary(world.plan())["kept"] == 0


def test_a_server_that_goes_on_keeping_is_asked_once_a_day(world: World) -> None:
    """Row 5: a value that a server never stores is sent once a day, and each time said so."""
    titled = Fault("normalise", field="tags", way="title")
    world.declare([product("1", tags=["summer sale"])])
    world.misbehave(titled)
    world.apply()
    for day in range(1, 4):
        world.clock.skip(DAY)
        sent = writes(world)
        for _ in range(3):
            report = world.apply()
            assert (report.exit_code, report.converged) == (0, False), day
            assert Code.SERVER_KEEPS in {finding.code for finding in report.warnings}
        assert 1 <= writes(world) - sent <= 2


@EACH
def test_resend_sends_what_the_server_kept(world: World, edit: Any, fault: Fault) -> None:
    """Row 5: `--resend FIELD` sends at once what the server keeps another value for."""
    declared = ignored(world, edit, fault)
    field = next(key for key in reversed(edit) if fault.field in (None, key))
    report = world.apply(options=Options(resend=(field,)))
    assert fates(report) == {"1": "applied", "2": "applied"}
    if len(edit) == 1 or fault.field:
        assert report.converged
        exactly(world, declared)


def test_resend_of_one_product(world: World) -> None:
    """Row 5: `--resend FIELD=GLOB` sends it for the products that the glob names, and no other."""
    ignored(world, {"name": "New"}, Fault("ignore", method="PATCH"))
    assert fates(world.apply(options=Options(resend=("name=2",)))) == {"2": "applied"}
    assert summary(world.plan())["kept"] == 1


def test_an_edit_is_sent_at_once(world: World) -> None:
    """Row 5, P1: what the server keeps of an old value is no reason not to send a new one."""
    declared = ignored(world, {"name": "New"}, Fault("ignore", method="PATCH"))
    declared[0]["name"] = "Newer"
    world.declare(declared)
    report = world.apply()
    assert "1" in fates(report)
    assert world.remote()["1"]["name"] == "Newer"


def test_a_rename_that_is_ignored(world: World) -> None:
    """Row 5, P2 and P3: an ignored rename makes no second product, and is done in the end."""
    world.declare([product("1")])
    world.apply()
    (id,) = (row.id for row in world.rows())
    declared = [product("2", name="Product 1", renamed_from="1")]
    world.declare(declared)
    world.misbehave(Fault("ignore", method="PATCH"))
    for _ in range(2):
        report = world.apply()
        assert report.converged is not True
    assert [row.store_id for row in world.rows()] == ["1"]
    world.misbehave()
    world.clock.skip(DAY)
    assert world.apply().converged
    exactly(world, declared)
    assert [row.id for row in world.rows()] == [id]


def test_a_delete_that_is_ignored(world: World) -> None:
    """Row 5, P6: a delete that was answered, and whose product is still listed, is not applied."""
    world.declare([product("1"), product("2")])
    world.apply()
    world.declare([product("1")])
    world.misbehave(Fault("ignore", method="DELETE"))
    report = world.apply()
    assert fates(report)["2"] in ("unknown", "failed")
    assert report.converged is False
    assert report.exit_code != 0
    (gone,) = (str(row.id) for row in world.rows() if row.store_id == "2")
    converges(world, [product("1")], applies=2)
    assert kept_in_journal(world, gone)


# Row 6: forgotten once the declared value was listed ------------------------------------------


@EACH
def test_what_was_kept_is_forgotten(world: World, edit: Any, fault: Fault) -> None:
    """Row 6, P1: once the declared value was listed, drift back to the old one is drift again."""
    ignored(world, edit, fault)
    old = {row.store_id: row.id for row in world.rows()}
    given: dict[str, Value] = {
        key: tuple(value) if key == "tags" else value for key, value in edit.items()
    }
    world.sandbox.store.update([str(old["1"])], given)
    world.apply()
    back: dict[str, Value] = {"name": "Product 1", "tags": ("linen",)}
    world.sandbox.store.update([str(old["1"])], {key: back[key] for key in given})
    plan = world.plan()
    (change,) = plan.changes
    assert (change.store_id, set(change.fields)) == ("1", set(edit))
    world.apply()
    assert {key: world.remote()["1"][key] for key in given} == given


def test_each_field_is_forgotten_by_itself(world: World) -> None:
    """Row 6: one field that was listed as declared does not bring another back, which is kept."""
    ignored(world, {"name": "New", "tags": ["new"]}, Fault("ignore", method="PATCH"))
    (id,) = (row.id for row in world.rows() if row.store_id == "1")
    world.sandbox.store.update([str(id)], {"name": "New"})
    world.apply()
    world.sandbox.store.update([str(id)], {"name": "Product 1"})
    (change,) = world.plan().changes
    assert "name" in change.fields


def test_a_third_value_is_drift(world: World) -> None:
    """Row 6, P1: a product at which somebody changes what the server kept is sent the declared."""
    declared = ignored(world, {"name": "New"}, Fault("ignore", method="PATCH"))
    (id,) = (row.id for row in world.rows() if row.store_id == "1")
    world.sandbox.store.update([str(id)], {"name": "Third"})
    assert fates(world.apply()) == {"1": "applied"}
    assert world.remote()["1"]["name"] == declared[0]["name"]


def test_a_revert_forgets(world: World) -> None:
    """Row 6, P1: a value that the server once did not store is sent when it is declared anew."""
    declared = ignored(world, {"name": "New"}, Fault("ignore", method="PATCH"))
    for one, name in ((declared[0], "Product 1"), (declared[1], "Product 2")):
        one["name"] = name
    world.declare(declared)
    assert world.apply().converged
    for one in declared[:2]:
        one["name"] = "New"
    world.declare(declared)
    assert world.apply().converged
    exactly(world, declared)


# Row 7: a product that was renamed by hand is still the one that it was ------------------------


def with_chart(world: World, *store_ids: str) -> dict[str, str]:
    """Products that an apply made and that somebody typed a size chart into; their ids."""
    world.declare([product(store_id) for store_id in store_ids])
    world.apply()
    ids = {str(row.store_id): str(row.id) for row in world.rows()}
    charted = [dict(row.record) | {"size_chart": CHART} for row in world.rows()]
    hidden = [row.written for row in world.rows()]
    world.sandbox.store.clear()
    world.sandbox.store.insert(charted, exact=True)
    for id, values in zip(ids.values(), hidden, strict=True):
        world.sandbox.store.update([id], dict(values))
    return ids


@pytest.mark.parametrize("prune", ["all", "managed", "none"])
@pytest.mark.parametrize(
    "by_hand",
    [
        {"store_id": "new"},
        {"store_id": "new", "name": "Another"},
        {"store_id": "new", "name": "Another", "tags": ("x",), "type": "dress"},
        {"store_id": "GIFT"},
    ],
    ids=len,
)
def test_renamed_by_hand(
    world: World, by_hand: dict[str, Any], prune: Literal["all", "managed", "none"]
) -> None:
    """Row 7, P3: a store_id that somebody changed is changed back; the size chart survives."""
    ids = with_chart(world, "gift", "other")
    world.sandbox.store.update([ids["gift"]], by_hand)
    world.sandbox.store.log.clear()
    (change,) = world.plan(Options(prune=prune)).changes
    assert (change.action, change.id) == ("update", ids["gift"])
    assert change.fields["store_id"].before == by_hand["store_id"]
    report = world.apply(options=Options(prune=prune))
    assert (report.exit_code, report.converged) == (0, True)
    assert (world.calls("POST"), world.calls("DELETE")) == (0, 0)
    row = {row.store_id: row for row in world.rows()}["gift"]
    assert (row.id, row.record["size_chart"]) == (ids["gift"], CHART)
    assert world.remote()["gift"]["name"] == "Product gift"


def test_renamed_by_hand_and_declared_no_more(world: World) -> None:
    """Row 7: a product that is declared under neither store_id is deleted like any other."""
    ids = with_chart(world, "gift", "other")
    world.sandbox.store.update([ids["gift"]], {"store_id": "new"})
    world.declare([product("other")])
    assert fates(world.apply()) == {"new": "applied"}
    assert kept_in_journal(world, ids["gift"])
    exactly(world, [product("other")])


def test_renamed_by_hand_to_what_is_declared_too(world: World) -> None:
    """Row 7, P3: where both store_ids are declared nobody can say which it is: blocked."""
    ids = with_chart(world, "gift", "other")
    world.sandbox.store.update([ids["gift"]], {"store_id": "new"})
    world.declare([product("gift"), product("other"), product("new")])
    before = world.rows()
    assert "rename_conflict" in blocked(world.plan()).values()
    report = world.apply()
    assert (report.exit_code, report.converged) == (0, False)
    assert world.rows() == before


def test_renamed_by_hand_and_another_in_its_place(world: World) -> None:
    """Row 7, P2: where another product has the declared store_id by now, no rename doubles it."""
    ids = with_chart(world, "gift", "other")
    world.sandbox.store.update([ids["gift"]], {"store_id": "new"})
    world.sandbox.store.seed([product("gift")])
    report = world.apply(options=Options(prune="none"))
    assert Counter(row.store_id for row in world.rows()) == {"gift": 1, "other": 1, "new": 1}
    account_is_true(world, report)


def test_renamed_by_hand_and_renamed_in_the_catalogue(world: World) -> None:
    """Row 7, P3: the catalogue renames what somebody renamed meanwhile: one product, one id."""
    ids = with_chart(world, "gift", "other")
    world.sandbox.store.update([ids["gift"]], {"store_id": "new"})
    declared = [product("present", name="Product gift", renamed_from="gift"), product("other")]
    world.declare(declared)
    world.sandbox.store.log.clear()
    for _ in range(2):
        world.apply()
    assert (world.calls("POST"), world.calls("DELETE")) == (0, 0)
    row = {row.store_id: row for row in world.rows()}["present"]
    assert (row.id, row.record["size_chart"]) == (ids["gift"], CHART)


def test_pull_takes_the_new_store_id(world: World) -> None:
    """Row 7: `pull --write` edits the store_id of the declared product, in its place."""
    ids = with_chart(world, "gift", "other")
    (world.catalog / "all.yaml").write_text(
        "products:\n"
        "  # the gift\n"
        "  - {store_id: gift, name: Product gift, tags: [linen]}\n"
        "  - {store_id: other, name: Product other}\n",
        encoding="utf-8",
    )
    world.sandbox.store.update([ids["gift"]], {"store_id": "new"})
    done = in_process(
        world.folder,
        "pull",
        "--write",
        ROBOSIZE_API_KEY=KEY,
        ROBOSIZE_API_URL=world.sandbox.url,
    )
    assert done.code == 0, done.err
    text = (world.catalog / "all.yaml").read_text(encoding="utf-8")
    assert "# the gift\n  - {store_id: new, name: Product gift" in text
    assert text.count("store_id") == 2
    assert not [change for change in world.plan().changes if change.action != "update"]


# Row 8: a write-only field that is declared for the first time is an edit ----------------------


@pytest.mark.parametrize("fields", [("type",), ("image_url",), ("type", "image_url")])
@pytest.mark.parametrize("made", ["adopted", "updated", "created"])
def test_a_write_only_field_declared_later(
    world: World, fields: tuple[str, ...], made: str
) -> None:
    """Row 8, P1: declared since the ledger first knew the product, it is an update, and is sent."""
    bare = {"store_id": "1", "name": "Product 1", "tags": ["linen"]}
    if made != "created":
        world.sandbox.store.seed(
            [bare | {"name": "By hand" if made == "updated" else bare["name"]}]
        )
    world.declare([bare])
    assert world.apply().converged
    given = {"type": "dress", "image_url": "https://cdn.shop/1.jpg"}
    declared = bare | {key: given[key] for key in fields}
    world.declare([declared])
    plan = world.plan()
    (change,) = plan.changes
    assert set(change.fields) == set(fields)
    # A product that was created without a value is known to have none.
    before = {"": "created"}.get(made)
    before = "" if made == "created" else None
    assert {field.before or None for field in change.fields.values()} == {before or None}
    assert plan.unconfirmed == 0
    report = world.apply()
    assert (fates(report), report.converged) == ({"1": "applied"}, True)
    assert all(world.remote()["1"][key] == given[key] for key in fields)
    assert not world.plan().changes


def test_the_other_write_only_field_is_no_reason(world: World) -> None:
    """Row 8: knowing one write-only field of a product is knowing the product."""
    bare = {"store_id": "1", "name": "Product 1", "tags": ["linen"]}
    world.sandbox.store.seed([bare])
    world.declare([bare | {"type": "top"}])
    world.apply()
    assert world.remote()["1"]["type"] is None
    world.declare([bare | {"type": "top", "image_url": "https://cdn.shop/1.jpg"}])
    assert world.apply().converged
    assert world.remote()["1"]["image_url"] == "https://cdn.shop/1.jpg"
    assert world.remote()["1"]["type"] is None


def test_nothing_known_of_the_product_is_no_change(world: World) -> None:
    """Row 8: a product that no apply has seen yet is unconfirmed, and nothing is sent."""
    world.sandbox.store.seed([product("1")])
    world.declare([product("1", type="dress")])
    plan = world.plan()
    assert (plan.changes, plan.unconfirmed) == ((), 1)
    world.apply()
    assert (writes(world), world.plan().unconfirmed) == (0, 0)


# Row 12: one budget per product and run -----------------------------------------------------------


@pytest.mark.parametrize("status", [500, 429])
@pytest.mark.parametrize(
    "edits",
    [
        [{"name": f"New {n}"} for n in range(6)],
        [{"tags": ["new"]} for _ in range(6)],
        [{"type": "dress"} for _ in range(6)],
        [{"type": "dress", "name": f"New {n}"} for n in range(6)],
    ],
    ids=["own", "shared", "write_only", "both"],
)
@pytest.mark.parametrize("retries", [0, 5])
def test_one_budget_for_updates(
    tmp_path: Path, edits: list[dict[str, Any]], status: int, retries: int
) -> None:
    """Row 12: however a server refuses, no product is sent more often than retries allow."""
    with Sandbox(page_max=20) as sandbox:
        world = World(tmp_path, sandbox, retries=retries)
        world.declare([product(str(n)) for n in range(6)])
        world.apply()
        world.sandbox.store.log.clear()
        declared = [product(str(n), **edit) for n, edit in enumerate(edits)]
        world.declare(declared)
        world.misbehave(Fault("status", method="PATCH", status=status))
        report = world.apply()
        sent = Counter(id for call in sandbox.store.calls("PATCH") for id in call.json["products"])
        assert len(sent) == 6
        assert max(sent.values()) <= 1 + retries
        assert "applied" not in fates(report).values()
        account_is_true(world, report)
        converges(world, declared)


@pytest.mark.parametrize("retries", [0, 5])
def test_one_budget_for_deletes(tmp_path: Path, retries: int) -> None:
    """Row 12: the same for deletes."""
    with Sandbox(page_max=20) as sandbox:
        world = World(tmp_path, sandbox, retries=retries)
        world.declare([product(str(n)) for n in range(6)])
        world.apply()
        world.declare([])
        world.misbehave(Fault("status", method="DELETE", status=500))
        report = world.apply()
        sent = Counter(call.query["hash"] for call in sandbox.store.calls("DELETE"))
        assert max(sent.values()) <= 1 + retries
        assert (report.exit_code, set(fates(report).values())) == (1, {"failed"})
