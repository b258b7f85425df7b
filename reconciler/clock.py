"""Time as a value that is passed in, so that tests need not wait."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import Final, Protocol

# Linux's monotonic clock stops while the machine sleeps. A lease must not.
_CLOCK: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """The clock that the tool reads and waits by."""

    def now(self) -> float:
        """Seconds from an unspecified start; they never go back."""
        ...

    def utc(self) -> datetime:
        """The time of day, in UTC."""
        ...

    def wait(self, seconds: float, stop: Event) -> bool:
        """Wait for `seconds`, or until `stop` is set; return whether it is set."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since an unspecified start, including time asleep if the system counts it."""
        return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)

    def utc(self) -> datetime:
        """The machine's time of day."""
        return datetime.now(UTC)

    def wait(self, seconds: float, stop: Event) -> bool:
        """Wait until the time has passed or `stop` is set."""
        return stop.wait(max(0.0, seconds))


def stamp(moment: datetime) -> str:
    """A moment in UTC as ISO 8601, with milliseconds and a final Z."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    # The documented formats show times with a final Z, which isoformat() does not write.
    return text.removesuffix("+00:00") + "Z"
