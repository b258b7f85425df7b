"""A file that a branch can change chooses no host for the key (P5)."""

import subprocess
from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.git import credentials_in, without_credentials
from reconciler.hosts import is_loopback
from reconciler.sandbox.server import Sandbox
from reconciler.settings import load_settings
from tests.commands.here import Here
from tests.remote.servers import Server, reply
from tests.trust.conftest import KEY

EVIL = "stores: {default: {api_url: https://evil.example/p/, api_key_env: AWS_SECRET_ACCESS_KEY}}\n"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def write(folder: Path, text: str) -> None:
    """Make these the settings."""
    (folder / "reconciler.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "command",
    [
        ("plan",),
        ("apply", "--yes"),
        ("apply", "--dry-run"),
        ("status",),
        ("pull",),
    ],
    ids=" ".join,
)
def test_a_file_sends_no_key_to_a_host_of_its_own(
    folder: Path, here: Here, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Exit 1 before any call; the place, the host and the variable to set are named."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    write(folder, EVIL)
    done = here(*command)
    assert (done.code, done.out) == (1, "")
    assert "reconciler.yaml:1:29: " in done.err
    assert "the host evil.example" in done.err
    assert "RECONCILER_TRUSTED_HOSTS=evil.example" in done.err
    assert SECRET not in done.err


def test_what_needs_no_key_is_not_kept_from_working(folder: Path, here: Here) -> None:
    """Only the key is guarded: the catalogue can be checked whatever host the file names."""
    write(folder, EVIL)
    assert here("validate").code == 0


@pytest.mark.parametrize(
    ("host", "environ", "trusted"),
    [
        ("robosize.com", {}, True),
        ("api.robosize.com", {}, True),
        ("API.Robosize.COM.", {}, True),
        ("eu.api.robosize.com:8443", {}, True),
        ("evilrobosize.com", {}, False),
        ("robosize.com.evil.example", {}, False),
        ("robosize.co", {}, False),
        ("localhost:8765", {}, True),
        ("127.9.9.9", {}, True),
        ("[::1]:1", {}, True),
        ("[::ffff:127.0.0.1]", {}, True),
        ("10.0.0.1", {}, False),
        ("localhost.evil.example", {}, False),
        ("shop.example", {"RECONCILER_TRUSTED_HOSTS": "other.example, Shop.Example"}, True),
        ("[2001:db8::1]", {"RECONCILER_TRUSTED_HOSTS": "[2001:db8::1]"}, True),
        ("below.shop.example", {"RECONCILER_TRUSTED_HOSTS": "shop.example"}, False),
        ("shop.example", {"RECONCILER_TRUSTED_HOSTS": ""}, False),
        ("shop.example", {"RECONCILER_TRUSTED_HOSTS": "shop.example:8443"}, True),
        ("shop.example", {"ROBOSIZE_API_URL": "https://shop.example/other/"}, True),
        ("elsewhere.example", {"ROBOSIZE_API_URL": "https://shop.example/"}, False),
    ],
)
def test_which_hosts_are_trusted(
    tmp_path: Path, host: str, environ: dict[str, str], trusted: bool
) -> None:
    """Robosize's and below, this machine, ROBOSIZE_API_URL's, and those that are listed."""
    write(tmp_path, f"stores: {{other: {{api_url: 'https://{host}/p/', api_key_env: OWN_KEY}}}}\n")
    settings = load_settings(environ={"OWN_KEY": KEY, **environ}, folder=tmp_path)
    if trusted:
        assert settings.store().api_key.get_secret_value() == KEY
    else:
        with pytest.raises(SettingsError, match="must not go"):
            _ = settings.store().api_key


def test_an_address_of_the_environment_is_trusted(tmp_path: Path) -> None:
    """Who sets a variable could set the key's too: such an address stands over the file's."""
    write(tmp_path, "stores: {default: {api_url: https://evil.example/p/}}\n")
    for variable in ("ROBOSIZE_API_URL", "RECONCILER_STORES__DEFAULT__API_URL"):
        environ = {"ROBOSIZE_API_KEY": KEY, variable: "https://shop.example/p/"}
        store = load_settings(environ=environ, folder=tmp_path).store()
        assert store.api_url == "https://shop.example/p/"
        assert store.api_key.get_secret_value() == KEY


def test_a_proxy_of_a_file_is_held_to_the_same(tmp_path: Path) -> None:
    """With certificates that a file names too, a proxy can read the key."""
    write(tmp_path, "requests: {proxy: 'http://evil.example:3128'}\n")
    environ = {"ROBOSIZE_API_KEY": KEY}
    with pytest.raises(SettingsError) as caught:
        _ = load_settings(environ=environ, folder=tmp_path).store().api_key
    (finding,) = caught.value.findings
    assert "`requests.proxy` names the host evil.example" in finding.message
    for more in (
        {"RECONCILER_TRUSTED_HOSTS": "evil.example"},
        {"RECONCILER_REQUESTS__PROXY": "http://proxy.example:3128"},
    ):
        settings = load_settings(environ=environ | more, folder=tmp_path)
        assert settings.store().api_key.get_secret_value() == KEY


@pytest.mark.parametrize("entry", ["https://shop.example", "*.shop.example", "a b", "u@h", "//"])
def test_a_list_that_holds_no_hosts_is_an_error(tmp_path: Path, entry: str) -> None:
    """A slip in the list is told; it never trusts more, or silently less."""
    environ = {"RECONCILER_TRUSTED_HOSTS": f"ok.example,{entry}"}
    with pytest.raises(SettingsError, match="RECONCILER_TRUSTED_HOSTS holds"):
        load_settings(environ=environ, folder=tmp_path)


def test_a_file_cannot_trust_a_host(tmp_path: Path) -> None:
    """The list is no setting: a branch cannot lengthen it."""
    write(tmp_path, "trusted_hosts: [evil.example]\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={}, folder=tmp_path)
    assert "`trusted_hosts` is not a setting" in caught.value.findings[0].message


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("::1", True), ("LocalHost.", True), ("127.0.0.1.example", False)],
)
def test_which_hosts_are_this_machine(host: str, own: bool) -> None:
    """Loopback addresses and their one name, not what a name server may say."""
    assert is_loopback(host) is own


