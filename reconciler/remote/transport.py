"""One call over the wire: the only module that builds a URL and that touches requests and urllib3.

Their exceptions hold the URL, and the URL holds the key; so none leaves this module, not even as
the context of another: each is mapped outside of its `except` block.
"""

import logging
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias
from urllib.parse import urlencode

import requests
import urllib3

from reconciler.clock import Clock
from reconciler.errors import BadAnswer, RemoteError, SettingsError, Unreachable
from reconciler.hosts import host_of, is_loopback
from reconciler.remote.calls import Calls
from reconciler.remote.connections import CALL_ERRORS, Connections
from reconciler.remote.redaction import RedactingFilter, Redactor, key_bytes

Method: TypeAlias = Literal["GET", "POST", "PATCH", "DELETE"]

_CHUNK: Final = 1 << 16
"""Bytes read at a time, before decompression: a thousandfold of this is held at the most."""
_LARGEST_ANSWER: Final = 256 << 20
_DRIP_FACTOR: Final = 10
"""An answer may take this many read timeouts in all: a slow server is not a dead one."""

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": "robosize-reconciler",
}
_PROXY_VARIABLES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
# X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED; _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH of OpenSSL.
_EXPIRED: Final = frozenset({9, 10})
_MISMATCH: Final = frozenset({62, 64})
_TIMEOUTS: Final = (urllib3.exceptions.TimeoutError, TimeoutError)
_LOGGERS: Final = tuple(
    f"urllib3.{name}" for name in ("connection", "connectionpool", "poolmanager", "util.retry")
)


class Response(NamedTuple):
    """What the server said. `retry_after` and `date` are the headers' raw texts."""

    status: int
    body: bytes
    content_type: str
    retry_after: str | None
    date: str | None = None


class Transport(Protocol):
    """The seam to the network: what makes one call. Called from many threads."""

    def send(
        self, method: Method, query: Mapping[str, str] = {}, body: bytes | None = None
    ) -> Response:
        """Make one call and return the answer, whatever its status.

        Raises Unreachable if no whole answer came, BadAnswer if it is too large to be one; nothing
        is repeated and no redirect followed. What is raised does not hold the key; the answer may.
        """
        ...

    def close(self) -> None:
        """Close the kept connections."""
        ...


class HttpTransport:
    """Sends single calls to one endpoint with one key, over connections that are kept alive.

    `proxy` and `ca_bundle` are used only if the settings ask for them, and a proxy never for this
    machine's own addresses. The environment's proxies, certificates and .netrc are ignored.
    Raises SettingsError for a URL or a bundle that cannot be used.
    """

    def __init__(self, api_url: str, key: str, how: Calls, clock: Clock) -> None:
        self.redactor = Redactor([key])
        # Prepared once, since calls differ in method, query and body only.
        self._request = _prepared(api_url, self.redactor)
        self._url = str(self._request.url)
        self._key = key_bytes(key)
        verify = _usable_bundle(how.ca_bundle) if how.ca_bundle else True
        # Not a requests.Session, which reads proxies and .netrc and so could reroute a call with a
        # key.
        longest = _DRIP_FACTOR * how.timeout
        self._connections = Connections(
            *(self._url, how, clock, longest), count=how.concurrency, verify=verify
        )
        self._filter = RedactingFilter(self.redactor)
        for name in _LOGGERS:
            # On the loggers, not the handlers: a program that uses the library has handlers of its
            # own.
            logging.getLogger(name).addFilter(self._filter)

    def send(
        self, method: Method, query: Mapping[str, str] = {}, body: bytes | None = None
    ) -> Response:
        """As `Transport.send`."""
        request = self._request.copy()
        request.method = method
        # Set by hand: requests would decode and encode the key once more, and so change odd bytes.
        request.url = f"{self._url}?{urlencode({'api_key': self._key, **query})}"
        if method != "GET":
            request.headers["Content-Length"] = str(len(body or b""))
        if body is not None:
            request.headers["Content-Type"] = "application/json"
            request.body = body
        failure: RemoteError
        try:
            response = self._connections.ask(request)
            try:
                return self._read(method, response)
            finally:
                response.close()
        except CALL_ERRORS as error:
            failure = self._mapped(method, error)
        except RemoteError as error:
            failure = error
        # After the `except` block, or the library's error with the URL would be its context (P5).
        raise failure

    def _read(self, method: Method, response: requests.Response) -> Response:
        raw = response.raw
        parts: list[bytes] = []
        size = 0
        while part := raw.read(_CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > _LARGEST_ANSWER:
                raise BadAnswer(
                    f"{method}: status {response.status_code}, and an answer of more than "
                    f"{_LARGEST_ANSWER >> 20} MiB: {self.redactor.excerpt(parts[0])}",
                    hint="Check that ROBOSIZE_API_URL is the product endpoint itself.",
                    # A status came: the server may have done its work before it sent too much.
                    may_have_landed=method != "GET",
                    at_rest=False,
                )
        return Response(
            response.status_code,
            parts[0] if len(parts) == 1 else b"".join(parts),
            response.headers.get("Content-Type", ""),
            response.headers.get("Retry-After"),
            response.headers.get("Date"),
        )

    def _mapped(self, method: Method, error: Exception) -> Unreachable:
        """The failure in our own words: those of the library hold the URL."""
        what, hint, sent = diagnose(error)
        # Only a call that did not arrive can be due to a proxy that is missing.
        if not sent and not self._connections.proxies and not is_loopback(host_of(self._url)):
            hint = " ".join(filter(None, (hint, _unused_proxy())))
        timed_out = any(isinstance(cause, _TIMEOUTS) for cause in _causes(error))
        return Unreachable(
            f"{method} {self.redactor.redact(self._url)}: {what}.",
            hint=hint,
            may_have_landed=sent and method != "GET",
            at_rest=not sent,
            timed_out=timed_out,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._connections.close()
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self._filter)


def _prepared(text: str, redactor: Redactor) -> requests.PreparedRequest:
    """A call to the URL `text`, which is ASCII in it; SettingsError if that cannot be."""
    problem = "it does not begin with https:// or http://"
    if text.split() != [text]:
        # Versions of urllib3 differ: some encode a blank, some refuse it.
        problem = "it is empty, or has white space in it"
    elif text.startswith(("https://", "http://")):
        try:
            return requests.Request("GET", text, headers=_HEADERS).prepare()
        except (requests.RequestException, ValueError) as error:
            problem = redactor.redact(str(error))
    raise SettingsError(
        f"The API URL {redactor.redact(text)!r} cannot be used: {problem}.",
        hint="Set ROBOSIZE_API_URL to the product endpoint itself.",
    )


def _usable_bundle(path: str) -> str:
    """The path, if the certificates there can be read; SettingsError if not."""
    # Tried before the first call: else each call would fail on its own, as if the network were
    # down.
    store = {"capath" if Path(path).is_dir() else "cafile": path}
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**store)
    except OSError as error:
        raise SettingsError(
            f"The certificates in {path} cannot be read: {error.strerror or error}.",
            hint="`requests: {ca_bundle:}` names a file in PEM format.",
        ) from error
    return path


