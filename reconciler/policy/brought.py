"""Rules as code: what installed packages bring by the entry point `reconciler.rules`."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.linting.rule import CatalogRule, Hit, Rule
from reconciler.model import Catalog

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "reconciler.rules"


@cache
def brought_rules() -> tuple[Rule, ...]:
    """The rules of installed packages, sorted by name: each is called as its entry point is.

    An entry point is a Rule, or a function of a Catalog that yields Hits. One that cannot be loaded
    becomes a rule that fails when it is run.
    """
    from importlib.metadata import entry_points  # only what runs rules pays for it

    found = {point.name: point for point in entry_points(group=GROUP)}
    return tuple(_rule(found[name]) for name in sorted(found))


def _rule(point: "EntryPoint") -> Rule:
    package = point.dist.name if point.dist else point.module
    try:
        loaded: Any = point.load()
        if not callable(loaded) and not isinstance(loaded, Rule):
            raise TypeError(f"{point.value} is neither a function nor a rule")
    except Exception as error:  # whatever the package does wrong
        loaded = _failing(error)
    if isinstance(loaded, Rule):
        # The name of the entry point counts, since settings switch the rule off by it.
        return replace(loaded, code=point.name, package=package)
    said = (loaded.__doc__ or "").strip().partition("\n")[0]
    # A plain function can only judge catalogues: nothing else is said about what it wants.
    return CatalogRule(
        code=point.name,
        sentence=said or f"A rule of the package {package}.",
        example=f"The code is {point.value}.",
        remedy=f"Correct what it names, or switch it off: `lint: {{{point.name}: off}}`.",
        level="error",
        check=loaded,
        package=package,
    )


def _failing(error: Exception) -> Any:
    """A check that raises what loading the real one has raised."""

    # Raised only when it is run, so that the rule of a broken package can be switched off.
    def check(catalog: Catalog) -> Iterator[Hit]:
        raise error

    return check
