"""Which hosts are this machine's own, and which host a URL names."""

import ipaddress
from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """The host of a URL, in lower case and without a final dot; "" if the URL has no host.

    Raises ValueError if the text is not a URL.
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
    # ::ffff:127.0.0.1 is the same address, written as IPv6.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
