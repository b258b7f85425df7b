"""Patterns of settings: regular expressions that no text can make slow.

Python's own engine tries one way after the other, so that `(a+)+$` takes years for forty
characters. The engine of Rust, which pydantic brings, reads each character once, as RE2 does.
"""

from functools import lru_cache

from reconciler.model import Matches


@lru_cache(maxsize=256)
def full_match(pattern: str) -> Matches:
    """A test of whether `pattern` matches a text from its first to its last character.

    Raises ValueError, with what is wrong, for a pattern that cannot be used. Look-around and
    back-references are not supported, since no engine can check them in one pass.
    """
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # few shops have patterns

    def compiled(expression: str) -> SchemaValidator:
        schema = core_schema.str_schema(pattern=expression, regex_engine="rust-regex", strict=True)
        return SchemaValidator(schema)

    try:
        # Alone first: what is not balanced could become so within the brackets.
        compiled(pattern)
        # The engine searches anywhere in a text, but a rule speaks of the whole value.
        return compiled(rf"\A(?:{pattern})\z").isinstance_python
    except SchemaError as error:
        reason = str(error).strip().rsplit("\n", 1)[-1].strip()
        raise ValueError(reason.partition("rror: ")[2] or reason) from None
