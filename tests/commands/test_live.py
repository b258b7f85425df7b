"""`status --live`: what product pages would find, asked of the lookup, without the key."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.planning.live import Live
from reconciler.report.live_text import live_text
from reconciler.sandbox.server import Sandbox
from tests.cli.run import shop

from .here import Here

KEY = "hush-hush-key"


@pytest.fixture
def remote(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A remote with two of the three declared products, and a store with a domain."""
    shop(folder, "Shirt", "Coat", "Hat")
    (folder / "reconciler.yaml").write_text("stores: {default: {domain: shop.example}}\n")
    with Sandbox(api_key=KEY) as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", KEY)
        sandbox.store.seed([{"store_id": f"000{n}", "name": "x"} for n in (1, 2)])
        yield sandbox


def test_tells_found_and_not_found(remote: Sandbox, here: Here) -> None:
    """Counts, the ids that are not found, and what that usually means; as JSON, too."""
    done = here("status", "--live")
    assert done.code == 0
    assert "Product pages of shop.example: asked for 3 of 3 declared store_ids, 2 found" in done.out
    assert "not found: 0003" in done.out
    assert "not applied yet" in done.out
    seen = json.loads(here("status", "--live", "--sample", "1", "--format", "json").out)["live"]
    assert seen == {
        "domain": "shop.example",
        "declared": 3,
        "asked": 1,
        "found": 1,
        "not_found": [],
        "unclear": [],
        "stopped": False,
    }


def test_a_plan_does_not_ask(remote: Sandbox, here: Here) -> None:
    """The lookup is evidence about pages: only `status --live` calls it, and it is no API call."""
    assert here("plan").code == 0
    assert {call.method for call in remote.store.calls()} == {"GET"}
    assert all("product" not in call.query for call in remote.store.calls())


def test_needs_a_domain(folder: Path, remote: Sandbox, here: Here) -> None:
    """Without a domain it is told what to write; flags that need each other are told, too."""
    (folder / "reconciler.yaml").unlink()
    done = here("status", "--live")
    assert done.code == 1
    assert "domain: shop.example" in done.err
    assert here("status", "--sample", "3").code == 1
    assert here("status", "--live", "--format", "prometheus").code == 1


def test_none_found_is_explained() -> None:
    """Where nothing is found, the id itself is what to look at; ids are escaped."""
    text = live_text(
        Live("shop.example", 40, (), ("SKU\x1b-1",), (("2", "status 500"),), stopped=True)
    )
    assert "SKU\\x1b-1" in text
    assert "not what pages pass" in text
    assert "unclear: 2 (status 500)" in text
    assert "asked for fewer calls" in text