def test_the_proxy_never_sees_this_machine(
    folder: Path, remote: Sandbox, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan at a loopback address or of the embedded sandbox goes past `requests.proxy`."""
    with Server(lambda _: reply(502)) as proxy:
        address = proxy.url.removesuffix("/api/v1/product/")
        write(folder, f"requests: {{proxy: '{address}'}}\n")
        monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
        assert here("plan").code == 0
        assert here("plan", "--sandbox").code == 0
        assert proxy.calls == []


ADDRESSES = [
    ("https://oauth2:TOKEN-glpat-123@git.example/x.git", "TOKEN-glpat-123"),
    ("https://TOKEN-ghp-123@git.example/x.git", "TOKEN-ghp-123"),
    ("https://u:TOKEN%2Fp@ss@git.example/x.git", "TOKEN%2Fp@ss"),
    ("https://git.example/x.git?private_token=TOKEN-123", "TOKEN-123"),
    ("ssh://git:TOKEN-123@git.example/x.git?a=b&token=TOKEN-456", "TOKEN-456"),
]


@pytest.mark.parametrize(("address", "secret"), ADDRESSES)
def test_credentials_of_an_address_are_masked(address: str, secret: str) -> None:
    """What stands before the host or in the query is masked, wherever the address stands."""
    assert secret in credentials_in(address)
    text = without_credentials(f"fatal: unable to access '{address}/': timed out")
    assert "TOKEN" not in text
    assert "git.example/x.git" in text
    assert text.endswith("': timed out")
    for plain in ("origin", "git@git.example:x.git", "ssh://git@git.example/x.git", "/a/b?c=d"):
        assert credentials_in(plain) == ()


@pytest.mark.parametrize(("address", "secret"), ADDRESSES[:4])
def test_no_output_holds_the_credentials_of_the_ledger(
    folder: Path,
    remote: Sandbox,
    capsys: pytest.CaptureFixture[str],
    here: Here,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    secret: str,
) -> None:
    """P5: a token in `ledger_remote` is in no error, hint or log, nor is it decoded there."""
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    monkeypatch.setenv("ROBOSIZE_API_URL", remote.url)
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "none")
    for text in (address, f"{address} blank"):
        write(folder, f"ledger: git\nledger_remote: {text!r}\n")
        for command in (
            ("plan",),
            ("apply", "--yes", "-v"),
            ("log",),
            ("unlock",),
            ("ledger", "show"),
            ("ledger", "move", "git", "file"),
            ("plan", "--log-format", "json"),
        ):
            done = here(*command)
            assert done.code == 1
            assert done.err
            assert "TOKEN" not in done.out + done.err, command


def test_a_line_break_of_somebody_else_is_escaped(
    capsys: pytest.CaptureFixture[str], folder: Path, here: Here
) -> None:
    """A lock's holder, whose name anybody who may push chooses, starts no line of its own."""
    origin = folder / "origin.git"
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    subprocess.run(["git", "init", "--quiet", "--bare", str(origin)], check=True)
    git = Git(folder)
    holder = rb'{"who": "x\n::error::obey\r\n##[error]\u202e", "host": "h\n::set-output::",'
    blob = git("hash-object", "-w", "--stdin", data=holder + rb' "pid": 1, "since": "\n::y"}')
    tree = git("mktree", data=f"100644 blob {blob}\tholder.json\n".encode())
    commit = git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit-tree", "-m", "x", tree)
    git("push", "--quiet", str(origin), f"{commit}:refs/reconciler/default")
    write(folder, f"ledger: git\nledger_remote: {origin}\n")
    with Sandbox(api_key=KEY) as shop, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROBOSIZE_API_URL", shop.url)
        held = here("apply", "--yes")
        assert (held.code, shop.store.calls()) == (1, [])
        freed = here("unlock")
    for text in (held.err, freed.out + freed.err):
        assert "::error::obey" in text
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
        assert "##[" not in text
        assert "\u202e" not in text


class Git:
    """Git in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, *arguments: str, data: bytes | None = None) -> str:
        """The output of one command, which must succeed."""
        done = subprocess.run(
            ["git", *arguments], cwd=self._folder, input=data, check=True, capture_output=True
        )
        return done.stdout.decode().strip()
