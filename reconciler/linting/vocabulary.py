"""The words that the rules of a shop allow, for editors."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias


class Words(NamedTuple):
    """What a field may be, as globs; `strict` if that holds for every product."""

    allowed: tuple[str, ...]
    strict: bool


Vocabulary: TypeAlias = Mapping[str, Sequence[Words]]
"""The words of each field, by the rules of a shop."""

NO_VOCABULARY: Final[Vocabulary] = MappingProxyType({})
