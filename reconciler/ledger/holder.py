"""Holder: the run that holds a store, and whether it is known to be dead or alive."""

import getpass
import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.clock import SystemClock, stamp
from reconciler.errors import Locked


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that holds a store: its user, host, process and start.

    `boot` and `namespace` identify the running kernel and the pid namespace, since containers may
    share host names; `started` identifies the process, since pids are reused. Each is "" if
    the system does not provide it.
    """

    who: str
    host: str
    pid: int
    since: str
    started: str = ""
    boot: str = ""
    namespace: str = ""

    @classmethod
    def here(cls, who: str | None = None, *, since: datetime | None = None) -> "Holder":
        """The running process; by default with the name of its user, starting now."""
        pid = os.getpid()
        return cls(
            who=who or _user(),
            host=socket.gethostname(),
            pid=pid,
            since=stamp(since or SystemClock().utc()),
            started=_started(pid) or "",
            boot=_boot(),
            namespace=_namespace(),
        )

    @classmethod
    def decode(cls, data: bytes) -> "Holder":
        """The holder that `encode` wrote; UNKNOWN_HOLDER if the data is damaged."""
        try:
            record = json.loads(data)
        except (ValueError, RecursionError):
            # Whoever may push may have written this: damage must not keep a lock for ever.
            record = None
        if not isinstance(record, dict) or not isinstance(record.get("pid"), int):
            return UNKNOWN_HOLDER
        names = {field.name for field in fields(cls)} - {"pid"}
        texts: dict[str, Any] = {name: str(record.get(name, "")) for name in names}
        return cls(pid=record["pid"], **texts)

    def encode(self) -> bytes:
        """The holder as JSON, one key per line."""
        return (json.dumps(asdict(self), ensure_ascii=True, indent=1) + "\n").encode()

    def __str__(self) -> str:
        return f"{self.who} on {self.host} (process {self.pid}) since {self.since}"

    @property
    def same_machine(self) -> bool:
        """Whether the run is on this machine: the same running kernel, or the same host name."""
        # Containers on one kernel have host names of their own.
        if self.boot and self.boot == _boot():
            return True
        return bool(self.host) and self.host == socket.gethostname()

    @property
    def judgeable(self) -> bool:
        """Whether this process can find out if the run is alive."""
        return (
            os.name == "posix"
            and self.same_machine
            and self.pid > 0
            # A pid means nothing after a restart, or in another container.
            and (self.boot, self.namespace) == (_boot(), _namespace())
        )

    @property
    def dead(self) -> bool:
        """Whether the run is known to be over."""
        return self.judgeable and not self._lives()

    @property
    def alive(self) -> bool:
        """Whether the run is known to be running."""
        return self.judgeable and self._lives()

    def _lives(self) -> bool:
        try:
            # Signal 0 only tests whether the process exists.
            os.kill(self.pid, 0)
        # Anybody who may push wrote the number; no process has one that the system cannot take.
        except (ProcessLookupError, OverflowError):
            return False
        # It exists, but belongs to another user.
        except PermissionError:
            return True
        started = _started(self.pid)
        return started is None or not self.started or started == self.started


UNKNOWN_HOLDER = Holder(who="an unknown run", host="", pid=0, since="an unknown time")


def locked(store: str, holder: Holder | None) -> Locked:
    """The error for a run that finds `store` held by another."""
    by = "another run" if holder is None else str(holder)
    return Locked(
        f"The store {store!r} is held by {by}.",
        hint="Wait for that run, for instance with --lock-timeout SECONDS; a lock that is not "
        "renewed for five minutes of that wait is taken over. If that run is dead, "
        f"`reconciler unlock --store {store}` frees its lock.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user often has no name
        return "an unnamed user"


def _started(pid: int) -> str | None:
    """The start of a process in ticks since boot; "" for a zombie, None if it is not known."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second column is the program's name in brackets, and may itself hold blanks and brackets.
    columns = status.rpartition(")")[2].split()
    return "" if columns[0] in "ZX" else columns[19]


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def _namespace() -> str:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return ""
