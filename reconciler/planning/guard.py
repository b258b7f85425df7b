"""Guards: what a plan must not do without being told so. They judge; only apply refuses."""

from dataclasses import dataclass, replace
from typing import Final

from reconciler.codes import Code
from reconciler.planning.hints import products
from reconciler.planning.plan import Plan, Refusal


@dataclass(frozen=True, slots=True)
class Limit:
    """A count, or a percentage of the remote products."""

    number: float
    percent: bool = False

    def of(self, remote_products: int) -> float:
        """The limit as a count."""
        return self.number * remote_products / 100 if self.percent else self.number

    def __str__(self) -> str:
        return f"{self.number:g}%" if self.percent else f"{self.number:g}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan may do at most; None sets no limit. Up to `floor` nothing is refused."""

    deletes: Limit | None = Limit(10, percent=True)
    updates: Limit | None = Limit(100, percent=True)
    floor: int = 5
    creates: Limit | None = None


@dataclass(frozen=True, slots=True)
class Allowances:
    """What the user permits for one run, beyond the limits."""

    deletes: int | None = None
    updates: int | None = None
    empty: bool = False
    creates: int | None = None


_DEFAULT_LIMITS: Final = Limits()
_NO_ALLOWANCES: Final = Allowances()


def with_fresh_figures(plan: Plan, remote_products: int) -> Plan:
    """A saved plan with the figures that guards look at taken from a list, not from its file.

    Whether the catalogue was empty no list tells; but a plan that only deletes, and leaves nothing
    at the remote, is what an empty catalogue makes, and is judged as one.
    """
    summary = plan.summary
    catalog = plan.catalog
    # A saved file is only text: the figures that guard against a mass delete come from the list.
    if summary.delete >= remote_products and summary.delete == len(plan.changes):
        catalog = catalog._replace(products=0)
    return replace(plan, catalog=catalog, remote_products=remote_products)


def with_refusals(
    plan: Plan, limits: Limits = _DEFAULT_LIMITS, allowances: Allowances = _NO_ALLOWANCES
) -> Plan:
    """The plan with the refusals that apply would end with, under these limits."""
    summary = plan.summary
    refusals: list[Refusal] = []
    if plan.catalog.products == 0 and plan.changes and not allowances.empty:
        refusals.append(
            Refusal(
                Code.EMPTY_CATALOG,
                "The catalogue declares no product, and the plan has changes for "
                f"{products(len(plan.changes))}. Is it the right folder?",
                "--allow-empty",
            )
        )
    rows = (
        (Code.TOO_MANY_CREATES, "create", summary.create, limits.creates, allowances.creates),
        (Code.TOO_MANY_DELETES, "delete", summary.delete, limits.deletes, allowances.deletes),
        (Code.TOO_MANY_UPDATES, "change", summary.update, limits.updates, allowances.updates),
    )
    for code, verb, count, limit, allowed in rows:
        # In a small shop a single product is already more than 10 %.
        most = max(limits.floor, allowed or 0)
        # An allowance names a number, so that it does not allow a plan that has grown since.
        if limit is None or count <= max(most, limit.of(plan.remote_products)):
            continue
        message = (
            f"The plan would {verb} {products(count)} of {plan.remote_products}; the limit is "
            f"{_above_floor(limit, limits.floor)}."
        )
        flag = code.replace("too_many_", "--allow-")
        refusals.append(Refusal(code, message, f"{flag} {count}"))
    return replace(plan, refusals=tuple(refusals))


def _above_floor(limit: Limit, floor: int) -> str:
    """A limit and the floor in words: of two counts only the larger one means anything."""
    if not limit.percent:
        return f"{max(limit.number, floor):g}"
    return f"{limit}, or {floor}" if floor else str(limit)
