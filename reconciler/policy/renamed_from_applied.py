"""renamed-from-applied: a rename that was made, and is still asked for."""

from collections.abc import Iterator
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import Hit
from reconciler.policy.plan_rule import Planned, PlanRule


def _check(planned: Planned) -> Iterator[Hit]:
    renamed = [p for p in planned.catalog.products.values() if p.renamed_from is not None]
    if not renamed:
        return
    present = {product.store_id for product in planned.remote.products}
    for product in renamed:
        # While the old store_id is at the remote, the rename is still to be made, or in conflict.
        if product.renamed_from not in present and product.store_id in present:
            yield Hit(
                f"{product.store_id} has been renamed from {product.renamed_from!r}, which is not "
                "at the remote any more. Remove `renamed_from`.",
                product.location_of("renamed_from"),
            )


RULE: Final = PlanRule(
    code=Code.RENAMED_FROM_APPLIED,
    sentence="A rename has been made: the old store_id is gone from the remote and the new one is "
    "there. What is left of it has no effect, until somebody uses the old store_id again.",
    example='store_id: "10482"\nname: Linen shirt\nrenamed_from: "9001"    # long since applied',
    remedy="Remove `renamed_from` from the product.",
    check=_check,
    of_remote=True,
)
