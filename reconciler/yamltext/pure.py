"""ruamel.yaml's own parser, for machines without libyaml's; it reads what libyaml's reads.

It alone refuses tabs between a key and its value and within plain text, which YAML allows.
"""

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scanner import Scanner


def parse(text: str) -> Iterator[Any]:
    """The events of `text`; raises YAMLError if it is no YAML."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    try:
        yield from yaml.parse(text)
    except (ValueError, OverflowError) as error:  # from chr(), for the escape "\UFFFFFFFF"
        raise YAMLError(str(error)) from error


class _Scanner(Scanner):
    """A scanner that takes tabs where libyaml's does."""

    def scan_to_next_token(self) -> Any:
        if self.flow_level or not self.allow_simple_key:
            self.reader.forward(self._blanks())
        return super().scan_to_next_token()

    def scan_plain_spaces(self, indent: Any, start_mark: Any) -> Any:
        blanks: str = self.reader.prefix(self._blanks())
        if "\t" not in blanks:
            return super().scan_plain_spaces(indent, start_mark)
        self.reader.forward(len(blanks))
        if self.reader.peek() in "\r\n\0":
            return super().scan_plain_spaces(indent, start_mark)
        return [blanks]

    def _blanks(self) -> int:
        """How many spaces and tabs come next."""
        length = 0
        while self.reader.peek(length) in " \t":
            length += 1
        return length
