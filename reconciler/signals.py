"""Who hears of Ctrl-C, of a pipeline's SIGTERM and of a closed terminal's SIGHUP."""

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
    """Let `handler` have the signals from now on; returns the handlers that had them before.

    One that whoever started this process wants ignored, as nohup does with SIGHUP, stays so.
    """
    return {
        number: signal.signal(number, handler)
        for number in _SIGNALS
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN
    }


@contextmanager
def handled_by(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let `handle` have the signals until the block ends.

    Only the main thread can be told by signals; in any other this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = heed(handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
