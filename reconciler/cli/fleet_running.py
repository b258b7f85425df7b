"""Runs a command of the fleet: its tasks, its workers, and the account of what became of them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

from reconciler.cli.fleet_options import Running
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import Rendering
from reconciler.clock import stamp
from reconciler.errors import OutputError, UsageError
from reconciler.report.fleet_results import SUCCESSES, FleetAction, StoreResult, worst_code
from reconciler.version import VERSION

# The folder for the stores' own pages, beside the index page.
_PAGES: Final = "stores"


@dataclass
class FleetAccount:
    """The output of a fleet's run: each result as it comes, and the rest at the end.

    `folder` takes each store's plan or report as `<store>.json`. With `calls` the calls of each
    store are told.
    """

    invocation: Invocation
    action: FleetAction
    rendering: Rendering
    stores: Sequence[str]
    folder: Path | None = None
    details: bool = False
    calls: bool = False
    results: list[StoreResult] = field(default_factory=list)
    lost: OutputError | None = None
    began: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        if self.rendering.format == "html" and self.rendering.output is None:
            raise UsageError(
                "An HTML index links a page for each store, so it needs a place for them.",
                hint=f"Write it with --output FILE; the pages go into the folder {_PAGES} "
                "beside it.",
            )
        # Made now: a folder that cannot be made should be known before any store is touched.
        for folder in filter(None, (self.folder, self._pages())):
            _make_folder(folder)

    @property
    def texts(self) -> frozenset[str]:
        """The renderings that a worker must send back."""
        wanted = {"markdown": "details", "html": "html"}.get(self.rendering.format)
        if self.details and self.rendering.format == "json":
            wanted = "details"
        if wanted == "html" and self.action != "plan":
            wanted = None
        also = ("json" if self.folder else None, "calls" if self.calls else None)
        return frozenset(filter(None, (wanted, *also)))

    def take(self, results: Iterable[StoreResult]) -> None:
        """Tell of each result as it comes, and keep what the end needs of it."""
        progress = self.invocation.progress
        # Only text can be told line by line; a document needs all results first.
        streamed = self.rendering.format == "text" and self.rendering.output is None
        if not streamed:
            progress.start("stores", len(self.stores))
        for result in results:
            with self._noting():
                self._save(result)
            if streamed:
                with self._noting():
                    self._write(self._line(result))
            else:
                progress.advance()
            # Hundreds of rendered plans would not fit in memory, and files have them already.
            needed = ("details",) if streamed else ("details", "calls")
            kept = {name: text for name, text in result.texts.items() if name in needed}
            self.results.append(replace(result, texts=kept))
        progress.finish()

    def close(self) -> int:
        """Write the rest, and return the exit code of the command."""
        order = {store: number for number, store in enumerate(self.stores)}
        # They came as stores ended, which differs from run to run (P8).
        self.results.sort(key=lambda result: order[result.store])
        with self._noting():
            self._write(self._whole())
        code = worst_code(self.results)
        if self.lost is None:
            return code
        from reconciler.cli.failures import tell

        failed = tell(self.lost, self.invocation.console)
        # These say that all went well, which a lost output does not.
        return failed if code in SUCCESSES else code

    def _save(self, result: StoreResult) -> None:
        from reconciler.report.output import write_file

        if self.folder is not None and "json" in result.texts:
            write_file(self.folder / f"{result.store}.json", result.texts["json"], private=True)
        pages = self._pages()
        if pages is not None and "html" in result.texts:
            write_file(pages / f"{result.store}.html", result.texts["html"])

    def _pages(self) -> Path | None:
        output = self.rendering.output
        if self.rendering.format != "html" or output is None or self.action != "plan":
            return None
        return output.absolute().parent / _PAGES

    def _line(self, result: StoreResult) -> str:
        from reconciler.report.fleet_text import store_lines

        width = max(map(len, self.stores))
        color = self.invocation.console.stdout_color and self.rendering.output is None
        return store_lines(result, self.action, width=width, color=color)

    def _whole(self) -> str:
        seconds = monotonic() - self.began
        if self.rendering.format == "json":
            from reconciler.report.fleet_json import fleet_json

            return fleet_json(self.results, self.action, tool=VERSION, seconds=seconds)
        if self.rendering.format == "markdown":
            from reconciler.report.fleet_markdown import fleet_markdown

            return fleet_markdown(self.results, self.action)
        if self.rendering.format == "html":
            from reconciler.report.fleet_html import fleet_html

            pages = self._pages()
            links = {
                result.store: f"{_PAGES}/{result.store}.html"
                for result in self.results
                if pages is not None and result.code is None
            }
            made = stamp(datetime.now(UTC))
            return fleet_html(self.results, self.action, pages=links, seconds=seconds, made=made)
        from reconciler.report.fleet_text import sum_text

        to_file = self.rendering.output is not None
        color = self.invocation.console.stdout_color and not to_file
        told = [self._line(result) for result in self.results] if to_file else []
        return "".join(told) + sum_text(self.results, self.action, seconds, color=color)

    def _write(self, text: str) -> None:
        from reconciler.report.output import write_output

        write_output(text, self.rendering.output)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Note the first output that is lost: the stores under way must not suffer from it."""
        try:
            yield
        except OutputError as error:
            self.lost = self.lost or error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror or error}.",
            hint="Name a folder that may be written to.",
        ) from None


def run_tasks(
    account: FleetAccount, running: Running, *, plans: Path | None = None, **given: Any
) -> int:
    """Run the task of each store of the account, and return the exit code of the command.

    `given` are further fields of each StoreTask. `plans` is the folder of the plans to apply.
    """
    from reconciler.cli.signals import stopping
    from reconciler.fleet.open import open_fleet
    from reconciler.fleet.task import StoreTask

    invocation, stop = account.invocation, Event()
    task = StoreTask(action=account.action, texts=account.texts, sandbox=running.sandbox, **given)
    with (
        stopping(stop, invocation.console) as stops,
        open_fleet(
            invocation.settings,
            task,
            account.stores,
            plans=plans,
            config=invocation.config,
            scheduler=running.scheduler,
            stop=stop,
            fail_fast=running.fail_fast,
        ) as results,
    ):
        # The workers end their calls in order, whatever they are doing.
        stops.finish_first()
        account.take(results)
    return account.close()
