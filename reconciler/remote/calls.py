"""How calls are made, as one value, and how often one call is repeated."""

from dataclasses import dataclass
from typing import Final

_TIMEOUTS_EACH: Final = 2
"""How often a call that timed out is repeated: each repeat costs a whole time limit more."""


@dataclass(frozen=True, slots=True)
class Calls:
    """How calls are made; times are in seconds, `rate` is calls per second.

    `retries` bounds the repeats of one call. `settle` is how long a write that was not answered may
    still take effect; None is twice the timeout. `key_variable` is what messages call the key by.
    """

    page_size: int = 200
    concurrency: int = 16
    timeout: float = 30.0
    retries: int = 5
    rate: float | None = None
    settle: float | None = None
    proxy: str | None = None
    ca_bundle: str | None = None
    key_variable: str = "ROBOSIZE_API_KEY"


class Repeats:
    """Counts the repeats of one call: at most `most`, and fewer after time limits."""

    def __init__(self, most: int) -> None:
        self.made = 0
        self._most = most
        self._timeouts = 0

    def another(self, *, timed_out: bool) -> bool:
        """Count one more repeat; False if the call has had all of its own."""
        self._timeouts += timed_out
        if self.made >= self._most or self._timeouts > _TIMEOUTS_EACH:
            return False
        self.made += 1
        return True

    @property
    def backoff(self) -> float:
        """The longest wait before the repeat that was counted last: 0, 1, 2, 4, ... 20 seconds."""
        return min(20.0, 0.5 * 2 ** (self.made - 1)) if self.made > 1 else 0.0
