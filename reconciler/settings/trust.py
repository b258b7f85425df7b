"""The hosts that the key may go to: a file that any branch can change must not choose them.

Whoever may set the environment holds the key already; whoever may push a branch does not. So an
address from the environment is taken as it is, and one from a file only at a host that is
Robosize's, this machine, or named by the environment.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from reconciler.codes import Code
from reconciler.errors import SettingsError
from reconciler.hosts import host_of, is_loopback
from reconciler.model import Finding, Location
from reconciler.settings.model import API_URL_VARIABLE
from reconciler.settings.sources import TRUSTED_VARIABLE, KeyPath, Layer

_ROBOSIZE: Final = "robosize.com"
_NEVER: Final = re.compile(r"[\s/@?#*\\]")
"""What no host holds: a URL is told as a mistake, and so is a pattern, which is not understood."""


def trusted_hosts(environ: Mapping[str, str]) -> frozenset[str]:
    """The hosts that the environment trusts with the key: those listed, and ROBOSIZE_API_URL's.

    Raises SettingsError if an entry of the list is not a host.
    """
    listed = [entry.strip() for entry in environ.get(TRUSTED_VARIABLE, "").split(",")]
    hosts = {_host(entry) for entry in listed if entry}
    with suppress(ValueError):  # told as a fault of that setting
        hosts.add(host_of(environ.get(API_URL_VARIABLE, "").strip()))
    return frozenset(hosts - {""})


def _host(entry: str) -> str:
    """The host of an entry in the list; a port is passed over, since a host is trusted whole."""
    try:
        host = "" if _NEVER.search(entry) else host_of(f"//{entry}")
    except ValueError:
        host = ""
    if not host:
        raise SettingsError(
            f"{TRUSTED_VARIABLE} holds {entry!r}, which is not a host.",
            hint="Write host names with commas between: "
            f"{TRUSTED_VARIABLE}=robosize.shop.example,proxy.shop.example",
        )
    return host


def is_trusted(host: str, trusted: frozenset[str]) -> bool:
    """Whether the key may go to `host`: Robosize's, this machine, or one of those `trusted`."""
    # With the dot: evil-robosize.com ends in the same letters.
    own = host == _ROBOSIZE or host.endswith(f".{_ROBOSIZE}")
    return own or is_loopback(host) or host in trusted


def untrusted(
    addresses: Mapping[KeyPath, str], layers: Sequence[Layer], trusted: frozenset[str]
) -> Iterator[Finding]:
    """A finding for each address to which a file would send the key without being trusted.

    `addresses` are known by the path of their setting; of `layers` the strongest comes first, and
    the file's last.
    """
    *stronger, file = layers
    for path, address in addresses.items():
        host = host_of(address)
        # A flag or a variable that overrides the file's address is trusted as it is.
        from_file = file.holds(path) and not any(layer.holds(path) for layer in stronger)
        if from_file and not is_trusted(host, trusted):
            at = file.locations.get(path)
            yield Finding(
                "error",
                Code.UNTRUSTED_HOST,
                f"`{'.'.join(path)}` names the host {host}, which nothing but this file trusts. "
                f"If the key may go there, set {TRUSTED_VARIABLE}={host} in the environment (in a "
                "pipeline: a variable of the project, not of a file).",
                at if isinstance(at, Location) else None,
            )
