"""Runs git as a command: without a shell, without prompts, and with a time limit.

Git runs in the working folder with that checkout's own configuration, so it reaches the remote with
the token or key that the pipeline's checkout left there. Variables that point git to another
repository, as hooks have them, are removed.
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
_BARE: Final = re.compile(r"cannot use bare repository '(.+?)'(?: |$)")
_TRACES: Final = ("GIT_TRACE", "GIT_CURL_VERBOSE")
# Variables that are hidden from git, so that it works on the folder that it runs in.
_ELSEWHERE: Final = frozenset(
    f"GIT_{name}"
    for name in (
        # Git sets these for hooks and aliases: they select another repository or another index
        # (`git rev-parse --local-env-vars`).
        *("DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "COMMON_DIR", "INDEX_FILE", "PREFIX"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH"),
        *("SHALLOW_FILE", "GRAFT_FILE", "NAMESPACE", "INTERNAL_SUPER_PREFIX"),
        *("NO_REPLACE_OBJECTS", "REPLACE_REF_BASE", "CONFIG", "CONFIG_PARAMETERS"),
        # These change what a path means.
        *("LITERAL_PATHSPECS", "GLOB_PATHSPECS", "NOGLOB_PATHSPECS", "ICASE_PATHSPECS"),
        # These change what git prints.
        *("EXTERNAL_DIFF", "DIFF_OPTS", "PAGER", "ATTR_SOURCE"),
    )
)
_QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "SSH_ASKPASS_REQUIRE": "never",
    "LC_ALL": "C",
    # Reading a checkout must not write to it, not even to its index.
    "GIT_OPTIONAL_LOCKS": "0",
}
# The user's hooks and maintenance must not run for this tool's own commands.
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
    # Display settings: even `--porcelain` output obeys some of them.
    "color.ui=false",
    "column.ui=never",
    "core.quotePath=false",
    "status.relativePaths=true",
    "diff.ignoreSubmodules=none",
    "log.follow=false",
    "log.mailmap=false",
    # A file watcher may be out of date, and then git would miss a changed file.
    "core.fsmonitor=false",
    "advice.detachedHead=false",
    # A folder of the catalogue may hold the files of a bare repository. Git would take its settings
    # from there, and these can name a command to run.
    "safe.bareRepository=explicit",
)


def without_credentials(text: str) -> str:
    """`text` without the user part and the query of each URL, since these may hold tokens."""
    return _QUERY.sub(r"\1…", _USER.sub("…@", text))


def credentials_in(remote: str) -> tuple[str, ...]:
    """The passwords and tokens in the URL of a git remote, as written and decoded."""
    scheme, divided, rest = remote.partition("://")
    if not divided:
        return ()
    network, _, query = rest.partition("?")
    user, at, _ = network.partition("/")[0].rpartition("@")
    name, colon, password = user.partition(":")
    # A user part without a colon is a token over http, but a plain user name over ssh.
    secret = password if colon else name if scheme.startswith("http") else ""
    found = [secret] if at else []
    found += [value for pair in query.split("&") if (value := pair.rpartition("=")[2])]
    return tuple(dict.fromkeys(form for text in found if text for form in (text, unquote(text))))


class GitResult(NamedTuple):
    """The exit code and the output of a git command, and its stderr without credentials."""

    code: int
    output: bytes
    complaint: str


def advice_on(result: GitResult) -> str | None:
    """What to do if git says that it refuses a folder, as another user's or a bare one."""
    if bare := _BARE.search(result.complaint):
        return (
            f"{bare[1]} holds the files of a bare git repository. A branch may have brought "
            "them, so git does not obey its settings. Remove `HEAD`, `config`, `objects` and "
            "`refs` if so; else work in a clone with a working tree."
        )
    if owned := _OWNED.search(result.complaint):
        return (
            "The checkout belongs to another user, so git refuses it. If you trust it: "
            f"`git config --global --add safe.directory {owned[1]}`."
        )
    return None


class Git:
    """Git in one working folder; each command may take `timeout` seconds."""

    def __init__(self, folder: Path, *, timeout: float = 120.0) -> None:
        self._folder = folder
        self._timeout = timeout

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self._folder

    def run(
        self, *arguments: str, data: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> GitResult:
        """Run `git arguments` with `data` as its input, and return any exit code.

        Raises GitError if git or the folder is missing, or if git takes too long.
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
        result = self.run(*arguments, data=data, environment=environment)
        if result.code != 0:
            raise GitError(
                f"`git {arguments[0]}` failed in {self._folder}: {result.complaint}",
                hint=self.advice() or "Run the command in a clone of the repository.",
            )
        return result.output

    def advice(self) -> str | None:
        """What to do if git refuses the folder, whatever it said of a command; None otherwise."""
        return advice_on(self.run("rev-parse", "--git-dir"))

    def text(self, *arguments: str, data: bytes = b"") -> str:
        """The output of `git arguments` as stripped text; GitError if it fails."""
        return self.read(*arguments, data=data).decode(errors="replace").strip()

    def _finish(
        self, process: "subprocess.Popen[bytes]", arguments: tuple[str, ...], data: bytes
    ) -> GitResult:
        try:
            output, complaint = process.communicate(data, timeout=self._timeout)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise GitError(
                f"`git {arguments[0]}` gave no answer within {self._timeout:g} seconds.",
                hint="Check that the git server is up, then run the command again.",
            ) from error
        except BaseException:
            _end(process)
            raise
        text = " ".join(complaint.decode(errors="replace").split())
        return GitResult(process.returncode, output, without_credentials(text))


def _environment() -> dict[str, str]:
    """The environment of this process, without variables that make git trace, ask or move."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in _ELSEWHERE and not key.startswith(_TRACES)
    }
    return kept | _QUIET


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a command with everything that it started."""
    # Windows has no process groups of this kind.
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    # communicate() also collects the exit status, so that no zombie stays.
    process.kill()
    process.communicate()
