"""From the bytes of a file to text that every YAML parser reads alike.

Parsers disagree about a few characters (the line separators U+2028 and U+2029 are line breaks in
YAML 1.1 only) and give up at others (control characters). Both are settled here, before parsing:
the former travel through the parser under another name, the latter are reported one line at a
time and replaced, so that the rest of the file is still checked.
"""

import json
import re
from itertools import islice
from typing import Final, NamedTuple

from reconciler.codes import Code
from reconciler.model import pack_location
from reconciler.yamltext.findings import Faults

_ORDINARY: Final = bytes([9, 10, 13, *range(32, 127)])
_BREAK: Final = re.compile("\r\n|\r|\n")
_FORBIDDEN: Final = "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_DISPUTED: Final = "\u2028\u2029\ufeff"
_SUSPECT: Final = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]"
# Neither is compiled before a file needs it: sets of so many characters take a while.
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_STUMBLES: Final = frozenset(":?")
# A colon after a quote or bracket ends a key, as in JSON.
_COLON_IN_WORD: Final = re.compile(r"(?<=[^\s\[\]{},\"']):(?=[^\s\[\]{},])")
_QUESTION_IN_WORD: Final = re.compile(r"(?<=[^\s\[\]{},])\?")
_PAIR: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_CONFLICT: Final = re.compile(r"^(?:<{7}|>{7}|\|{7}) ", re.MULTILINE)
_PRIVATE_USE: Final = range(0xE000, 0xF900)
_SAVE_AS_UTF8: Final = "Save the file as UTF-8."


class Source(NamedTuple):
    """The text of one file, without a byte-order mark.

    `aliases` maps stand-in characters in `text` back to the characters that the file holds, and
    `escapes` the stand-ins of escapes back to how the file spells them.
    """

    text: str
    aliases: dict[int, str]
    escapes: dict[str, str] = {}  # noqa: RUF012  (never changed)


def decode(data: bytes, faults: Faults) -> Source | None:
    """The text in `data`; None, with a finding, if it is not UTF-8."""
    # ASCII text in UTF-16 without a mark has a zero among its first two bytes.
    if data.startswith(_WIDE_MARKS) or 0 in data[:2]:
        message = f"The file is UTF-16 or UTF-32, not UTF-8. {_SAVE_AS_UTF8}"
        faults.error(Code.BAD_ENCODING, message)
        return None
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        message = f"Byte 0x{data[error.start]:02x} is not UTF-8 (Latin-1, perhaps). {_SAVE_AS_UTF8}"
        faults.error(Code.BAD_ENCODING, message, place_after(before))
        return None
    # Nearly every file is ASCII, and deleting bytes is much faster than a pattern.
    ascii = data.isascii()
    suspect = data.translate(None, _ORDINARY) if ascii else re.search(_SUSPECT, text)
    return _settle(text, faults) if suspect else Source(text, {})


def reword(source: Source) -> Source | None:
    """`source` with the colons and question marks inside words renamed; None if there are none.

    Plain text between brackets, such as `[12:30]` or `{image_url: https://cdn.shop/1.jpg}`, is
    legal in YAML 1.2 and refused by parsers of YAML 1.1: they are asked again, without what
    they stumble at.
    """
    # Only once: a text that was reworded before and still fails is at fault itself.
    if _STUMBLES.isdisjoint(source.aliases.values()):
        colon, question = _free_characters(source.text, 2)
        aliases = {**source.aliases, ord(colon): ":", ord(question): "?"}
        text = _COLON_IN_WORD.sub(colon, source.text)
        text = _QUESTION_IN_WORD.sub(question, text)
        if text != source.text:
            return Source(text, aliases, source.escapes)
    return None


def pair_up(source: Source) -> Source | None:
    r"""`source` with its surrogate pairs renamed; None if there are none.

    JSON spells a character beyond U+FFFF as two escapes, `"\ud83d\ude00"`, which YAML parsers
    refuse. They are asked again with two escapes of the same length, so that every location holds.
    """
    if source.escapes:
        return None
    pairs = dict.fromkeys(match[0] for match in _PAIR.finditer(source.text))
    free = _free_characters(source.text, len(pairs) + 1)
    if not pairs or len(free) <= len(pairs):
        return None
    aliases, escapes, text = {**source.aliases, ord(free[0]): ""}, {}, source.text
    for pair, character in zip(pairs, free[1:], strict=True):
        # Restored, the first of the two becomes nothing and the second the whole character.
        stand_in = f"\\u{ord(free[0]):04x}\\u{ord(character):04x}"
        aliases[ord(character)] = json.loads(f'"{pair}"')
        escapes[stand_in] = pair
        text = text.replace(pair, stand_in)
    return Source(text, aliases, escapes)


def conflict_in(text: str) -> int | None:
    """The packed location of the first marker that a merge left; None if there is none."""
    marker = _CONFLICT.search(text)
    return None if marker is None else place_after(text[: marker.start()])


def place_after(text: str) -> int:
    """The packed location of what follows `text`."""
    text = _BREAK.sub("\n", text)
    return pack_location(text.count("\n") + 1, len(text) - text.rfind("\n"))


def _settle(text: str, faults: Faults) -> Source:
    """Report and replace control characters, and rename the characters parsers disagree on."""
    # A byte-order mark may begin any document (files joined with `cat`); it is never content there.
    text = _BREAK.sub("\n", text).replace("\n\ufeff", "\n")
    if re.search(_FORBIDDEN, text):
        for number, line in enumerate(text.split("\n"), start=1):
            if match := re.search(_FORBIDDEN, line):
                message = (
                    f"Control character U+{ord(match[0]):04X} in the file. Delete it; "
                    "only tabs and line breaks are allowed."
                )
                faults.error(
                    Code.CONTROL_CHARACTER, message, pack_location(number, match.start() + 1)
                )
        # One for one, so that every location after it still holds.
        text = re.sub(_FORBIDDEN, "\ufffd", text)
    disputed = [character for character in _DISPUTED if character in text]
    stand_ins = dict(zip(disputed, _free_characters(text, len(disputed)), strict=True))
    for character, stand_in in stand_ins.items():
        text = text.replace(character, stand_in)
    return Source(text, {ord(stand_in): character for character, stand_in in stand_ins.items()})


def _free_characters(text: str, count: int) -> list[str]:
    """Private-use characters that `text` does not hold, to stand for others."""
    return list(islice((chr(code) for code in _PRIVATE_USE if chr(code) not in text), count))
