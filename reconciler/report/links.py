"""Links and pictures that a page may hold: never a scheme that runs, never a password."""

import re
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from reconciler.model import Location

# No character that could end an attribute or a style, and no white space to hide behind.
_IMAGE: Final = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x20\x7f-\x9f]{1,2000}", re.IGNORECASE)

_LONGEST: Final = 2000


def image_source(url: object) -> str | None:
    """`url` if it is a plain http(s) address of at most 2,000 characters, else None."""
    if not isinstance(url, str) or not _IMAGE.fullmatch(url) or not url.isprintable():
        return None
    return url


def location_url(location: Location, repository_url: str | None, commit: str | None) -> str | None:
    """The page of `location` at the code host, or None if it cannot be known.

    `repository_url` is the web or clone address over http(s); a user name or a password in it,
    as pipelines have, is left out. GitLab and Bitbucket are known by their host names.
    """
    if not repository_url or not commit:
        return None
    parts = location.file.split("/")
    base = _repository(repository_url)
    # Outside of the repository there is no page, and a browser would resolve `..` to another one.
    if base is None or location.file.startswith("/") or ".." in parts:
        return None
    path = "/".join(quote(part, safe="", errors="backslashreplace") for part in parts)
    revision = quote(commit, safe="", errors="backslashreplace")
    host = urlsplit(base).netloc
    if "bitbucket" in host:
        url = f"{base}/src/{revision}/{path}#lines-{location.line}"
    else:
        middle = "-/blob" if "gitlab" in host else "blob"
        url = f"{base}/{middle}/{revision}/{path}#L{location.line}"
    return url if len(url) <= _LONGEST else None


def _repository(url: str) -> str | None:
    """The repository's own address, without credentials, query and `.git`."""
    try:
        split = urlsplit(url)
        host, port = split.hostname, split.port
    except ValueError:  # a port that is not a number, a broken IPv6 address
        return None
    if split.scheme not in ("http", "https") or not host:
        return None
    name = f"[{host}]" if ":" in host else host
    # Put together from parts, because `netloc` holds the user and the password.
    network = f"{name}:{port}" if port else name
    return urlunsplit((split.scheme, network, split.path.rstrip("/").removesuffix(".git"), "", ""))
