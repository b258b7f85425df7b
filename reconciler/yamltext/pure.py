"""ruamel.yaml's own parser, for machines without libyaml's; it reads what libyaml's reads.

It alone refuses tabs between a key and its value and within plain text, which YAML allows, and
takes half a surrogate pair for a character.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import ScalarEvent
from ruamel.yaml.scanner import Scanner

_HALF: Final = re.compile("[\ud800-\udfff]")


def parse(text: str) -> Iterator[Any]:
    """The events of `text`; raises YAMLError if it is not YAML."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    try:
        for event in yaml.parse(text):
            if event.__class__ is ScalarEvent and _HALF.search(event.value):
                raise MarkedYAMLError(
                    problem="found invalid Unicode character escape code",
                    problem_mark=event.start_mark,
                )
            yield event
    except (ValueError, OverflowError) as error:  # from chr(), for the escape "\UFFFFFFFF"
        raise YAMLError(str(error)) from error


class _Scanner(Scanner):
    """A scanner that takes tabs as libyaml's does."""

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
