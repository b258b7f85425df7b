"""Write-only fields: the table of the interface, row by row, and what an apply remembers."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.clock import stamp
from reconciler.model import Entry, Kept, Known, Ledger, Sent, State
from reconciler.planning.conclude import concluded, in_doubt
from reconciler.planning.diff import diff
from reconciler.planning.outcome import Fate, Verdict
from reconciler.planning.plan import Adoption, FieldChange, Plan
from tests.planning.making import (
    EMPTY,
    catalog,
    codes,
    declared,
    entries,
    known,
    ledger,
    listed,
    normalised,
    planned,
    told,
)
from tests.planning.shop import Shop, crash, settle

CONFIRMED, ASSUMED, DOUBT = State.CONFIRMED, State.ASSUMED, State.DOUBT
TOP = declared("A", type="top")
THERE = listed("p1", "A")


def _plan(memory: Ledger, *resend: str) -> Plan:
    """The plan for TOP; unmanaged tags, or declared ones that are equal, make no difference."""
    plan = planned([TOP], [THERE], ledger=memory, resend=resend)
    whole = planned([declared("A", tags=[], type="top")], [THERE], ledger=memory, resend=resend)
    assert whole == plan
    return plan


@pytest.mark.parametrize("state", [CONFIRMED, ASSUMED])
def test_a_remembered_value_that_is_declared_is_in_sync(state: State) -> None:
    """Row one: nothing to send, nothing to warn of."""
    plan = _plan(ledger({"p1": known("A", type=("top", state))}))
    assert (told(plan), codes(plan), plan.unconfirmed, plan.adoptions) == ([], [], 0, ())


@pytest.mark.parametrize("state", [CONFIRMED, ASSUMED])
def test_a_remembered_value_that_differs_is_an_update(state: State) -> None:
    """Row two: `before` is the value of the ledger."""
    plan = _plan(ledger({"p1": known("A", type=("dress", state))}))
    assert plan.changes[0].fields == {"type": FieldChange("dress", "top", write_only=True)}
    assert (plan.unconfirmed, plan.adoptions) == (0, ())


@pytest.mark.parametrize("value", ["top", "dress"])
def test_a_value_in_doubt_is_sent_whatever_is_declared(value: str) -> None:
    """Row three: nobody knows what the remote holds, so `before` is not told."""
    plan = _plan(ledger({"p1": known("A", type=(value, DOUBT))}))
    assert plan.changes[0].fields == {"type": FieldChange(None, "top", True, in_doubt=True)}


def test_a_field_that_is_declared_since_the_product_is_known_is_an_edit() -> None:
    """Row four: an update whose `before` is not known."""
    plan = _plan(ledger({"p1": known("A")}))
    assert plan.changes[0].fields == {"type": FieldChange(None, "top", write_only=True)}
    assert (plan.unconfirmed, codes(plan), plan.adoptions) == (0, [], ())


def test_a_value_of_a_product_that_nobody_knows_is_told_not_sent() -> None:
    """Row five: counted and warned of, with the flag that sends it."""
    plan = _plan(EMPTY)
    assert told(plan) == []
    assert (plan.unchanged, plan.unconfirmed, codes(plan)) == (1, 1, ["unconfirmed"])
    assert "--resend type" in plan.warnings[0].message
    assert plan.adoptions == (Adoption("p1", "A", (None, "top")),)


def test_only_what_is_not_known_is_assumed() -> None:
    """A value that a lost create has sent is not part of the adoption."""
    memory = ledger({}, {"A": entries(image_url=("u", CONFIRMED))})
    products = [declared("A", tags=[], image="u", type="top")]
    plan = planned(products, [THERE], ledger=memory)
    assert plan.adoptions == (Adoption("p1", "A", (None, "top")),)
    assert plan.adoptions[0].assumed == {"type": "top"}


def test_unconfirmed_counts_products_not_fields() -> None:
    """A product with two unknown values is one; each field has its own warning."""
    products = [
        declared(store_id, image="https://cdn.shop/1.jpg", type="top") for store_id in "DBCA"
    ]
    plan = planned(products, [listed(f"p{store_id}", store_id) for store_id in "ABCD"])
    assert plan.summary.unconfirmed == 4
    assert codes(plan) == ["unconfirmed", "unconfirmed"]
    assert "image_url of 4 products" in plan.warnings[0].message
    assert "(A, B, C and 1 more)" in plan.warnings[0].message


def test_an_unmanaged_value_is_no_business_of_the_plan() -> None:
    """What is not declared is not compared, whatever is remembered of it, in doubt or not."""
    for state in State:
        memory = ledger({"p1": known("A", type=("dress", state))})
        plan = planned([declared("A")], [THERE], ledger=memory)
        assert (told(plan), plan.unconfirmed, plan.adoptions) == ([], 0, ())


def test_an_entry_belongs_to_the_remote_id() -> None:
    """A product deleted and made again starts with nothing known."""
    memory = ledger({"p1": known("A", type=("dress", CONFIRMED))})
    plan = planned([TOP], [listed("p2", "A")], ledger=memory)
    assert (told(plan), plan.unconfirmed) == ([], 1)


@pytest.mark.parametrize(
    ("memory", "before", "in_doubt"),
    [
        (EMPTY, None, False),
        (ledger({"p1": known("A", type=("top", CONFIRMED))}), "top", False),
        (ledger({"p1": known("A", type=("dress", ASSUMED))}), "dress", False),
        (ledger({"p1": known("A", type=("dress", DOUBT))}), None, True),
    ],
)
def test_resend_sends_whatever_the_ledger_says(
    memory: Ledger, before: str | None, in_doubt: bool
) -> None:
    """Every declared value that it names is an update, and none is unconfirmed."""
    plan = _plan(memory, "type")
    assert plan.changes[0].fields == {"type": FieldChange(before, "top", True, in_doubt)}
    assert plan.unconfirmed == 0


def test_an_apply_with_nothing_to_change_makes_every_later_edit_seen() -> None:
    """Declared values are assumed on the first apply; the next edit has the old value in it."""
    shop = Shop(THERE)
    memory, _ = settle(shop, catalog(TOP), EMPTY)
    assert memory.products == {"p1": known("A", type=("top", ASSUMED))}
    plan = diff(catalog(declared("A", type="dress")), shop.listing(), memory)
    assert plan.changes[0].fields == {"type": FieldChange("top", "dress", write_only=True)}


def test_a_field_that_is_added_to_a_created_product_is_sent() -> None:
    """What a create leaves out is empty at the remote: nothing about it is unknown."""
    shop = Shop()
    memory, _ = settle(shop, catalog(declared("A")), EMPTY)
    plan = diff(catalog(TOP), shop.listing(), memory)
    assert plan.changes[0].fields == {"type": FieldChange("", "top", write_only=True)}


def test_doubt_is_recorded_before_the_first_write() -> None:
    """An update's values by id, a create's by store_id; other memories stay as they are."""
    memory = ledger({"p1": known("A", image_url=("u", CONFIRMED)), "p9": known("Z")})
    plan = planned(
        [declared("A", type="top"), declared("B", type="dress"), declared("Z", "Coat")],
        [THERE, listed("p9", "Z"), listed("p5", "E")],
        ledger=memory,
        resend=["type"],
    )
    doubts = in_doubt(memory, plan)
    assert doubts.products == {
        "p1": known("A", image_url=("u", CONFIRMED), type=("top", DOUBT)),
        "p9": known("Z"),
    }
    assert doubts.creates == {"B": Sent(entries(image_url=("", DOUBT), type=("dress", DOUBT)))}


def test_a_product_is_not_made_this_ledgers_own_by_doubt_alone() -> None:
    """An update without a write-only value leaves nothing in doubt, so nothing is recorded."""
    plan = planned([declared("A", "Coat")], [THERE])
    assert told(plan) == ["p1 A name"]
    assert in_doubt(EMPTY, plan) == EMPTY


def test_what_is_resent_is_confirmed_not_assumed() -> None:
    """A value that was sent and answered is known for sure, also of a product just adopted."""
    shop = Shop(THERE)
    memory, _ = settle(shop, catalog(TOP), EMPTY, resend=["type"])
    assert memory.products == {"p1": known("A", type=("top", CONFIRMED))}


def test_a_lost_create_is_in_doubt_under_its_store_id() -> None:
    """After a crash the product is found by its store_id, and its values are sent again."""
    shop = Shop()
    memory = crash(shop, diff(catalog(TOP), shop.listing(), EMPTY), EMPTY, 1)
    plan = diff(catalog(declared("A", type="dress")), shop.listing(), memory)
    assert plan.changes[0].fields == {"type": FieldChange(None, "dress", True, in_doubt=True)}
    memory, _ = settle(shop, catalog(declared("A", type="dress")), memory)
    assert memory.creates == {}
    assert memory.known("new1", "type") == Entry("dress", CONFIRMED)
    assert shop.rows["new1"]["type"] == "dress"


def test_a_lost_create_that_is_renamed_next_is_still_in_doubt() -> None:
    """The doubt is found by the store_id that the product has, not by the one it is to have."""
    shop = Shop()
    memory = crash(shop, diff(catalog(TOP), shop.listing(), EMPTY), EMPTY, 1)
    renamed = catalog(declared("B", type="dress", was="A"))
    assert told(diff(renamed, shop.listing(), memory)) == ["new1 A>B type"]
    memory, _ = settle(shop, renamed, memory)
    assert shop.rows["new1"]["type"] == "dress"
    assert memory.creates == {}


@pytest.mark.parametrize("name", ["Shirt", "Coat"])
def test_a_lost_value_that_is_unmanaged_by_now_stays_in_doubt(name: str) -> None:
    """Declared again later, with any value, it is sent: also where other fields changed between."""
    shop = Shop()
    memory = crash(shop, diff(catalog(TOP), shop.listing(), EMPTY), EMPTY, 1)
    memory, _ = settle(shop, catalog(declared("A", name)), memory)
    assert memory.creates == {}
    plan = diff(catalog(declared("A", name, type="dress")), shop.listing(), memory)
    assert plan.changes[0].fields == {"type": FieldChange(None, "dress", True, in_doubt=True)}


def test_a_product_that_takes_a_place_does_not_inherit_its_doubts() -> None:
    """A create of B that never landed says nothing of the product that is renamed to B."""
    memory = ledger({}, {"B": entries(type=("top", DOUBT))})
    shop = Shop(THERE)
    memory, plan = settle(shop, catalog(declared("B", was="A", type="top")), memory)
    assert told(plan) == ["p1 A>B"]
    assert memory.products == {"p1": known("B", type=("top", ASSUMED))._replace(came_from="A")}
    assert "B" in memory.creates


def _conclude(
    memory: Ledger,
    plan: Plan,
    fate: Fate,
    *,
    id: str | None = None,
    landed: Collection[str] = (),
    lost: Collection[str] = (),
) -> Ledger:
    """What is remembered after the one Change of `plan` ended so."""
    (change,) = plan.changes
    verdict = Verdict(
        change,
        fate,
        id or change.id,
        landed=frozenset(landed),
        lost=frozenset(lost),
        listed=fate is Fate.APPLIED,
    )
    return concluded(memory, plan, [verdict])


DRESS = ledger({"p1": known("A", type=("dress", CONFIRMED))})


def test_what_landed_is_confirmed() -> None:
    """Once its call has succeeded a value is known."""
    after = _conclude(DRESS, _plan(DRESS), Fate.APPLIED, landed={"type"})
    assert after.known("p1", "type") == Entry("top", CONFIRMED)


def test_what_was_lost_stays_in_doubt() -> None:
    """An answer that never came leaves the value in doubt."""
    after = _conclude(DRESS, _plan(DRESS), Fate.UNKNOWN, lost={"type"})
    assert after.known("p1", "type") == Entry("top", DOUBT)


@pytest.mark.parametrize("fate", [Fate.FAILED, Fate.NOT_ATTEMPTED])
def test_what_was_surely_not_sent_is_as_it_was(fate: Fate) -> None:
    """A refused call changes nothing that is remembered: of a known product, or an unknown one."""
    assert _conclude(DRESS, _plan(DRESS), fate) == DRESS
    assert _conclude(EMPTY, _plan(EMPTY, "type"), fate) == EMPTY


def test_what_was_in_doubt_and_refused_is_in_doubt_again() -> None:
    """The doubt of an older create survives a refused update of what it made."""
    memory = ledger({}, {"A": entries(type=("dress", DOUBT))})
    after = _conclude(memory, _plan(memory), Fate.FAILED)
    assert after == memory


def test_an_update_that_only_failed_in_part_keeps_what_landed() -> None:
    """Each field is remembered by what became of its own call."""
    plan = planned([declared("A", "Coat", type="top")], [THERE], ledger=DRESS)
    assert told(plan) == ["p1 A name type"]
    after = _conclude(DRESS, plan, Fate.FAILED, landed={"type"})
    assert after.products == {"p1": known("A", type=("top", CONFIRMED))}


CREATE = planned([TOP], [])
PLAIN_CREATE = planned([declared("N")], [])


def test_a_created_product_is_remembered_by_its_id() -> None:
    """An answered create leaves no open one, and everything about it is confirmed."""
    after = _conclude(EMPTY, CREATE, Fate.APPLIED, id="n1", landed={"store_id", "name", "type"})
    assert after == ledger({"n1": known("A", image_url=("", CONFIRMED), type=("top", CONFIRMED))})


def test_a_found_create_stays_in_doubt_until_its_values_are_sent() -> None:
    """A product that a list showed is this create's, but what it holds was never answered."""
    after = _conclude(EMPTY, CREATE, Fate.APPLIED, id="n1", lost={"store_id", "name", "type"})
    assert after == ledger({"n1": known("A", image_url=("", DOUBT), type=("top", DOUBT))})


