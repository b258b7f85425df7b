"""Pace: the calls a second that several clients of one process share, each with an equal part.

A client's own part is what its governor keeps; the pace itself only stops bursts, such as the first
calls of clients that come and go.
"""

from threading import Lock


class Pace:
    """A number of calls a second for each client that has joined. Thread-safe.

    `share` may be changed at any time; None means no limit.
    """

    def __init__(self, share: float | None = None) -> None:
        self.share = share
        self._lock = Lock()
        self._members = 0
        self._next_start = 0.0

    def join(self) -> None:
        """Count one more client."""
        with self._lock:
            self._members += 1

    def leave(self) -> None:
        """Count one client less: the others have its part from now on."""
        with self._lock:
            self._members -= 1

    @property
    def interval(self) -> float:
        """The seconds between two calls of one client, at least."""
        share = self.share
        return 1 / share if share else 0.0

    def turn(self, now: float) -> float:
        """Take the next moment, from `now` on, at which a call of any client may begin."""
        with self._lock:
            # Time in which nobody called is not saved up, or a burst would follow a rest.
            start = max(now, self._next_start)
            self._next_start = start + self.interval / max(1, self._members)
            return start
