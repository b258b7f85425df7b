"""create-without-image: a new product without a picture."""

from collections.abc import Iterator
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import Hit
from reconciler.planning.plan import Create
from reconciler.policy.plan_rule import Planned, PlanRule


def _check(planned: Planned) -> Iterator[Hit]:
    for change in planned.changes:
        # An empty text counts as declared: it says that there is no picture on purpose.
        if isinstance(change, Create) and "image_url" not in change.fields:
            yield Hit(
                f"{change.store_id} will be created without an image: add `image_url:`.",
                change.source,
                store_id=change.store_id,
            )


RULE: Final = PlanRule(
    code=Code.CREATE_WITHOUT_IMAGE,
    sentence="A product will be created without an image. Only a plan knows which products are "
    "new.",
    example='store_id: "10482"\nname: Linen shirt    # and no image_url',
    remedy='Add `image_url:` to the product; `image_url: ""` says that it has none on purpose.',
    check=_check,
    many="products will be created without an image: add `image_url:`.",
)
