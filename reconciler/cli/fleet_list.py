"""`reconciler fleet list`."""

from typing import Any

from reconciler.cli.command import command as named
from reconciler.cli.fleet_options import StoreChoice, choosing
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Rendering, pass_invocation, rendering


@named("list")
@choosing()
@rendering(["text", "json", "github-matrix"])
@pass_invocation
def command(invocation: Invocation, stores: StoreChoice, rendering: Rendering) -> int:
    """List the stores, or make a matrix of jobs.

    Offline. With --format github-matrix it prints a matrix for GitHub's `strategy`, of 256 jobs at
    the most: a job is for one store, or for several if there are more.
    """
    from reconciler.report.fleet_json import github_matrix, stores_json
    from reconciler.report.fleet_text import stores_text
    from reconciler.report.output import write_output

    names = stores.of(invocation)
    if rendering.format == "github-matrix":
        text = github_matrix(names)
    elif rendering.format == "json":
        text = stores_json([_described(invocation, name) for name in names])
    else:
        rows = [("store", "catalogue", "labels", "key")]
        for name in names:
            found = _described(invocation, name)
            labels = ", ".join(f"{key}={value}" for key, value in found["labels"].items())
            # The variable's name, never its value (P5).
            key = found["api_key_env"] + ("" if found["has_key"] else " (not set)")
            rows.append((name, found["catalog"], labels, key))
        text = stores_text(rows)
    write_output(text, rendering.output)
    return 0


def _described(invocation: Invocation, name: str) -> dict[str, Any]:
    """What the settings say of a store, and whether there is a key for it here."""
    settings = invocation.settings
    entry, store = settings.stores[name], settings.store(name)
    return {
        "store": name,
        "catalog": (entry.catalog or settings.catalog).as_posix(),
        "labels": dict(entry.labels),
        "domain": entry.domain,
        "api_key_env": entry.api_key_env,
        "has_key": store.secret is not None,
    }
