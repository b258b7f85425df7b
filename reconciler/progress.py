"""Progress as the engine tells it: phases with counts. Showing it is the command line's matter."""

from typing import Protocol


class Progress(Protocol):
    """A listener for how far a phase has come. Called from many threads."""

    def start(self, phase: str, total: int | None) -> None:
        """A phase begins; `total` is None if its size is not known yet."""
        ...

    def advance(self, count: int = 1) -> None:
        """`count` more are done."""
        ...

    def finish(self) -> None:
        """The phase has ended."""
        ...


class Silent:
    """Shows nothing."""

    def start(self, phase: str, total: int | None) -> None:
        """Do nothing."""

    def advance(self, count: int = 1) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""
