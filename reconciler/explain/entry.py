"""The explanation of one code."""

from typing import NamedTuple


class Explanation(NamedTuple):
    """What a code means, what leads to it or how it looks, and what to do about it."""

    meaning: str
    example: str
    remedy: str
