"""Tell systemd how a service is, over the socket that it names (sd_notify(3)); else do nothing."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Supervisor:
    """Sends states such as "READY=1" to the socket in NOTIFY_SOCKET, if there is one."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")

    def tell(self, *states: str) -> None:
        """Send states; a supervisor that cannot be reached is not an error."""
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        # An abstract socket begins with a zero byte, for which the variable has an @.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.sendto("\n".join(states).encode(), address)