def diagnose(error: Exception) -> tuple[str, str | None, bool]:
    """What happened, what to do, and whether the call may have reached the server."""
    causes = list(_causes(error))
    broken_tls = [cause for cause in causes if isinstance(cause, ssl.SSLError)]
    for cause in broken_tls:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return *_bad_certificate(cause), False
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return (
            "the host's name cannot be resolved",
            "Check ROBOSIZE_API_URL and the network.",
            False,
        )
    if isinstance(error, requests.ConnectTimeout):
        return "no connection within the time limit", "Check the network or a firewall.", False
    if any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes):
        return "the proxy cannot be used", "Check `requests: {proxy:}`.", False
    if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes):
        return "no connection", "Check that the server runs, and ROBOSIZE_API_URL.", False
    if any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return "no answer within the time limit", "`requests: {timeout:}` sets it.", True
    if broken_tls:
        reason = (broken_tls[0].reason or "no reason given").replace("_", " ").lower()
        hint = "Check that the URL's port speaks TLS, and which versions."
        return f"the TLS connection failed ({reason})", hint, True
    if any(isinstance(cause, urllib3.exceptions.DecodeError) for cause in causes):
        return "the answer's compression is broken", None, True
    return "the connection broke before the whole answer came", None, True


def _bad_certificate(error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    """Why a certificate is refused, and what to do about it."""
    # Tests and TLS wrappers raise such errors by hand, and those lack what OpenSSL sets.
    reason = str(getattr(error, "verify_message", "no reason given")).strip().rstrip(".")
    number = getattr(error, "verify_code", 0)
    hint = "If a company proxy signs certificates, name its bundle as `requests: {ca_bundle:}`."
    if number in _EXPIRED:
        hint = "The server needs a new certificate; check this machine's clock too."
    elif number in _MISMATCH:
        hint = "Check the host in ROBOSIZE_API_URL."
    return f"the server's certificate cannot be verified ({reason})", hint


def _unused_proxy() -> str | None:
    """What to set for a network with a proxy; None if the environment names none."""
    variable = next((name for name in _PROXY_VARIABLES if os.environ.get(name)), None)
    if variable is None:
        return None
    return (
        f"The environment has a proxy ({variable}), which is not used on its own: name it as "
        "`requests: {proxy:}`, and its certificates as `ca_bundle`."
    )


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and every exception that it wraps."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and not any(current is known for known in seen):
            seen.append(current)
            # requests and urllib3 put the reason into `reason` or among the arguments, not into a
            # cause.
            waiting += [getattr(current, "reason", None), current.__cause__, *current.args]
    return seen
