"""invisible-character: text with characters that nobody sees."""

import re
import unicodedata
from typing import Final

from reconciler.codes import Code
from reconciler.linting.rule import TextRule
from reconciler.model import is_invisible

# A joiner between two parts of one emoji, the tags of a flag, and the joiner or its opposite
# between letters of a script whose words need them: Arabic (and so Persian) and its neighbours,
# and the scripts of India and South-East Asia. Compiled when a text needs it.
_EMOJI: Final = "[\u2190-\u2bff\u3030\u303d\U0001f000-\U0001faff]"
_LETTER: Final = "[\u0600-\u08ff\u0900-\u109f\u1780-\u18af]"
_NEEDED: Final = (
    f"(?<={_EMOJI})\u200d(?={_EMOJI})|(?<={_EMOJI}\ufe0f)\u200d(?={_EMOJI})"
    f"|(?<={_LETTER})[\u200c\u200d](?={_LETTER})"
    "|(?<=\U0001f3f4)[\U000e0020-\U000e007e]+\U000e007f"
)


def _check(text: str) -> str | None:
    # Nearly all texts end here, so the pattern is compiled only if one needs it.
    if not any(map(is_invisible, text)):
        return None
    invisible = next(filter(is_invisible, re.sub(_NEEDED, "", text)), None)
    if invisible is None:
        return None
    name = unicodedata.name(invisible, "no name")
    return f"holds the invisible character U+{ord(invisible):04X} ({name}). Delete it."


RULE: Final = TextRule(
    code=Code.INVISIBLE_CHARACTER,
    formerly="invisible-characters",
    sentence="A text holds a character that shows nothing (a zero-width space, a soft hyphen, a "
    "mark of direction), mostly carried along when it was copied from a web page.",
    example='name: "Linen\\u200b shirt"    # a zero-width space',
    remedy="Delete the character; the message names it.",
    check=_check,
)
