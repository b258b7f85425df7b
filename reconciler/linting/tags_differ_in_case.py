"""tags-differ-in-case: one tag in two spellings, which the remote takes for two tags."""

from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import Hit, TagRule
from reconciler.model import Location


class _Spellings:
    """The spellings met so far, and where each was met first."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Location]] = {}

    def __call__(self, tag: str, location: Location) -> Hit | None:
        """A complaint at the first use of each further spelling."""
        # casefold() and not lower(): it also joins ß with ss, and the forms of sigma.
        spellings = self._known.setdefault(tag.casefold(), {})
        if tag in spellings:
            return None
        first = next(iter(spellings.items()), None)
        spellings[tag] = location
        if first is None:
            return None
        other, where = first
        message = f"Tag {tag!r} differs only in case from {other!r} at {where}. Spell it alike."
        return Hit(message, location, (where.file,))


RULE: Final = TagRule(
    code=Code.TAGS_DIFFER_IN_CASE,
    formerly="tags-differ-only-in-case",
    sentence="Two tags differ only in upper and lower case. They are two tags to the remote, so "
    "products that belong together are found apart.",
    example="tags: [Linen]    # here\ntags: [linen]    # and there",
    remedy="Choose one spelling and use it everywhere.",
    check=_Spellings,
)
