"""Both parsers, for tests of what must not depend on which of them is installed."""

import pytest

from reconciler.yamltext import events


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the parser that this test reads with."""
    name: str = request.param
    if name == "pure":
        monkeypatch.setattr(events, "LIBYAML", None)
    elif events.LIBYAML is None:
        pytest.skip("libyaml's parser is not installed")
    return name
