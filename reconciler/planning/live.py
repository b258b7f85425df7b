"""Live: what the lookup of product pages says of declared store_ids. No plan depends on it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Live:
    """The answers for a sample of `declared` store_ids, on behalf of the shop's `domain`.

    `unclear` holds store_ids with what is unclear about each; `stopped` says that the server asked
    for fewer calls, so that not all of the sample was asked for.
    """

    domain: str
    declared: int
    found: tuple[str, ...] = ()
    not_found: tuple[str, ...] = ()
    unclear: tuple[tuple[str, str], ...] = ()
    stopped: bool = False

    @property
    def asked(self) -> int:
        """How many store_ids were asked for."""
        return len(self.found) + len(self.not_found) + len(self.unclear)
