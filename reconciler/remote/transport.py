"""One call over the wire: the only place that builds a URL and that touches requests and urllib3.

Their exceptions hold the URL, and the URL holds the key; so none leaves this module, not even as
the context of another: each is mapped outside of its `except` block.
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from reconciler.clock import Clock
from reconciler.errors import RemoteError, Unreachable
from reconciler.remote.redaction import Redactor

Method: TypeAlias = Literal["GET", "POST", "PATCH", "DELETE"]

_CHUNK: Final = 1 << 20
_LARGEST_ANSWER: Final = 256 << 20
_DRIP_FACTOR: Final = 10
"""An answer may take this many read timeouts in all: a slow server is not a dead one."""

_TIMEOUTS: Final = (urllib3.exceptions.TimeoutError, TimeoutError)


class Answer(NamedTuple):
    """What the server said. `retry_after` is the header's raw text."""

    status: int
    body: bytes
    content_type: str
    retry_after: str | None


class Transport:
    """Sends single calls to one endpoint with one key, over connections that are kept alive.

    `proxy` and `ca_bundle` are used only where the settings ask for them: the environment's
    proxies, certificates and .netrc are not looked at, so nothing reroutes a call with a key.
    """

    def __init__(
        self,
        api_url: str,
        key: str,
        *,
        timeout: float,
        connections: int,
        clock: Clock,
        proxy: str | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        self._url = api_url
        self._key = key
        self._redactor = Redactor([key])
        self._timeout = (min(timeout, 10.0), timeout)
        self._clock = clock
        self._verify: bool | str = ca_bundle or True
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._adapter = HTTPAdapter(
            pool_connections=1, pool_maxsize=connections, max_retries=Retry(0, read=False)
        )
        self._templates = {
            method: self._template(method) for method in ("GET", "POST", "PATCH", "DELETE")
        }

    def _template(self, method: str) -> requests.PreparedRequest:
        headers = {"Accept": "application/json", "User-Agent": "robosize-reconciler"}
        if method in ("POST", "PATCH"):
            headers["Content-Type"] = "application/json"
        request = requests.Request(method, self._url, headers=headers)
        return request.prepare()

    def send(
        self, method: Method, query: Mapping[str, str] = {}, body: bytes | None = None
    ) -> Answer:
        """Make one call and return the answer, whatever its status.

        Raises Unreachable where no whole answer came; nothing is repeated and no redirect followed.
        """
        request = self._templates[method].copy()
        request.url = f"{self._url}?{urlencode({'api_key': self._key, **query})}"
        if body is not None:
            request.body = body
            request.headers["Content-Length"] = str(len(body))
        failure: RemoteError
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=self._timeout,
                verify=self._verify,
                proxies=self._proxies,
            )
            try:
                return self._read(response)
            finally:
                response.close()
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            HTTPException,
            OSError,
            ValueError,
        ) as error:
            failure = self._mapped(method, error)
        except RemoteError as error:
            failure = error
        raise failure

    def _read(self, response: requests.Response) -> Answer:
        raw = response.raw
        deadline = self._clock.now() + _DRIP_FACTOR * self._timeout[1]
        parts: list[bytes] = []
        size = 0
        while part := raw.read(_CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > _LARGEST_ANSWER or self._clock.now() > deadline:
                what = "is larger than 256 MiB" if size > _LARGEST_ANSWER else "never ended"
                raise Unreachable(
                    f"The server's answer {what}.", may_have_landed=True, at_rest=False
                )
        return Answer(
            response.status_code,
            parts[0] if len(parts) == 1 else b"".join(parts),
            response.headers.get("Content-Type", ""),
            response.headers.get("Retry-After"),
        )

    def _mapped(self, method: Method, error: Exception) -> Unreachable:
        """The failure in our own words; the library's, which hold the URL, only where redacted."""
        what, hint, sent = _diagnose(error)
        timed_out = any(isinstance(cause, _TIMEOUTS) for cause in _causes(error))
        host = self._redactor.redact(self._url)
        return Unreachable(
            f"{method} {host}: {what}",
            hint=hint,
            may_have_landed=sent and method != "GET",
            at_rest=not sent,
            timed_out=timed_out,
        )

    def redact(self, text: str) -> str:
        """`text` without the key."""
        return self._redactor.redact(text)

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()


def _diagnose(error: Exception) -> tuple[str, str | None, bool]:
    """What happened, what to do, and whether the call may have reached the server."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        hint = (
            "Where a company proxy signs certificates, name its bundle as `requests: {ca_bundle:}`."
        )
        return "the server's certificate cannot be verified", hint, False
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
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "the TLS connection failed", "Check that the URL's port speaks TLS.", True
    if any(isinstance(cause, urllib3.exceptions.DecodeError) for cause in causes):
        return "the answer's compression is broken", None, True
    return "the connection broke before the whole answer came", None, True


def _causes(error: BaseException) -> list[BaseException]:
    """An exception with all that it wraps: requests and urllib3 nest the reason in arguments."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and not any(current is known for known in seen):
            seen.append(current)
            waiting += [getattr(current, "reason", None), current.__cause__, *current.args]
    return seen
