"""The shape of the settings: each with its default, its bounds and its meaning.

Every value arrives as text, from a file whose scalars are text as well as from the environment, and
pydantic turns it into what the tool works with.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, field_validator

from reconciler.hosts import is_loopback
from reconciler.linting.rule import Level
from reconciler.model import STORE_ID, ExportName, selector
from reconciler.planning.plan import Prune
from reconciler.settings.policy import PolicyEntry, StatedText
from reconciler.settings.section import LimitSettings, Section, optional

DEFAULT_API_URL: Final = "https://api.robosize.com/api/v1/product/"
"""The product endpoint (product-sync-api.txt, "List products")."""
API_KEY_VARIABLE: Final = "ROBOSIZE_API_KEY"
API_URL_VARIABLE: Final = "ROBOSIZE_API_URL"

SANDBOX: Final = "sandbox"
"""The name that the embedded sandbox has as a store."""

_STORE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOMAIN: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_LONGEST_DOMAIN: Final = 253
_PORTS: Final = {"http": ":80", "https": ":443"}


def normal_api_url(value: str) -> str:
    """The product endpoint's URL with its last slash; ValueError, free of the URL, for others."""
    text = value.strip()
    if not text or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("must be a URL without white space, such as " + DEFAULT_API_URL)
    try:
        parts = urlsplit(text)
        # urlsplit reads the port only when asked for it, and raises only then.
        host, _ = parts.hostname, parts.port
    except ValueError:
        # `from None`: the parser's error holds the URL, into which the key may have been pasted
        # (P5).
        raise ValueError("has a host or a port that cannot be read") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must begin with https:// and name a host, as in " + DEFAULT_API_URL)
    if "@" in parts.netloc:
        raise ValueError("must hold no user name or password: the key is the only credential")
    # Not `parts.query`, which is empty for a bare `?`.
    if "?" in text or "#" in text:
        raise ValueError("is the product endpoint itself: take away what follows `?` or `#`")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must begin with https://, or the key would travel unencrypted")
    # Host names have no case, and each scheme its own port: one endpoint has one spelling.
    network = parts.netloc.lower().removesuffix(_PORTS[parts.scheme])
    return urlunsplit((parts.scheme, network, parts.path.rstrip("/") + "/", "", ""))


def own_sandbox(store: str) -> str:
    """The name of the embedded sandbox that a fleet's store has for itself."""
    # A store of the settings cannot have it, since those begin with a letter or a digit.
    return f"_{SANDBOX}-{store}"


def is_sandbox(name: str) -> bool:
    """Whether this is the name of an embedded sandbox."""
    return name == SANDBOX or name.startswith(own_sandbox(""))


def _store_name(value: str) -> str:
    # The name becomes part of file names and of a git ref, which takes no `..` and no `.lock`.
    if not _STORE_NAME.fullmatch(value) or ".." in value or value.endswith((".", ".lock")):
        raise ValueError(
            "is not a name for a store: use letters, digits, `-`, `_` and single dots, "
            "and begin with a letter or a digit"
        )
    # Its ledger and journals would be those of the sandbox.
    if value.casefold() == SANDBOX:
        raise ValueError("is the name of the embedded sandbox; choose another")
    return value


