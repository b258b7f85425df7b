"""Which hosts are this machine's own, and which host a URL names."""

import ipaddress
from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """The host that a URL names, in small letters and without a last dot; "" if it names none.

    Raises ValueError for what cannot be read as a URL.
    """
    return (urlsplit(url).hostname or "").rstrip(".")


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, whatever a name server says."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # Written as ::ffff:127.0.0.1 it is the same address.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
