"""What a pipeline removed is brought back at a desk, from a fresh clone and without a key."""

from reconciler.ledger.git import GitLedger
from reconciler.ledger.holder import Holder
from reconciler.model import Removed
from tests.cli.run import reconciler
from tests.git.pipeline import SHIRT, Pipeline


def test_from_a_fresh_clone(pipeline: Pipeline) -> None:
    """`show` and `restore` read what was removed from the git remote alone."""
    pipeline.declare(SHIRT)
    pipeline.apply_once()
    record = {"id": "b2", "store_id": "2", "name": "Coat", "tags": [], "fabric": {"wool": 1}}
    coat = Removed("b2", "2", "2099-01-01T00:00:00.000Z", record, {"type": "coat"})
    store = GitLedger(pipeline.clone(), store="default")
    with store.hold(timeout=0, holder=Holder.here()) as held:
        held.save(held.load(), message="Apply", last=True, removed=[coat])
    desk = pipeline.clone()
    shown = reconciler(desk, "show")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("2  b2  removed 2099-01-01")
    restored = reconciler(desk, "restore", "2", "--write")
    assert restored.code == 0, restored.err
    text = (desk / "catalog" / "2.yaml").read_text(encoding="utf-8")
    assert text == "store_id: 2\nname: Coat\ntags: []\ntype: coat\n"
    assert reconciler(desk, "ledger", "show", "b2").out == shown.out
    assert pipeline.changes() == []