def test_what_an_older_create_may_have_sent_stays_in_doubt() -> None:
    """Where two runs created, the product may be the first one's: the fields now left out too."""
    memory = ledger({}, {"A": entries(image_url=("u", DOUBT), type=("top", DOUBT))})
    after = _conclude(memory, CREATE, Fate.APPLIED, id="n1", landed={"type"})
    assert after == ledger({"n1": known("A", image_url=("", DOUBT), type=("top", CONFIRMED))})


def test_a_create_that_was_answered_but_is_not_listed_stays_open() -> None:
    """Its id is kept, so that it is never posted again while the ledger knows it (P2)."""
    after = _conclude(EMPTY, CREATE, Fate.UNKNOWN, id="n1", landed={"store_id", "name", "type"})
    sent = Sent(entries(image_url=("", CONFIRMED), type=("top", CONFIRMED)), id="n1")
    assert after.creates == {"A": sent}
    assert after.products == {}


@pytest.mark.parametrize("older", [EMPTY, ledger({}, {"A": entries(type=("dress", DOUBT))})])
def test_a_create_that_surely_failed_leaves_only_older_doubts(older: Ledger) -> None:
    """Failed or never attempted, it is as if it had not been planned; unknown, it stays open."""
    for fate in (Fate.FAILED, Fate.NOT_ATTEMPTED):
        assert _conclude(older, CREATE, fate) == older
    unknown = _conclude(older, CREATE, Fate.UNKNOWN)
    assert unknown.creates == in_doubt(older, CREATE).creates


