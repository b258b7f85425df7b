"""Colour for terminals: a few named styles that do nothing if colour is off."""

from typing import NamedTuple


class Style(NamedTuple):
    """Wraps text in colour codes, or returns it as it is if `color` is false."""

    color: bool = False

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text

    def red(self, text: str) -> str:
        """Deletes, errors, removed tags."""
        return self._wrap("31", text)

    def green(self, text: str) -> str:
        """Creates, success, added tags."""
        return self._wrap("32", text)

    def yellow(self, text: str) -> str:
        """Updates and warnings."""
        return self._wrap("33", text)

    def cyan(self, text: str) -> str:
        """Renames."""
        return self._wrap("36", text)

    def dim(self, text: str) -> str:
        """Places and other things that matter less."""
        return self._wrap("2", text)

    def bold(self, text: str) -> str:
        """What matters most."""
        return self._wrap("1", text)
