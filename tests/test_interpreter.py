"""How the interpreter runs the work: what a pause of the search for cycles leaves behind."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.interpreter import paused

MANY = 200_000


@pytest.fixture(autouse=True)
def plain() -> Iterator[None]:
    """Python's own settings, and nothing waiting to be searched."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    gc.collect()
    yield
    gc.set_threshold(*before)
    gc.enable()
    gc.unfreeze()


@pytest.fixture
def searches() -> Iterator[list[Any]]:
    """Each search for cycles that begins."""
    begun: list[Any] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            begun.append(info)

    gc.callbacks.append(note)
    yield begun
    gc.callbacks.remove(note)


def test_no_search_follows_at_once(searches: list[Any]) -> None:
    """What a pause made is not searched when it ends, which would take as long as it has saved."""
    with paused():
        made = [[number] for number in range(MANY)]
    some = [[number] for number in range(100)]
    assert searches == []
    assert len(made) + len(some) == MANY + 100


def test_cycles_made_in_a_pause_are_found_later() -> None:
    """A pause puts the search off: a cycle that it leaves is collected with the old values."""
    with paused():
        for _ in range(10):
            ring: list[Any] = []
            ring.append(ring)
        del ring
    assert gc.collect() >= 10


def test_what_was_frozen_stays_so() -> None:
    """A program that has set values apart from all searches keeps them apart."""
    gc.freeze()
    frozen = gc.get_freeze_count()
    with paused():
        pass
    assert gc.get_freeze_count() == frozen
    assert gc.isenabled()


def test_a_pause_within_a_pause() -> None:
    """The inner one ends nothing; nor does one where a program wants no searches at all."""
    with paused():
        with paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    with paused():
        pass
    assert not gc.isenabled()
