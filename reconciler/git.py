"""Git as a command: run with argument lists, never prompting, never outlasting its time.

It runs in the working folder with that checkout's own configuration, so it reaches the remote
with whatever token or key the pipeline's checkout has left there. What the environment says of
another repository does not reach it: hooks are run with such variables.
"""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from reconciler.errors import GitError

_USER: Final = re.compile(r"(?<=://)[^/\s'\"]+@")
_QUERY: Final = re.compile(r"(?<=://)([^\s'\"?]*\?)[^\s'\"]+")
_OWNED: Final = re.compile(r"dubious ownership in repository at '(.+?)'(?: |$)")
_TRACES: Final = ("GIT_TRACE", "GIT_CURL_VERBOSE")
_ELSEWHERE: Final = frozenset(
    f"GIT_{name}"
    for name in (
        # What git sets for hooks and aliases, so that it works on another repository than the one
        # that the folder is in, or on another index of it (`git rev-parse --local-env-vars`).
        *("DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "COMMON_DIR", "INDEX_FILE", "PREFIX"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH"),
        *("SHALLOW_FILE", "GRAFT_FILE", "NAMESPACE", "INTERNAL_SUPER_PREFIX"),
        *("NO_REPLACE_OBJECTS", "REPLACE_REF_BASE", "CONFIG", "CONFIG_PARAMETERS"),
        # What makes paths mean something else.
        *("LITERAL_PATHSPECS", "GLOB_PATHSPECS", "NOGLOB_PATHSPECS", "ICASE_PATHSPECS"),
        # What changes what is printed.
        *("EXTERNAL_DIFF", "DIFF_OPTS", "PAGER", "ATTR_SOURCE"),
    )
)
"""Variables that git must not hear: it works on the folder that it is run in, and nothing else."""
_QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "LC_ALL": "C",
    # Looking at a checkout must not write to it, not even its index.
    "GIT_OPTIONAL_LOCKS": "0",
}
# Hooks and housekeeping belong to what people do in the checkout, not to what this tool does.
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
    # What people like to see, and programs must not: `--porcelain` obeys some of it.
    "color.ui=false",
    "column.ui=never",
    "core.quotePath=false",
    "status.relativePaths=true",
    "diff.ignoreSubmodules=none",
    "log.follow=false",
    "log.mailmap=false",
    # A program that watches the files is the user's own affair, and may be wrong.
    "core.fsmonitor=false",
    "advice.detachedHead=false",
)


def without_credentials(text: str) -> str:
    """`text` without what stands before the host of a URL, or in its query: tokens go there."""
    return _QUERY.sub(r"\1…", _USER.sub("…@", text))


def credentials_in(remote: str) -> tuple[str, ...]:
    """The passwords and tokens in the address of a git remote, as written and decoded."""
    scheme, divided, rest = remote.partition("://")
    if not divided:
        return ()
    network, _, query = rest.partition("?")
    user, at, _ = network.partition("/")[0].rpartition("@")
    name, colon, password = user.partition(":")
    # A name alone is a token over http, and a user's name over ssh.
    secret = password if colon else name if scheme.startswith("http") else ""
    found = [secret] if at else []
    found += [value for pair in query.split("&") if (value := pair.rpartition("=")[2])]
    return tuple(dict.fromkeys(form for text in found if text for form in (text, unquote(text))))


class Answer(NamedTuple):
    """What a git command left: its exit code, its output, and its complaint free of passwords."""

    code: int
    output: bytes
    complaint: str


class Git:
    """The git of one working folder; each command may take `timeout` seconds."""

    def __init__(self, folder: Path, *, timeout: float = 120.0) -> None:
        self._folder = folder
        self._timeout = timeout

    def run(
        self, *arguments: str, data: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> Answer:
        """Run `git arguments` with `data` as its input; any exit code is an answer.

        Raises GitError if there is no git, no folder, or no answer in time.
        """
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        try:
            process = subprocess.Popen(  # noqa: S603  (a list of arguments, no shell)
                ["git", *settings, *arguments],  # noqa: S607  (git is where the user has it)
                cwd=self._folder,
                env=_environment() | dict(environment or {}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Its own session: no terminal to prompt on, a Ctrl-C goes to this process alone,
                # and the ssh or https helper below git can be ended together with it.
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(
                f"git cannot be run in {self._folder}: {error.strerror or error}.",
                hint="Install git, and make it reachable by the PATH.",
            ) from error
        return self._finish(process, arguments, data)

    def read(
        self, *arguments: str, data: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> bytes:
        """The output of `git arguments`; GitError if the command fails."""
        answer = self.run(*arguments, data=data, environment=environment)
        if answer.code != 0:
            raise GitError(
                f"`git {arguments[0]}` failed in {self._folder}: {answer.complaint}",
                hint=self.advice() or "Run the command in a clone of the repository.",
            )
        return answer.output

    def advice(self) -> str | None:
        """What to do if git refuses the folder as another user's; None if it does not."""
        answer = self.run("rev-parse", "--git-dir")
        owned = _OWNED.search(answer.complaint) if answer.code != 0 else None
        if owned is None:
            return None
        return (
            "The checkout belongs to another user, so git refuses it. If you trust it: "
            f"`git config --global --add safe.directory {owned[1]}`."
        )

    def text(self, *arguments: str, data: bytes = b"") -> str:
        """The output of `git arguments` as stripped text; GitError if it fails."""
        return self.read(*arguments, data=data).decode(errors="replace").strip()

    def _finish(
        self, process: "subprocess.Popen[bytes]", arguments: tuple[str, ...], data: bytes
    ) -> Answer:
        try:
            output, complaint = process.communicate(data, timeout=self._timeout)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise GitError(
                f"`git {arguments[0]}` gave no answer within {self._timeout:g} seconds.",
                hint="Look whether the git server is up, then run the command again.",
            ) from error
        except BaseException:
            _end(process)
            raise
        text = " ".join(complaint.decode(errors="replace").split())
        return Answer(process.returncode, output, without_credentials(text))


def _environment() -> dict[str, str]:
    """The environment of this process without what makes git talk, ask, or look elsewhere."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in _ELSEWHERE and not key.startswith(_TRACES)
    }
    return kept | _QUIET


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a command with everything that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()
