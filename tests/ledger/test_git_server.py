"""The git ledger over http, with the token that a pipeline's checkout leaves in the clone."""

import os
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.errors import LedgerError, LedgerNotWritten
from reconciler.ledger.git import GitLedger
from tests.ledger.worlds import LEDGER, git, me

WRITER = "basic " + b64encode(b"token:may-write").decode()
READER = "basic " + b64encode(b"token:may-read").decode()


class GitServer(ThreadingHTTPServer):
    """Serves the repositories of one folder by git's own http backend."""

    daemon_threads = True
    projects: Path


class Handler(BaseHTTPRequestHandler):
    """Asks for a token on every request, and for the writer's to push."""

    server: GitServer

    def do_GET(self) -> None:
        """Answer the first request of a fetch or push."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Answer what follows."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            self._serve(b"".join(chunks))
        else:
            self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def _serve(self, body: bytes) -> None:
        token = self.headers.get("Authorization")
        if token not in {READER, WRITER}:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        elif "receive-pack" in self.path and token != WRITER:
            self.send_error(403)
        else:
            self._backend(body)

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env=os.environ
            | {
                "GIT_PROJECT_ROOT": str(self.server.projects),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REMOTE_USER": "ci",
                "REMOTE_ADDR": "127.0.0.1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().splitlines()]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def url(origin: Path) -> Iterator[str]:
    """Where the repository is served."""
    with GitServer(("127.0.0.1", 0), Handler) as server:
        server.projects = origin.parent
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{origin.name}"
        server.shutdown()
        thread.join()


def checkout(url: str, folder: Path, token: str) -> Path:
    """A shallow clone as a pipeline's checkout step leaves it: a detached HEAD and a header."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", url)
    if token:
        origin = url.rpartition("/")[0] + "/"
        git(folder, "config", f"http.{origin}.extraheader", f"AUTHORIZATION: {token}")
        git(folder, "fetch", "--quiet", "--no-tags", "--depth=1", "origin", "main")
        git(folder, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    return folder


def test_with_the_token_of_the_checkout(url: str, tmp_path: Path) -> None:
    """The checkout's own token is enough to read and write the ledger."""
    store = GitLedger(checkout(url, tmp_path / "ci", WRITER), store="default")
    with store.hold(timeout=0, holder=me()) as held:
        held.save(LEDGER, message="In doubt")
        held.save(LEDGER, message="Apply", last=True)
    fresh = GitLedger(checkout(url, tmp_path / "next", READER), store="default")
    assert fresh.load() == LEDGER
    assert [revision.subject for revision in fresh.history(2)] == ["Apply", "In doubt"]


def test_a_token_that_may_only_read(url: str, tmp_path: Path) -> None:
    """A token that may not push stops the apply before its first write, and says what to allow."""
    store = GitLedger(checkout(url, tmp_path / "ci", READER), store="default")
    with (
        store.hold(timeout=0, holder=me()) as held,
        pytest.raises(LedgerNotWritten, match=r"refused the push.*403") as caught,
    ):
        held.save(LEDGER, message="In doubt")
    assert "permissions: contents: write" in str(caught.value.hint)
    assert "may-read" not in str(caught.value)


def test_without_a_token(url: str, tmp_path: Path) -> None:
    """Without a token nothing asks for one: the command ends with an error."""
    store = GitLedger(checkout(url, tmp_path / "ci", ""), store="default")
    with pytest.raises(LedgerError, match="cannot be read from the remote"):
        store.load()