def test_nothing_is_adopted_by_an_apply_that_failed_in_part() -> None:
    """Assumptions and forgetting wait for a successful apply."""
    products = [TOP, declared("B", "Coat")]
    plan = planned(products, [THERE, listed("p2", "B")])
    (change,) = plan.changes
    failed = concluded(EMPTY, plan, [Verdict(change, Fate.FAILED, "p2")])
    assert failed == EMPTY
    other = Verdict(PLAIN_CREATE.changes[0], Fate.FAILED)
    done = Verdict(change, Fate.APPLIED, "p2", landed=frozenset({"name"}))
    assert concluded(EMPTY, plan, [other, done]).products == {"p2": known("B")}
    applied = concluded(EMPTY, plan, [done])
    assert applied.products == {"p1": known("A", type=("top", ASSUMED)), "p2": known("B")}


def test_products_that_are_gone_are_forgotten() -> None:
    """A deleted product at once; any other when the closing list has it no more."""
    memory = ledger({"p1": known("A"), "p2": known("B"), "p3": known("C")})
    plan = planned([declared("A")], [THERE, listed("p2", "B")], ledger=memory)
    (change,) = plan.changes
    for fate, present, left in (
        (Fate.APPLIED, None, {"p1", "p3"}),
        (Fate.FAILED, None, {"p1", "p2", "p3"}),
        (Fate.APPLIED, {"p1"}, {"p1"}),
    ):
        verdict = Verdict(change, fate, "p2")
        after = concluded(memory, plan, [verdict], present=present)
        assert after.products.keys() == left


