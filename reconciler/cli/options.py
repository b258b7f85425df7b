"""The options that commands share.

Each decorator gathers its options into one value, which the command is given by name.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

import click

from reconciler.cli.command import Choice
from reconciler.cli.invocation import Invocation, invocation_of
from reconciler.codes import Code
from reconciler.report.formats import FORMATS

if TYPE_CHECKING:
    from reconciler import reconcile
    from reconciler.reconcile.store import Store

Run: TypeAlias = Callable[..., int]
Decorator: TypeAlias = Callable[[Run], Run]

FILE: Final = click.Path(path_type=Path, dir_okay=False)
FOLDER: Final = click.Path(path_type=Path, file_okay=False)
COUNT: Final = click.IntRange(min=0)


@dataclass(frozen=True, slots=True)
class Target:
    """Which store is meant: one of the settings, or the embedded sandbox."""

    store: str | None
    catalog: Path | None
    sandbox: bool

    @contextmanager
    def open(self, invocation: Invocation, stop: Event) -> "Iterator[Store]":
        """The store, open until the block ends; `stop` ends what it is doing."""
        from reconciler.reconcile.store import open_sandbox, open_store

        settings, progress = invocation.settings, invocation.progress
        opening = open_sandbox if self.sandbox else open_store
        with opening(
            settings, self.store, catalog=self.catalog, progress=progress, stop=stop
        ) as store:
            if not self.sandbox:
                _warn_of_missing_memory(store, invocation)
            yield store

    def api_path(self, invocation: Invocation) -> str:
        """The path of the product endpoint, as a request line has it."""
        if self.sandbox:
            from reconciler.sandbox.app import PATH

            return PATH
        return urlsplit(invocation.settings.store(self.store).api_url).path


def _warn_of_missing_memory(store: "Store", invocation: Invocation) -> None:
    """Say once what a pipeline cannot see that keeps its ledger in a file of its own."""
    in_pipeline = invocation.environ.get("CI", "").strip().lower() not in ("", "0", "false")
    if not in_pipeline or store.settings.ledger != "file" or store.ledger.exists():
        return
    invocation.warn_once(
        Code.NO_LEDGER,
        f"Nothing is remembered of earlier runs: {store.ledger.describe()} does not exist, and "
        "what this run learns is thrown away with the pipeline's files. Edits of type and "
        "image_url cannot be seen. Write `ledger: git` in reconciler.yaml (the job that applies "
        "may then have to be "
        "allowed to push), or keep .reconciler/ledger between runs.",
    )


@dataclass(frozen=True, slots=True)
class Rendering:
    """In which format a plan is shown, and where: stdout, or a file."""

    format: str
    output: Path | None


class Seconds(click.FloatRange):
    """A time in seconds, zero or more; "nan" and "inf" are none."""

    name = "seconds"

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The time as a finite number."""
        seconds = float(super().convert(value, param, ctx))
        return (
            seconds if math.isfinite(seconds) else self.fail(f"{value!r} is no time.", param, ctx)
        )


def pass_invocation(function: Run) -> Run:
    """Give the command its Invocation as the first argument."""

    @wraps(function)
    def with_invocation(**given: Any) -> int:
        return function(invocation_of(click.get_current_context()), **given)

    return with_invocation


def _gathered(name: str, make: Callable[..., Any], options: dict[str, Decorator]) -> Decorator:
    """Give the command what `make` makes of these options (by parameter) under `name`."""

    def decorate(function: Run) -> Run:
        @wraps(function)
        def with_value(*args: Any, **given: Any) -> int:
            taken = {key: given.pop(key) for key in options}
            return function(*args, **{name: make(**taken)}, **given)

        decorated: Run = with_value
        for option in reversed(options.values()):
            decorated = option(decorated)
        return decorated

    return decorate


def _one_store(
    context: click.Context, parameter: click.Parameter, names: tuple[str, ...]
) -> str | None:
    """The store that is named; a second one is an error, not the one that counts."""
    if len(names) > 1:
        raise click.UsageError(
            f"--store is given twice ({', '.join(names)}): this command works on one store. "
            "`reconciler fleet` works on several",
            ctx=context,
        )
    return names[0] if names else None


