"""fold: whatever the order of rows, each garment once, with the first text that is not empty."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.authoring.imports.export import COLUMNS, Column, ExportFaults, Sighting
from reconciler.authoring.imports.fold import Fold

TEXTS = st.tuples(*[st.sampled_from(["", "a", "b"])] * len(COLUMNS))
SIGHTINGS = st.builds(
    Sighting,
    st.sampled_from(["x", "y", "z"]),
    TEXTS,
    st.integers(2, 99),
    st.tuples(st.sampled_from(["", "yes", "no"])),
    whole=st.booleans(),
    variants=st.sampled_from([(), (), ("z",)]),
)
NAMED = {key: Column(key, number) for number, key in enumerate(COLUMNS, 1)}


def folded(sightings: list[Sighting], *, repeats: bool = True) -> tuple[Fold, ExportFaults]:
    """A fold of these sightings, in two files."""
    faults = ExportFaults()
    fold = Fold(faults, repeats=repeats)
    half = len(sightings) // 2
    for file, part in (("a.csv", sightings[:half]), ("b.csv", sightings[half:])):
        assert sum(1 for _ in fold.take(file, NAMED, part)) == len(part)
    return fold, faults


@given(st.lists(SIGHTINGS, max_size=12))
def test_the_first_text_counts(sightings: list[Sighting]) -> None:
    """Rows of other garments between make no difference; variants are no garments."""
    fold, faults = folded(sightings)
    variants = {name for sighting in sightings for name in sighting.variants}
    names = [name for name in dict.fromkeys(s.garment for s in sightings) if name not in variants]
    for name, garment in zip(names, fold.garments(), strict=True):
        own = [sighting for sighting in sightings if sighting.garment == name]
        columns = zip(*(sighting.texts for sighting in own), strict=True)
        assert list(garment.texts) == [next(filter(None, each), "") for each in columns]
        tested = [sighting.tested[0] for sighting in own]
        assert list(garment.tested) == [next(filter(None, tested), "")]
        assert garment.row == own[0].row
    assert (fold.rows, faults.findings) == (len(sightings), [])


@given(st.lists(SIGHTINGS, max_size=8))
def test_rows_that_must_agree(sightings: list[Sighting]) -> None:
    """Where one row is one product, a second whole row that says something else is reported."""
    _, faults = folded(sightings, repeats=False)
    whole: dict[str, tuple[str, ...]] = {}
    for sighting in sightings:
        whole.setdefault(sighting.garment, sighting.texts)
    if all(s.texts == whole[s.garment] for s in sightings):
        assert faults.findings == []
    elif all(s.whole for s in sightings):
        differ = [s for s in sightings if s.texts[:-1] != whole[s.garment][:-1]]
        assert bool(faults.findings) is bool(differ)