def test_what_lists_lack_is_forgotten_once_it_must_have_settled() -> None:
    """A list may lag, and so may the next: the first that lacks a product only dates that (P2)."""
    memory = ledger({"p1": known("A"), "p2": known("B")})
    plan = planned([declared("A")], [THERE], ledger=memory)

    def after(before: Ledger, now: float, *present: str) -> Ledger:
        return concluded(
            before, plan, [], now=now, utc=lambda at: f"2026-01-01T00:{at:02.0f}:00Z",
            present=present, settle=120,
        )  # fmt: skip

    missing = after(memory, 1, "p1")
    assert missing.products["p2"].missing == "2026-01-01T00:01:00Z"
    assert after(missing, 2, "p1").products == missing.products
    assert after(missing, 2, "p1", "p2").products == memory.products
    assert after(missing, 3, "p1").products.keys() == {"p1"}


def test_a_delete_that_only_a_list_has_proven_forgets_nothing() -> None:
    """A refused delete whose product the list lacks: that list may lag, so the record stays."""
    memory = ledger({"p1": known("A")})
    plan = planned([], [THERE], ledger=memory)
    verdict = Verdict(plan.changes[0], Fate.APPLIED, "p1", "refused")
    assert concluded(memory, plan, [verdict]).products == memory.products


