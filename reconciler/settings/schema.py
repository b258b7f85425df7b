"""JSON Schema of reconciler.yaml, from the models that read it.

It adds the patterns of the values that the models parse by hand.
"""

from typing import Any, Final

from reconciler.model import KEYS, NOTE_PREFIX
from reconciler.policy.registry import RULES
from reconciler.settings.model import PerStore
from reconciler.settings.policy import RULE_NAME
from reconciler.settings.store import Settings

_LIMIT: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "string", "pattern": r"^ *(?:100(?:\.0{1,6})?|[0-9]{1,2}(?:\.[0-9]{1,6})?) *% *$"},
        {"type": "string", "pattern": r"^ *[0-9]{1,9} *$"},
        {"type": "integer", "minimum": 0, "maximum": 999_999_999},
        {"type": "null"},
    ]
}
_STORE_NAME: Final = (
    r"^(?![Ss][Aa][Nn][Dd][Bb][Oo][Xx]$)(?!.*\.\.)(?!.*\.lock$)"
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?$"
)
_API_URL: Final = (
    r"^(?:[Hh][Tt][Tt][Pp][Ss]://[^\s/?#@\\]+|"
    r"[Hh][Tt][Tt][Pp]://(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?)(?:/[^\s?#\\]*)?$"
)
_EXAMPLES: Final[dict[str, list[Any]]] = {
    "catalog": ["catalog"],
    "prune": ["managed"],
    "ledger": ["git"],
    "ledger_remote": ["origin"],
    "protected": [["gift-*"]],
    "limits": [{"deletes": "10%", "updates": "100%", "floor": 5}],
    "requests": [{"concurrency": 8, "timeout": 60}],
    "journal": [50],
    "requires": [">=1.0"],
    "lint": [{"duplicate-name": "off"}],
    "policy": [[]],
    "ignore": [{}],
    "imports": [{"shop": {"format": "matrixify", "types": {"Jeans*": "bottom"}}}],
    "include": [["shops/*/store.yaml"]],
    "fleet": [{"parallel": 16, "rate": 50}],
    "stores": [{"default": {"api_key_env": "ROBOSIZE_API_KEY", "catalog": "catalog"}}],
}


def settings_schema() -> dict[str, Any]:
    """The schema of a settings file."""
    schema = Settings.model_json_schema()
    definitions, properties = schema["$defs"], schema["properties"]
    for key, examples in _EXAMPLES.items():
        properties[key]["examples"] = examples
    limits = definitions["LimitSettings"]["properties"]
    for key, default in (("creates", None), ("deletes", "10%"), ("updates", "100%")):
        examples = [default or "20%", 50]
        # The model says only text or number: it parses a limit by hand.
        limits[key] = {**limits[key], **_LIMIT, "default": default, "examples": examples}
    entry = definitions["StoreEntry"]["properties"]
    names = sorted({name for rule in RULES for name in _names(rule.id, rule.code)})
    entry["api_url"]["pattern"] = _API_URL
    # A store has its own value only if it is written, so these have no default of their own.
    for key in PerStore.model_fields:
        entry[key].pop("default", None)
    # They stand both at the top and in each store.
    for part in (properties, entry):
        part["protected"]["items"]["pattern"] = r"\S"
        part["lint"]["propertyNames"] = {"anyOf": [{"enum": names}, {"pattern": RULE_NAME}]}
    _complete_policy(definitions["PolicyEntry"])
    entry["api_key_env"]["pattern"] = "^[A-Za-z_][A-Za-z0-9_]*$"
    properties["stores"]["propertyNames"] = {"pattern": _STORE_NAME}
    properties["ledger_remote"]["pattern"] = r"^[^\s-]\S*$"
    schema["description"] = "The settings of reconciler: all of them may be left out."
    return schema


def _complete_policy(entry: dict[str, Any]) -> None:
    """Let a list of one be written as text, and complete the names of fields."""
    fields = {"anyOf": [{"enum": list(KEYS)}, {"type": "string", "pattern": f"^{NOTE_PREFIX}."}]}
    properties = entry["properties"]
    for key in ("in", "one_of", "host", "require"):
        items = fields if key == "require" else {"type": "string"}
        told = {"description": properties[key]["description"]}
        properties[key] = told | {"anyOf": [items, {"type": "array", "items": items}]}
    properties["field"] = {"description": properties["field"]["description"], **fields}


def _names(*names: str) -> set[str]:
    """Each name with dashes and with underscores."""
    return {name.replace(*pair) for name in names for pair in (("_", "-"), ("-", "_"))}
