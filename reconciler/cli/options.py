"""The options that commands share.

Each decorator collects its options into one value and passes that to the command by name.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from reconciler.cli.command import Choice
from reconciler.cli.invocation import Invocation, invocation_of
from reconciler.report.formats import FORMATS

if TYPE_CHECKING:
    from reconciler import reconcile

Run: TypeAlias = Callable[..., int]
Decorator: TypeAlias = Callable[[Run], Run]

FILE: Final = click.Path(path_type=Path, dir_okay=False)
FOLDER: Final = click.Path(path_type=Path, file_okay=False)
COUNT: Final = click.IntRange(min=0)


@dataclass(frozen=True, slots=True)
class Rendering:
    """The format of a plan, the file to write it to (None means stdout), and whether in brief."""

    format: str
    output: Path | None
    summary: bool = False


class Seconds(click.FloatRange):
    """A finite time in seconds, zero or more."""

    name = "seconds"

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The time; an error for "nan" and "inf", which a FloatRange accepts."""
        seconds = float(super().convert(value, param, ctx))
        return (
            seconds
            if math.isfinite(seconds)
            else self.fail(f"{value!r} is not a finite number.", param, ctx)
        )


def pass_invocation(function: Run) -> Run:
    """Give the command its Invocation as the first argument."""

    @wraps(function)
    def with_invocation(**given: Any) -> int:
        return function(invocation_of(click.get_current_context()), **given)

    return with_invocation


def gathered(name: str, make: Callable[..., Any], options: dict[str, Decorator]) -> Decorator:
    """Pass the command `make(**options)` as `name` instead of the options themselves."""

    def decorate(function: Run) -> Run:
        @wraps(function)
        def with_value(*args: Any, **given: Any) -> int:
            # click passes every option by name, and the command knows only the one value.
            taken = {key: given.pop(key) for key in options}
            return function(*args, **{name: make(**taken)}, **given)

        decorated: Run = with_value
        # From the last to the first, as stacked decorators apply, so that help keeps the order.
        for option in reversed(options.values()):
            decorated = option(decorated)
        return decorated

    return decorate


catalog_option: Final[Decorator] = click.option(
    "--catalog", type=FOLDER, metavar="DIR", help="The catalogue's folder."
)
output_option: Final[Decorator] = click.option(
    "--output", type=FILE, metavar="FILE", help="Write to this file instead of stdout."
)
yes_option: Final[Decorator] = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
lock_timeout_option: Final[Decorator] = click.option(
    "--lock-timeout",
    type=Seconds(),
    default=0,
    metavar="SECONDS",
    help="Wait up to this long for another apply of the store to end.",
)
detailed_exitcode: Final[Decorator] = click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if the plan has changes, and with 0 only if it has none.",
)
detailed_drift: Final[Decorator] = click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if the catalogue was edited since the last apply, with 6 if only the remote "
    "has drifted, and with 0 if neither.",
)
detailed_files: Final[Decorator] = click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if files change, and with 0 only if none does.",
)
if_present: Final[Decorator] = click.option(
    "--if-present", is_flag=True, help="Pass if there is no catalogue, and say so."
)
write_option: Final[Decorator] = click.option(
    "--write", is_flag=True, help="Write the files; without it they are only compared."
)
into_option: Final[Decorator] = click.option(
    "--into",
    type=FILE,
    metavar="FILE",
    help="Add undeclared products to this file, not each to a file of its own.",
)
selecting: Final[Decorator] = click.option(
    "--select",
    # Only so can a second --store be noticed, which click would let replace the first.
    multiple=True,
    metavar="EXPR",
    help="Only these products: a store_id glob, tag=…, type=…, file=GLOB or x-KEY=…; !EXPR "
    "excludes. Repeatable.",
)


def planning(*, applying: bool = False) -> Decorator:
    """The options of a plan and of its guards, as `reconcile.Options`.

    With `applying` also --allow-older: only an apply refuses an old commit.
    """

    def make(**given: Any) -> "reconcile.Options":
        # When it is called: `--help` needs no stories.
        from reconciler import reconcile

        return reconcile.Options(**given)

    return gathered("options", make, {**_PLANNING, **(_APPLYING if applying else {})})


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
    "allow": click.option(
        "--allow",
        multiple=True,
        metavar="NAME",
        help="Permit what this rule of the policy refuses. Repeatable.",
    ),
    "resend": click.option(
        "--resend",
        multiple=True,
        metavar="FIELD[=GLOB]",
        help="Send this field even if the ledger has the same value. Repeatable.",
    ),
    "allow_recreate": click.option(
        "--allow-recreate",
        multiple=True,
        metavar="STORE_ID",
        help="Create it again, although its earlier create is not listed yet. Repeatable.",
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
_APPLYING: Final[dict[str, Decorator]] = {
    "allow_older": click.option(
        "--allow-older", is_flag=True, help="Permit a commit older than the one applied last."
    )
}


def format_option(formats: Sequence[str]) -> Decorator:
    """--format, which is one of these."""
    return click.option(
        "--format",
        type=Choice(formats),
        default="text",
        show_default=True,
        help="The output format.",
    )


def rendering(formats: Sequence[str] = FORMATS, *, summary: bool = False) -> Decorator:
    """--format and --output; with `summary` also --summary."""
    options = {"format": format_option(formats), "output": output_option}
    if summary:
        options["summary"] = click.option(
            "--summary", is_flag=True, help="Count the products instead of listing them."
        )
    return gathered("rendering", Rendering, options)


def has_catalog(invocation: Invocation, catalog: Path | None) -> bool:
    """Whether the catalogue's folder exists; a message on stderr says if it does not."""
    folder = invocation.folder / (catalog or invocation.settings.catalog)
    if folder.exists():
        return True
    invocation.console.say(
        "info", f"There is no catalogue at {folder.name}: nothing was looked at."
    )
    return False
