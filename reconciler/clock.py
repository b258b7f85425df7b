"""Time as a value that is passed in, so that nothing is tested by waiting."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import Protocol


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
        """Seconds of the monotonic clock."""
        return time.monotonic()

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
