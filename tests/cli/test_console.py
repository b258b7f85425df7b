"""The console and the progress that stands on it."""

import io
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from reconciler.cli.console import Console, prepare_streams
from reconciler.cli.logs import start_logging
from reconciler.cli.progress import Bar, ProgressLines, progress_for
from reconciler.cli.signals import Stopping, stopping
from reconciler.progress import Silent


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class StoppedClock:
    """A clock that moves when it is told."""

    seconds = 0.0

    def now(self) -> float:
        """The seconds it was set to."""
        return self.seconds


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """All three streams as one terminal; within the test, since pytest sets its own before it."""
    stream = Terminal()
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


@pytest.fixture
def unlogged() -> Iterator[None]:
    """Puts the loggers back as they were."""
    names = ("reconciler", "urllib3")
    before = [(log := logging.getLogger(n), log.level, log.propagate) for n in names]
    yield
    for log, level, propagate in before:
        log.handlers, log.level, log.propagate = [], level, propagate


@pytest.mark.parametrize(
    ("choice", "environ", "colored"),
    [
        ("auto", {}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"NO_COLOR": ""}, True),
        ("auto", {"TERM": "dumb"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {}, False),
    ],
)
def test_colour_on_a_terminal(
    choice: str, environ: dict[str, str], colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself it honours NO_COLOR and dumb terminals; a flag wins over the environment."""
    on_terminal(monkeypatch)
    console = Console(color=choice, environ=environ)  # type: ignore[arg-type]
    assert (console.stdout_color, console.stderr_color) == (colored, colored)


def test_no_colour_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Unasked it puts no code into a file or a log, and the width of a pipe is none."""
    console = Console(environ={})
    console.say("warning", "Look.")
    assert capsys.readouterr().err == "warning: Look.\n"
    assert console.width is None
    assert not console.interactive


def test_a_terminal_is_seen_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal there is a width, a person to ask, and a bar."""
    terminal = on_terminal(monkeypatch)
    console = Console(environ={})
    assert console.width
    assert console.interactive
    assert console.animated
    console.say("error", "Bad.")
    assert "\x1b[31;1merror:\x1b[0m Bad." in terminal.getvalue()


@pytest.mark.parametrize("columns", [60, 120])
def test_messages_break_between_words_on_a_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal of any width gets whole words; a pipe gets one line."""
    message = "lengthy words " * 20
    monkeypatch.setenv("COLUMNS", str(columns))
    Console(environ={}).say("warning", message)
    assert capsys.readouterr().err == f"warning: {message}\n"
    monkeypatch.setattr("reconciler.cli.console._is_terminal", lambda stream: True)
    Console(environ={}).say("warning", message)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("\x1b[33mwarning:\x1b[0m lengthy")
    assert max(map(len, lines[1:])) <= columns
    assert " ".join(lines).split()[1:] == message.split()


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("y\n", True), ("YES\n", True), ("\n", False), ("no\n", False), ("", False), ("ja\n", False)],
)
def test_only_yes_is_yes(answer: str, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other answer, an end of input included, is a no."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert Console(environ={}).agreed("Go?") is agreed


def test_keys_are_masked_in_all_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The environment's key and those that settings name are masked, raw and encoded."""
    console = Console(environ={"ROBOSIZE_API_KEY": "hush hush\n"})
    console.mask(["other/key"])
    console.say("info", "hush hush, hush%20hush and other%2Fkey, ?api_key=else")
    console.line("hush+hush")
    err = capsys.readouterr().err
    assert not any(word in err for word in ("hush", "other", "else"))


@pytest.mark.usefixtures("unlogged")
def test_logs_go_to_stderr_and_libraries_stay_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """-v shows this package's log; urllib3's, whose lines hold URLs, is never heard."""
    console = Console(verbose=True, log_format="json", environ={})
    start_logging(console)
    logging.getLogger("urllib3.connectionpool").error("GET /?api_key=hush")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger("reconciler.x").log(level, "level %d", level)
    try:
        raise ValueError("inner")
    except ValueError:
        logging.getLogger("reconciler.x").exception("outer")
    records = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    levels = [record["level"] for record in records]
    assert levels == ["debug", "info", "warning", "error", "error"]
    assert records[-1]["message"] == "outer"
    assert "ValueError: inner" in records[-1]["traceback"]
    assert records[0]["logger"] == "reconciler.x"


@pytest.mark.usefixtures("unlogged")
def test_without_verbose_only_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """The default log is quiet."""
    start_logging(Console(environ={}))
    logging.getLogger("reconciler.x").info("quiet")
    logging.getLogger("reconciler.x").warning("loud")
    assert capsys.readouterr().err == "warning: loud\n"


def test_a_stderr_that_is_gone_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised where nobody can be told, and closed streams are no terminals."""
    console = Console(environ={})
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        console.say("info", "x")
        assert not console.animated
    prepare_streams()


def test_ascii_is_told_from_the_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stdout that lacks the plan's symbols is known beforehand."""
    for encoding, narrow in (("ascii", True), ("utf-8", False)):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        assert Console(environ={}).ascii is narrow


def test_lines_come_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """In a log a long phase is told now and then, a short one never."""
    clock = StoppedClock()
    lines = ProgressLines(Console(environ={}), clock)  # type: ignore[arg-type]
    lines.start("Listing", None)
    lines.advance(200)
    lines.start("Listing", 5000)
    clock.seconds = 6
    lines.advance(1000)
    lines.advance(1)
    lines.finish()
    clock.seconds = 20
    lines.advance(1)
    lines.start("Applying", None)
    clock.seconds = 30
    lines.advance(7)
    assert capsys.readouterr().err == "Listing: 1,200 of 5,000\nApplying: 7\n"


def test_lines_count_from_many_threads(capsys: pytest.CaptureFixture[str]) -> None:
    """No count is lost between threads."""
    clock = StoppedClock()
    lines = ProgressLines(Console(environ={}), clock)  # type: ignore[arg-type]
    lines.start("Applying", None)

    def work() -> None:
        for _ in range(500):
            lines.advance()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    clock.seconds = 9
    lines.advance()
    assert "Applying: 2,001\n" in capsys.readouterr().err


def test_a_bar_on_a_terminal_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar shows the phase and its count, and is taken away."""
    terminal = on_terminal(monkeypatch)
    progress = progress_for(Console(environ={}))
    assert isinstance(progress, Bar)
    progress.advance()
    progress.start("Listing [x]", 10)
    progress.advance(4)
    progress.start("Applying", None)
    progress.finish()
    progress.finish()
    assert "Listing [x]" in terminal.getvalue()


def test_progress_suits_the_console() -> None:
    """--quiet shows nothing, a pipe gets lines."""
    assert isinstance(progress_for(Console(quiet=True, environ={})), Silent)
    assert isinstance(progress_for(Console(environ={})), ProgressLines)


def test_the_first_signal_stops_patiently(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the first write a signal interrupts; after it, the work is let finish."""
    console, stop = Console(environ={}), threading.Event()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), stopping(stop, console):
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop.is_set()
    patient = threading.Event()
    with stopping(patient, console) as stops:
        stops.finish_first()
        os.kill(os.getpid(), signal.SIGINT)
    assert patient.is_set()
    assert "finishing the calls in flight" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_are_not_told_by_signals() -> None:
    """Outside the main thread the signals are left alone."""
    left: list[bool] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGINT)
        with stopping(threading.Event(), Console(environ={})):
            left.append(signal.getsignal(signal.SIGINT) is before)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    assert left == [True]


def test_the_second_signal_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is under way, a second signal ends the process with 130."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    stops = Stopping(stop := threading.Event(), Console(environ={}))
    stops.finish_first()
    stops.handle(signal.SIGTERM, None)
    assert stop.is_set()
    assert codes == []
    stops.handle(signal.SIGTERM, None)
    assert codes == [130]


def test_json_logs_hold_nothing_that_acts(capsys: pytest.CaptureFixture[str]) -> None:
    """P6: a pipeline's command or a bidi override in a text from elsewhere stays a text."""
    told = "##[error]x ##vso[y] \u202e \x9b31m"
    Console(log_format="json", environ={}).say("error", told, findings=[told])
    line = capsys.readouterr().err.rstrip("\n")
    assert line.isascii()
    assert line.isprintable()
    assert "##" not in line
    record = json.loads(line)
    assert (record["message"], record["findings"]) == (told, [told])
