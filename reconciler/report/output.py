"""Write rendered text: to files, whole or not at all, and to stdout.

Output that cannot be written is an error of its own (OutputError, exit 1), never a silent success:
a pipeline that lost the plan must not go on as if it had been read.
"""

import contextlib
import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from reconciler import durable
from reconciler.errors import OutputError

_PRIVATE = 0o600
# How many bytes are tried: the report of some hundred changes.
_ROOM = 64 * 1024
REDIRECT: Final = "Run it again with stdout in a file, on a disk that has room: `> FILE`."
"""What to do about a lost result of any command."""
TO_OUTPUT: Final = "Write it to a file instead: --output FILE."
"""What to do about it if the command has that option."""


def write_file(path: Path, text: str, *, private: bool = False) -> None:
    """Put `text` at `path` as UTF-8, atomically: readers see the old file or the new one, whole.

    `private` gives mode 0600, for plan files, which hold whole remote records; else the mode is
    what the process gives any new file. A device or a pipe is written to as it is. Raises
    OutputError; whatever was at `path` then is as it was.
    """
    # Remote text may hold lone surrogates, which UTF-8 has no bytes for.
    data = text.encode("utf-8", "backslashreplace")
    with _telling(path):
        # What a link names is replaced, so that the link stays one.
        target = path.resolve()
        # A file renamed onto /dev/stdout would replace the device.
        if _is_special(target):
            target.write_bytes(data)
            return
        if private:
            durable.replace(target, data, mode=_PRIVATE)
        else:
            durable.replace(target, data)


def try_file(path: Path) -> None:
    """Raise the OutputError that `write_file` would raise now, by writing beside `path`.

    Whatever is at `path` stays as it is, and nothing is left behind.
    """
    with _telling(path):
        target = path.resolve()
        if not _is_special(target):
            trial = target.with_name(f".reconciler-{os.urandom(8).hex()}.tmp")
            with durable.draft(trial, bytes(_ROOM)):
                trial.unlink()
        elif not target.is_fifo():  # opening a pipe would wait for its reader, and then end it
            descriptor = os.open(target, os.O_WRONLY)
            try:
                os.write(descriptor, b"")
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn what the system says into an OutputError about `path`."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: a ring of symbolic links
        raise OutputError(
            f"Cannot write {path}: {_reason(error)}.",
            hint="Check that the folder exists, that it may be written to, and that the disk"
            " has room.",
        ) from error


def _is_special(target: Path) -> bool:
    """Whether a folder, a device or a pipe is there."""
    return target.exists() and not stat.S_ISREG(target.stat().st_mode)


def write_stdout(text: str, stream: TextIO | None = None, *, hint: str = REDIRECT) -> None:
    r"""Write `text` to stdout (or `stream`) and flush it.

    Characters that the stream's encoding lacks are spelled `\xe9`. Raises OutputError, with the
    `hint`, if the stream is closed, its reader is gone, or its disk is full.
    """
    target = stream if stream is not None else sys.stdout
    # Python sets sys.stdout to None if the process began without it.
    if target is None:
        raise OutputError("Cannot write the result: stdout is closed.", hint=hint)
    try:
        _write(target, text)
    except (OSError, ValueError) as error:  # ValueError: the stream was closed in this process
        abandon(target)
        raise OutputError(
            f"Cannot write the result to stdout: {_reason(error)}.", hint=hint
        ) from error


def write_output(
    text: str, output: Path | None, *, private: bool = False, hint: str = TO_OUTPUT
) -> None:
    """Write `text` to the file `output`, or to stdout if that is None, which gets the `hint`."""
    if output is None:
        write_stdout(text, hint=hint)
    else:
        write_file(output, text, private=private)


def _write(stream: TextIO, text: str) -> None:
    """Write and flush, in the stream's own encoding."""
    # Text that waits in the upper layer must come before the bytes that go around it.
    stream.flush()
    encoding = getattr(stream, "encoding", None) or "utf-8"
    data = text.encode(encoding, "backslashreplace")
    binary = getattr(stream, "buffer", None)
    if binary is None:
        stream.write(data.decode(encoding))
    else:
        binary.write(data)
    stream.flush()


def abandon(stream: TextIO) -> None:
    """Discard what is still buffered: Python would fail over it once more when it ends.

    It would then exit with 120, whatever the command's own code is.
    """
    with contextlib.suppress(OSError, ValueError, io.UnsupportedOperation):
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, descriptor)
        finally:
            os.close(nowhere)


def _reason(error: Exception) -> str:
    """The system's words for what went wrong."""
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