def test_a_product_that_waits_to_be_created_again_is_not_forgotten() -> None:
    """While a create of a known product is open, the ledger keeps its id: a list may lag (P2)."""
    memory = ledger({"p1": known("A")})
    plan = planned([declared("A")], [], ledger=memory)
    unknown = Verdict(plan.changes[0], Fate.UNKNOWN)
    after = concluded(memory, plan, [unknown], present=set())
    assert after.products == memory.products


def test_a_renamed_product_is_remembered_under_its_new_store_id() -> None:
    """Once applied; a rename that failed leaves the old one."""
    memory = ledger({"p1": known("A")})
    plan = planned([declared("B", was="A")], [THERE], ledger=memory)
    for fate, store_id in ((Fate.APPLIED, "B"), (Fate.FAILED, "A")):
        landed = {"store_id"} if fate is Fate.APPLIED else ()
        after = _conclude(memory, plan, fate, landed=landed).products["p1"]
        assert (after.store_id, after.came_from) == (store_id, "A" if landed else None)


def test_what_the_server_keeps_is_not_planned_for_ever() -> None:
    """It is remembered with what was sent, warned of, and sent again once either side changes."""
    shop = Shop(listed("p1", "A", "old"), keeps=lambda key, value: _title(key, value))
    wanted = catalog(declared("A", "wool coat", tags=["new"]))
    memory, plan = settle(shop, wanted, EMPTY)
    assert told(plan) == ["p1 A name tags"]
    assert memory.products["p1"].kept == {"name": Kept("wool coat", "Wool Coat")}
    plan = diff(wanted, shop.listing(), memory)
    assert (told(plan), codes(plan), plan.unchanged, plan.summary.kept) == (
        [],
        ["server_keeps"],
        0,
        1,
    )
    assert "keeps 'Wool Coat' for 'wool coat' as name of A" in plan.warnings[0].message
    other = catalog(declared("A", "wool hat", tags=["new"]))
    assert told(diff(other, shop.listing(), memory)) == ["p1 A name"]
    shop.rows["p1"]["name"] = "Coat"
    assert told(diff(wanted, shop.listing(), memory)) == ["p1 A name"]
    shop.keeps = lambda key, value: value
    memory, _ = settle(shop, wanted, memory)
    assert memory.products["p1"].kept == {}


def _title(key: str, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    return value.title() if key == "name" and isinstance(value, str) else value


def test_the_warning_about_kept_values_names_the_first_and_counts_the_rest() -> None:
    """Tags and what is kept as nothing are shown too; the order of the list does not matter."""
    there = [listed(f"p{store_id}", store_id, None, ["b"]) for store_id in "CAB"]
    memory = ledger(
        {
            f"p{store_id}": normalised(store_id, name=("Shirt", None), tags=(("a", "c"), ("b",)))
            for store_id in "ABC"
        }
    )
    plan = planned([declared(s, tags=["a", "c"]) for s in "CAB"], there, ledger=memory)
    first, second = (finding.message for finding in plan.warnings)
    assert "keeps nothing for 'Shirt' as name of A, and likewise for 2 more" in first
    assert "keeps [b] for [a, c] as tags of A" in second


def test_what_landed_of_an_unknown_product_that_kept_its_store_id() -> None:
    """A rename of which only other fields took effect has brought it nowhere (P6)."""
    plan = planned([declared("B", "Coat", was="A")], [THERE])
    assert _conclude(EMPTY, plan, Fate.FAILED, landed={"name"}).products == {"p1": known("A")}


def test_a_create_that_made_another_product_is_not_adopted() -> None:
    """An answered create stays open beside another product that stands at its store_id (P2)."""
    memory = Ledger({}, {"A": Sent(id="n9")})
    after = concluded(memory, planned([TOP], [THERE], ledger=memory), [])
    assert (set(after.creates), set(after.products)) == ({"A"}, {"p1"})


@pytest.mark.parametrize(
    ("hours", "expected"), [(-24, ["p1 A name"]), (-23, []), (0, []), (23, []), (24, ["p1 A name"])]
)
def test_what_the_server_keeps_is_not_kept_by_a_wrong_clock(
    hours: int, expected: list[str]
) -> None:
    """P1: a date far ahead of this clock ends like one that is long past."""
    now = datetime(2026, 12, 1, tzinfo=UTC)
    kept = {"name": Kept("coat", "Coat", stamp(now - timedelta(hours=hours)))}
    memory = Ledger({"p1": Known("A", kept=kept)})
    plan = planned([declared("A", "coat")], [listed("p1", "A", "Coat")], ledger=memory, now=now)
    assert told(plan) == expected
