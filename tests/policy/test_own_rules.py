"""The shop's own kinds of rules, beyond what their findings say."""

from reconciler.linting.own_rules import one_of


def test_a_meaning_is_looked_for_only_so_often() -> None:
    """Tens of thousands of strange tags cost no search in all allowed ones each.

    Whether a tag has a suggestion depends on the order of the values alone.
    """
    check = one_of(["winter", "summer"])
    strange = tuple(f"wint{n}" for n in range(1000))
    messages = [flaw.message for _ in range(2) for flaw in check("tags", strange)]
    assert messages[:1000] == messages[1000:]
    assert 0 < sum("Did you mean 'winter'?" in message for message in messages[:1000]) <= 200