store_option: Final[Decorator] = click.option(
    "--store",
    multiple=True,
    callback=_one_store,
    metavar="NAME",
    help="The store, where the settings have several.",
)
sandbox_option: Final[Decorator] = click.option(
    "--sandbox", is_flag=True, help="The embedded sandbox in place of a store."
)
selecting: Final[Decorator] = click.option(
    "--select",
    multiple=True,
    metavar="EXPR",
    help="Only these products: a store_id glob, tag=…, type=… or file=GLOB. Repeatable.",
)


def target() -> Decorator:
    """--store, --catalog, --sandbox."""
    return _gathered(
        "target",
        Target,
        {
            "store": store_option,
            "catalog": click.option(
                "--catalog", type=FOLDER, metavar="DIR", help="The catalogue's folder."
            ),
            "sandbox": click.option(
                "--sandbox",
                is_flag=True,
                help="A local server in place of the store, kept in .reconciler; needs no key.",
            ),
        },
    )


def planning() -> Decorator:
    """What a plan covers and what a guard allows, as `reconcile.Options`."""

    def make(**given: Any) -> "reconcile.Options":
        from reconciler import reconcile

        return reconcile.Options(**given)

    return _gathered("options", make, _PLANNING)


_PLANNING: Final[dict[str, Decorator]] = {
    "select": selecting,
    "prune": click.option(
        "--prune",
        type=Choice(["all", "managed", "none"]),
        help="Which undeclared remote products are deleted.",
    ),
    "allow_creates": click.option(
        "--allow-creates", type=COUNT, metavar="N", help="Permit up to N creates."
    ),
    "allow_deletes": click.option(
        "--allow-deletes", type=COUNT, metavar="N", help="Permit up to N deletes."
    ),
    "allow_updates": click.option(
        "--allow-updates", type=COUNT, metavar="N", help="Permit up to N updates."
    ),
    "allow_empty": click.option(
        "--allow-empty", is_flag=True, help="Permit a catalogue without products."
    ),
    "resend": click.option(
        "--resend",
        multiple=True,
        metavar="FIELD[=GLOB]",
        help="Send this field whatever the ledger says of it. Repeatable.",
    ),
    "allow_recreate": click.option(
        "--allow-recreate",
        multiple=True,
        metavar="STORE_ID",
        help="Create it although a create was answered that is not listed yet. Repeatable.",
    ),
    "base": click.option(
        "--base",
        metavar="REV",
        help="Mark each change: made since this git revision (edit), older (drift), or both. "
        "`applied`: the commit that was applied last.",
    ),
    "only": click.option(
        "--only",
        multiple=True,
        type=Choice(["edit", "drift", "both"]),
        help="Only changes of this origin; needs --base. Repeatable.",
    ),
}


def rendering() -> Decorator:
    """--format, --output."""
    return _gathered(
        "rendering",
        Rendering,
        {
            "format": click.option(
                "--format",
                type=Choice(FORMATS),
                default="text",
                show_default=True,
                help="How the plan is written.",
            ),
            "output": click.option(
                "--output", type=FILE, metavar="FILE", help="Write it there, nothing to stdout."
            ),
        },
    )


def detailed_exitcode(function: Run) -> Run:
    """--detailed-exitcode."""
    return click.option(
        "--detailed-exitcode",
        is_flag=True,
        help="Exit with 2 where the plan has changes, with 0 only where it has none.",
    )(function)


def if_present(function: Run) -> Run:
    """--if-present."""
    return click.option(
        "--if-present", is_flag=True, help="Pass where there is no catalogue, and say so."
    )(function)


def has_catalog(invocation: Invocation, catalog: Path | None) -> bool:
    """Whether the catalogue's folder is there; said on stderr where it is not."""
    folder = invocation.folder / (catalog or invocation.settings.catalog)
    if folder.exists():
        return True
    invocation.console.say(
        "info", f"There is no catalogue at {folder.name}: nothing was looked at."
    )
    return False
