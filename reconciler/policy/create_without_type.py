"""create-without-type: a new product whose kind of garment nobody has said."""

from collections.abc import Iterator
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import Hit
from reconciler.planning.plan import Create
from reconciler.policy.plan_rule import Planned, PlanRule


def _check(planned: Planned) -> Iterator[Hit]:
    for change in planned.changes:
        # Only creates: no list shows a type, so its absence proves nothing about an older product.
        if isinstance(change, Create) and "type" not in change.fields:
            yield Hit(
                f"{change.store_id} will be created without a type, so sizes cannot be measured "
                "by garment: add `type:`.",
                change.source,
                store_id=change.store_id,
            )


RULE: Final = PlanRule(
    code=Code.CREATE_WITHOUT_TYPE,
    sentence="A product will be created without a type, so sizes cannot be measured by garment. "
    "Only a plan knows which products are new.",
    example='store_id: "10482"\nname: Linen shirt    # and no type',
    remedy="Add `type:` to the product, or to the defaults of its file or folder.",
    check=_check,
    many="products will be created without a type, so sizes cannot be measured by garment: add "
    "`type:`, or a default of their folder.",
)
