"""create-without-type: a new product whose kind of garment nobody has said."""

from typing import Final

from reconciler.codes import Code
from reconciler.policy.plan_rule import PlanRule, created_without

RULE: Final = PlanRule(
    code=Code.CREATE_WITHOUT_TYPE,
    sentence="A product will be created without a type, so sizes cannot be measured by garment. "
    "Only a plan knows which products are new.",
    example='store_id: "10482"\nname: Linen shirt    # and no type',
    remedy="Add `type:` to the product, or to the defaults of its file or folder.",
    # Only a plan can tell: no list shows this field of a product that exists.
    check=created_without("type", "a type, so sizes cannot be measured by garment"),
    many="products will be created without a type, so sizes cannot be measured by garment: add "
    "`type:`, or a default of their folder.",
)
