"""Which stores a run of the fleet is for."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from reconciler.errors import SettingsError, UnmatchedPattern, UsageError
from reconciler.settings import Settings


def chosen_stores(
    settings: Settings, names: Sequence[str] = (), labels: Sequence[str] = ()
) -> list[str]:
    """The stores that match one of `names`, and all of `labels` (KEY=VALUE), in their order.

    Names and values are globs. Without any, all stores. Raises UnmatchedPattern for one that
    matches no store, or if no store matches all of it.
    """
    wanted = [_label(label) for label in labels]
    for name in names:
        _check(name, any(fnmatchcase(store, name) for store in settings.stores), "name")
    for label, pair in zip(labels, wanted, strict=True):
        _check(label, any(_has(settings, store, pair) for store in settings.stores), "label")
    found = [
        store
        for store in settings.stores
        if (not names or any(fnmatchcase(store, name) for name in names))
        and all(_has(settings, store, pair) for pair in wanted)
    ]
    if not found:
        raise UnmatchedPattern(
            "No store matches all that was given.",
            hint="A store must match one --store and every --label; `reconciler fleet list` "
            "shows the labels.",
        )
    return found


def check_apart(settings: Settings, stores: Sequence[str]) -> None:
    """Raise SettingsError if two of the stores are one shop: the same endpoint with the same key.

    Applied side by side they would create products twice, and each would delete the other's.
    """
    met: dict[tuple[str, str], str] = {}
    for name in stores:
        store = settings.store(name)
        # A run on a scheduler has no keys itself.
        key = store.secret.get_secret_value() if store.secret else f"${store.api_key_env}"
        other = met.setdefault((store.api_url, key), name)
        if other != name:
            raise SettingsError(
                f"The stores `{other}` and `{name}` have the same endpoint and the same key, so "
                "they are one shop: nothing was applied.",
                hint="Give each its own `api_key_env`; or make one store of the two.",
            )


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"--label {text!r} is not KEY=VALUE.", hint="For instance country=de.")
    return key, value


def _has(settings: Settings, store: str, pair: tuple[str, str]) -> bool:
    key, value = pair
    labels = settings.stores[store].labels
    return key in labels and fnmatchcase(labels[key], value)


def _check(pattern: str, matched: bool, what: str) -> None:
    if not matched:
        raise UnmatchedPattern(
            f"No store has the {what} {pattern!r}.",
            hint="`reconciler fleet list` shows all stores with their labels.",
        )
