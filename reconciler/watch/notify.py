"""Notifier: sends events to the channels of their stores, by Apprise.

A channel is an Apprise URL in an environment variable. What goes wrong is told by the name of the
variable: the URL holds a token or a password.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from reconciler.installed import import_extra
from reconciler.report.escape import escape
from reconciler.watch.events import Event, Happening

if TYPE_CHECKING:
    from reconciler.settings import Settings

_TYPES: Final = {
    Happening.APPLIED: "success",
    Happening.DRIFT_GONE: "success",
    Happening.DRIFT_FOUND: "warning",
    Happening.REFUSED: "warning",
}
_LONGEST: Final = 1000


class Notifier:
    """Tells what happened; `complain` gets what could not be sent, once until it works again.

    `link` makes the address of a store's page. Raises MissingExtra if the settings have channels
    and Apprise is not installed.
    """

    def __init__(
        self, settings: "Settings", link: Callable[[str], str], complain: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._link = link
        self._complain = complain
        self._broken: set[str] = set()
        self._apprise: Any = None
        urls = settings.channels()
        if any(settings.for_store(store).notify for store in settings.stores):
            self._apprise = _apprise()
        self._urls = urls

    def tell(self, event: Event) -> None:
        """Send one event to every channel of its store; never raises."""
        for name in self._settings.for_store(event.store).notify:
            sent = self._sent(name, event)
            if sent:
                self._broken.discard(name)
            elif name not in self._broken:
                self._broken.add(name)
                why = "it could not be sent" if name in self._urls else "the variable is not set"
                self._complain(
                    f"No message to {name} about {event.store} ({event.kind}): {why}. Nothing is "
                    "told there until it works again."
                )

    def _sent(self, name: str, event: Event) -> bool:
        if name not in self._urls:
            return False
        # It may quote what a server or a catalogue says.
        text = escape(event.text)
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}…"
        try:
            channel = self._apprise.Apprise()
            return bool(
                channel.add(self._urls[name])
                and channel.notify(
                    title=f"{event.store}: {event.kind}",
                    body=f"{text}\n{self._link(event.store)}",
                    notify_type=_TYPES.get(event.kind, "failure"),
                    body_format="text",
                )
            )
        except Exception:  # of any of a hundred services; its text may hold the URL
            return False


def _apprise() -> Any:
    apprise = import_extra("apprise", "watch", needs="Messages need")
    # Its log repeats URLs.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return apprise
