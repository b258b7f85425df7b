"""Time as a value that is passed in, so that nothing is tested by waiting."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import Final, Protocol

# The monotonic clock of Linux stands still while the machine sleeps, and a lease does not.
_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """What the tool needs of time."""

    def now(self) -> float:
        """Seconds that only ever grow."""
        ...

    def utc(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def wait(self, seconds: float, stop: Event) -> bool:
        """Let `seconds` pass, or less once `stop` is set; return whether it is set."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since some moment in the past, the machine's sleep included if it tells."""
        return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)

    def utc(self) -> datetime:
        """The machine's time of day."""
        return datetime.now(UTC)

    def wait(self, seconds: float, stop: Event) -> bool:
        """Sleep until the time has passed or `stop` is set."""
        return stop.wait(max(0.0, seconds))


def stamp(moment: datetime) -> str:
    """A moment in UTC as ISO 8601 with milliseconds and a final Z."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
