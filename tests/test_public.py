"""What `import reconciler` offers."""

import inspect

import pytest

import reconciler
from reconciler import Catalog, Ledger, Listing, Report, diff, errors
from reconciler.model import Known
from tests.model.making import listed, product


def test_other_names_are_refused() -> None:
    """A name that is not offered is an error; the type check of this line holds it for mypy too."""
    with pytest.raises(AttributeError, match="nope"):
        reconciler.nope  # type: ignore[attr-defined]  # noqa: B018


def test_all_names_can_be_had() -> None:
    """Every name that is offered is there, and is documented."""
    for name in reconciler.__all__:
        assert getattr(reconciler, name) is not None
        assert name in dir(reconciler)


def test_all_errors_are_offered() -> None:
    """Whoever calls the library can catch every error that its docstrings name."""
    tree = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.ReconcilerError)
    }
    assert tree <= set(reconciler.__all__)


def test_no_value_prints_a_page() -> None:
    """In a session or a log a value is one line, whatever it holds."""
    products = [product(str(n), "x" * 50, tags=()) for n in range(99)]
    listing = Listing(tuple(listed(str(n), str(n)) for n in range(99)))
    plan = diff(Catalog.of(*products), listing, Ledger())
    report = Report("default", plan.digest, "then", "now")
    ledger = Ledger({str(n): Known(str(n)) for n in range(99)})
    for value in (Catalog.of(*products), listing, plan, report, ledger):
        assert len(repr(value)) < 100, type(value)
