"""How the engine reports progress: phases with counts. The command line displays it."""

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of a phase; called from many threads."""

    def start(self, phase: str, total: int | None) -> None:
        """Begin a phase; `total` is None if its size is not known yet."""
        ...

    def advance(self, count: int = 1) -> None:
        """Add `count` to the items that are done."""
        ...

    def finish(self) -> None:
        """End the phase."""
        ...


class Silent:
    """A Progress that shows nothing."""

    def start(self, phase: str, total: int | None) -> None:
        """Do nothing."""

    def advance(self, count: int = 1) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""
