"""The story of `status --live`: whether product pages find what the catalogue declares."""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.errors import SettingsError
from reconciler.planning.live import Live
from reconciler.reconcile.store import Store, how_to_call
from reconciler.settings.model import is_sandbox

_SANDBOX_DOMAIN: Final = "sandbox.example"


def look_live(store: Store, sample: int) -> Live:
    """Ask the lookup for up to `sample` declared store_ids, spread over the whole catalogue.

    Raises SettingsError if the store has no domain.
    """
    from reconciler.remote.lookup import Lookup, Sighted

    domain = store.domain or (_SANDBOX_DOMAIN if is_sandbox(store.name) else None)
    if domain is None:
        raise SettingsError(
            f"The store `{store.name}` has no domain, which the lookup of product pages needs.",
            hint=f"Write `stores: {{{store.name}: {{domain: shop.example}}}}` in reconciler.yaml.",
        )
    with store.loading(store.settings.ruleset()) as loaded:
        store_ids = list(loaded().products)
    client, how = store.client, how_to_call(store.settings)
    met: dict[Sighted, list[tuple[str, str]]] = {sighted: [] for sighted in Sighted}
    client.progress.start("Asking as product pages do", min(sample, len(store_ids)))
    with Lookup(client.api_url, domain, how, client.clock, client.stop) as lookup:
        for store_id in _spread(store_ids, sample):
            answer = lookup.ask(store_id)
            met[answer.sighted].append((store_id, answer.problem or ""))
            client.progress.advance()
            # The server asked for less, and the sample is no reason to ask again.
            if lookup.stopped:
                break
    return Live(
        domain,
        len(store_ids),
        tuple(store_id for store_id, _ in met[Sighted.FOUND]),
        tuple(store_id for store_id, _ in met[Sighted.NOT_FOUND]),
        tuple(met[Sighted.UNCLEAR]),
        lookup.stopped,
    )


def _spread(store_ids: Sequence[str], sample: int) -> Iterator[str]:
    """At most `sample` store_ids at equal distances, so that a second run asks for the same."""
    count = min(sample, len(store_ids))
    # Not random: two runs with different answers then tell of a change, not of another sample.
    return (store_ids[number * len(store_ids) // count] for number in range(count))