def _variable_name(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise ValueError("must be the name of an environment variable, never the key itself")
    return value


def _filled_path(value: object) -> object:
    if not str(value).strip() or "\0" in str(value):
        raise ValueError("must name a folder or a file")
    return value


def _filled_text(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("must be text of one line")
    return value


def _domain(value: str | None) -> str | None:
    if value is not None and (not _DOMAIN.fullmatch(value) or len(value) > _LONGEST_DOMAIN):
        raise ValueError("must be the shop's domain alone, such as shop.example")
    return None if value is None else value.lower()


def _image_base(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"https?://[^/\s]\S*", value):
        raise ValueError("must be a whole address, such as https://shop.example/media/product")
    return value


def _proxy_url(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("has a host or a port that cannot be read") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be the proxy's URL, such as http://proxy.shop:3128")
    return value


ApiUrl = Annotated[str, AfterValidator(normal_api_url)]
StoreName = Annotated[str, AfterValidator(_store_name)]
VariableName = Annotated[str, AfterValidator(_variable_name)]
FilledPath = Annotated[Path, BeforeValidator(_filled_path)]
FilledText = Annotated[str, AfterValidator(_filled_text)]
ImportField = Literal["name", "tags", "image_url", "type"]
"""A field that an import may bring besides the store_id, which it always brings."""


class Requests(Section):
    """How the API is called. Times are in seconds."""

    page_size: int = Field(200, ge=1, le=10_000, description="Products asked for per page.")
    concurrency: int = Field(16, ge=1, le=64, description="Calls under way at one time.")
    batch: int = Field(100, ge=1, le=1_000, description="Products per update call, at most.")
    timeout: float = Field(
        30, gt=0, le=3_600, allow_inf_nan=False, description="Seconds to wait for an answer."
    )
    retries: int = Field(5, ge=0, le=20, description="Repeats of a call that may be repeated.")
    rate: Annotated[float | None, BeforeValidator(optional)] = Field(
        None, gt=0, le=10_000, allow_inf_nan=False, description="Calls per second, at most."
    )
    settle: Annotated[float | None, BeforeValidator(optional)] = Field(
        None,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds that an unanswered write may still take effect; null: twice the "
        "timeout.",
    )
    # Not in its `repr`: a proxy's URL may hold a password.
    proxy: Annotated[str | None, BeforeValidator(optional), AfterValidator(_proxy_url)] = Field(
        None, repr=False, description="A proxy's URL; the environment's proxies are not used."
    )
    ca_bundle: Annotated[Path | None, BeforeValidator(optional)] = Field(
        None, description="A file of certificates to trust instead of the usual ones."
    )


class ImportEntry(Section):
    """How one export of the shop is imported; flags of `import` go before it."""

    format: Literal["auto", ExportName] = Field(
        "auto", description="The format; auto recognises it."
    )
    id: FilledText | None = Field(
        None, description="The column with the ids that product pages pass."
    )
    map: dict[ImportField, FilledText] = Field(
        default_factory=dict, description="The export's column for a field."
    )
    only: dict[FilledText, str] = Field(
        default_factory=dict, description="Only products whose column matches its glob."
    )
    types: dict[FilledText, FilledText] = Field(
        default_factory=dict,
        description="The type for a glob of the shop's types or categories; the first one wins.",
    )
    fields: tuple[ImportField, ...] = Field(
        ("name", "tags", "image_url", "type"), description="The fields that are imported."
    )
    image_base: Annotated[str | None, AfterValidator(_image_base)] = Field(
        None, description="The address below which relative images are."
    )


class IgnoreSettings(Section):
    """What others keep at Robosize, so that this tool leaves it alone."""

    tags: tuple[StatedText, ...] = Field(
        (), description="Globs of tags, neither compared nor lost."
    )
    products: tuple[StatedText, ...] = Field(
        (), description="Globs of store_ids that are in no plan: neither changed nor deleted."
    )


class PerStore(Section):
    """What the settings say for all stores, and a store for itself (see `own_over`)."""

    # A catalogue is the whole truth by default; limits stop a mass delete all the same (P3).
    prune: Prune = Field(
        "all",
        description="Which undeclared remote products are deleted: all, those that this ledger "
        "created or adopted (managed), or none.",
    )
    protected: tuple[str, ...] = Field(
        (), description="What is never deleted: globs of store_ids, or tag=… for a tag at Robosize."
    )
    limits: LimitSettings = Field(default_factory=LimitSettings, description="What apply refuses.")
    requests: Requests = Field(default_factory=Requests, description="How the API is called.")
    lint: dict[str, Level] = Field(
        default_factory=dict, description="The level of each lint rule: off, warning or error."
    )
    policy: tuple[PolicyEntry, ...] = Field((), description="The shop's own rules.")
    ignore: IgnoreSettings = Field(
        default_factory=IgnoreSettings, description="What this tool leaves alone at Robosize."
    )
    imports: dict[FilledText, ImportEntry] = Field(
        default_factory=dict, description="How exports of the shop are imported, by name."
    )
    notify: tuple[VariableName, ...] = Field(
        (),
        description="The environment variables of Apprise URLs, to which `watch` sends messages.",
    )

    @field_validator("protected")
    @classmethod
    def _no_blank_pattern(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        if not all(pattern.strip() for pattern in patterns):
            raise ValueError("must not hold an empty pattern")
        for each in map(selector, patterns):
            if each.excludes or each.key not in (STORE_ID, "tag"):
                raise ValueError(
                    f"holds {each.expression!r}: write globs of store_ids, or `tag=…` for a tag "
                    "that a product has at Robosize"
                )
        return patterns


class StoreEntry(PerStore):
    """One remote. The key is read from the environment variable that `api_key_env` names."""

    api_url: ApiUrl = Field(DEFAULT_API_URL, description="The product endpoint itself.")
    api_key_env: VariableName = Field(
        API_KEY_VARIABLE, description="The environment variable that holds the key."
    )
    catalog: FilledPath | None = Field(
        None, description="The catalogue's folder, if it is not that of the settings."
    )
    labels: dict[FilledText, FilledText] = Field(
        default_factory=dict, description="What the store is chosen by: fleet --label KEY=VALUE."
    )
    domain: Annotated[str | None, BeforeValidator(optional), AfterValidator(_domain)] = Field(
        None, description="The shop's own domain, such as shop.example."
    )

    def own_over(self, general: PerStore) -> dict[str, Any]:
        """The settings of `general` that this store has its own of, with its own values.

        Mappings are merged key by key; any other value replaces the general one.
        """
        # What is set counts, not what differs: a store may say the default against the general
        # setting.
        own = self.model_fields_set & PerStore.model_fields.keys()
        return {name: _over(getattr(general, name), getattr(self, name)) for name in own}


class FleetCaps(Section):
    """What all stores of a fleet's run share."""

    parallel: int = Field(16, ge=1, le=256, description="Stores under way at one time.")
    rate: Annotated[float | None, BeforeValidator(optional)] = Field(
        None,
        gt=0,
        le=100_000,
        allow_inf_nan=False,
        description="Calls per second of all stores together, at most.",
    )


def _over(general: Any, own: Any) -> Any:
    if isinstance(own, BaseModel):
        # Only what is set: a section's own defaults must not undo the general section.
        return general.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})
    return {**general, **own} if isinstance(own, dict) else own


def one_store() -> dict[str, Any]:
    """The stores if none are declared."""
    return {"default": StoreEntry()}
