"""Invocation: the global options of one run, with its console, settings and progress display."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.console import ColorChoice, Console, LogFormat
from reconciler.errors import UsageError
from reconciler.progress import Progress

if TYPE_CHECKING:
    from reconciler.settings import Settings


@dataclass
class Invocation:
    """The global options, and what is made from them when it is first used."""

    config: Path | None = None
    color: ColorChoice = "auto"
    verbose: bool = False
    quiet: bool = False
    log_format: LogFormat = "text"
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    within: Path | None = None
    """The working folder; None means that of the process."""
    _warned: set[str] = field(default_factory=set)

    @cached_property
    def folder(self) -> Path:
        """The working folder; UsageError if it was removed."""
        if self.within is not None:
            return self.within
        try:
            return Path.cwd()
        except OSError as error:
            raise UsageError(
                f"The working folder cannot be found: {error.strerror}.",
                hint="Change to a folder that is there, then run the command again.",
            ) from None

    @cached_property
    def console(self) -> Console:
        """The console; not to be used before the options are parsed."""
        return Console(
            color=self.color,
            log_format=self.log_format,
            verbose=self.verbose,
            quiet=self.quiet,
            environ=self.environ,
        )

    @cached_property
    def settings(self) -> "Settings":
        """The settings; from here on their keys are masked in all output."""
        from reconciler.settings import load_settings

        settings = load_settings(config=self.config, environ=self.environ, folder=self.folder)
        # At once: the next line may print what holds a key (P5).
        self.console.mask(settings.keys())
        return settings

    @cached_property
    def progress(self) -> Progress:
        """The progress display that suits the console."""
        from reconciler.cli.progress import progress_for

        return progress_for(self.console)

    def warn_once(self, code: str, message: str) -> None:
        """Warn on stderr, unless this run has already done so for `code`."""
        if code not in self._warned:
            self._warned.add(code)
            # An annotation shows on the run's page, where the log is seldom opened.
            if self.environ.get("GITHUB_ACTIONS") == "true" and self.log_format == "text":
                from reconciler.report.github import annotation

                self.console.line(annotation("warning", message))
            else:
                self.console.say("warning", message, code=code)

    def end(self) -> None:
        """Remove the progress display."""
        # cached_property: do not make a display only to end it.
        if "progress" in self.__dict__:
            self.progress.finish()

    def check(self) -> None:
        """Raise UsageError if two options contradict each other or the working folder is gone."""
        if self.verbose and self.quiet:
            raise click.UsageError("--verbose and --quiet contradict each other.")
        # Ask for it now, so that every command fails in the same way without it.
        _ = self.folder


def invocation_of(context: click.Context) -> Invocation:
    """The Invocation of the run that `context` belongs to."""
    invocation = context.find_root().obj
    if not isinstance(invocation, Invocation):
        invocation = context.find_root().obj = Invocation()
    return invocation
