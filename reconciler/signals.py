"""Signal handlers for Ctrl-C, a pipeline's SIGTERM and a closed terminal's SIGHUP."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

_SIGNALS: Final = tuple(
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if (number := getattr(signal, name, None)) is not None
)


def heed(handler: "Callable[[int, FrameType | None], None] | signal.Handlers") -> dict[int, Any]:
    """Install `handler` for the signals; return the handlers that were replaced.

    A signal that the parent process had ignored, as nohup does with SIGHUP, stays ignored.
    """
    return {
        number: signal.signal(number, handler)
        for number in _SIGNALS
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN
    }


@contextmanager
def handled_by(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Install `handle` for the signals until the block ends.

    Outside the main thread this does nothing.
    """
    # Python delivers signals to the main thread only, and refuses handlers elsewhere.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = heed(handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
