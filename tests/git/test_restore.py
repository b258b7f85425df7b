"""What a pipeline removed is brought back at a desk, from a fresh clone and without a key."""

from tests.cli.run import in_process
from tests.git.pipeline import COAT, SHIRT, Pipeline


def test_from_a_fresh_clone(pipeline: Pipeline) -> None:
    """`show` and `restore` read from the git remote alone what an apply removed (P3)."""
    pipeline.declare(SHIRT, COAT)
    pipeline.apply_once()
    row = pipeline.sandbox.store.row("2")
    assert row is not None
    pipeline.declare(SHIRT)
    pipeline.apply_once()
    desk = pipeline.clone()
    shown = in_process(desk, "show")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"2  {row.id}  removed 20")
    restored = in_process(desk, "restore", "2", "--write")
    assert restored.code == 0, restored.err
    text = (desk / "catalog" / "coat.yaml").read_text(encoding="utf-8")
    assert text == "store_id: 2\nname: Coat\ntags: []\ntype: coat\n"
    assert in_process(desk, "ledger", "show", str(row.id)).out == shown.out
    applied = in_process(desk, "apply", "--yes", **pipeline.environ)
    assert applied.code == 0, applied.err
    assert pipeline.sold_as("2") == "coat"
