"""create-without-image: a new product without a picture."""

from typing import Final

from reconciler.codes import Code
from reconciler.policy.plan_rule import PlanRule, created_without

RULE: Final = PlanRule(
    code=Code.CREATE_WITHOUT_IMAGE,
    sentence="A product will be created without an image. Only a plan knows which products are "
    "new.",
    example='store_id: "10482"\nname: Linen shirt    # and no image_url',
    remedy='Add `image_url:` to the product; `image_url: ""` says that it has none on purpose.',
    # Only a plan can tell: no list shows this field of a product that exists.
    check=created_without("image_url", "an image"),
    many="products will be created without an image: add `image_url:`.",
)
