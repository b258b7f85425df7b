"""The settings: layers, defaults, faults with their places, and the key that never shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.codes import Code
from reconciler.errors import NoApiKey, SettingsError
from reconciler.model import Finding, Location
from reconciler.planning.guard import Limit
from reconciler.settings import DEFAULT_API_URL, Settings, load_settings
from reconciler.settings.model import normal_api_url
from reconciler.settings.section import parse_limit

FILE = "reconciler.yaml"


def load(
    folder: Path,
    text: str | None = None,
    environ: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Settings:
    """The settings of a file with this text, this environment and these flags."""
    if text is not None:
        (folder / FILE).write_text(text, encoding="utf-8")
    return load_settings(environ=environ or {}, folder=folder, overrides=overrides)


def faults(
    folder: Path, text: str = "", environ: Mapping[str, str] | None = None, **overrides: Any
) -> tuple[Finding, ...]:
    """The findings of settings that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        load(folder, text, environ, **overrides)
    return caught.value.findings


def test_defaults_need_no_file(tmp_path: Path) -> None:
    """Without file and environment there is one store at the documented URL, with these limits."""
    settings = load(tmp_path)
    store = settings.store()
    assert (store.name, store.api_url) == ("default", DEFAULT_API_URL)
    assert store.catalog == tmp_path / "catalog"
    assert settings.limits.for_guard().deletes == Limit(10, percent=True)
    assert (settings.prune, settings.ledger, settings.journal) == ("all", "file", 50)
    assert settings.requests.rate is None


def test_flags_over_environment_over_file(tmp_path: Path) -> None:
    """Each layer wins over the one below it, setting by setting."""
    text = "prune: managed\nledger: git\nrequests: {timeout: 7, retries: 1}\n"
    environ = {"RECONCILER_PRUNE": "none", "RECONCILER_REQUESTS__RETRIES": "2"}
    settings = load(tmp_path, text, environ)
    assert (settings.prune, settings.ledger) == ("none", "git")
    assert (settings.requests.timeout, settings.requests.retries) == (7, 2)
    assert load(tmp_path, text, environ, prune="all", catalog=None).prune == "all"


def test_everything_that_the_interface_shows_is_read(tmp_path: Path) -> None:
    """The example of the interface, with a URL in it, is legal as it stands."""
    text = """
catalog: catalog
prune: all
ledger: file
protected: ["gift-*"]
limits: {deletes: 10%, updates: 100%, floor: 5}
requests: {page_size: 200, concurrency: 16, batch: 100, timeout: 30, retries: 5, rate: null,
  settle: null}
requires: ">=1.0"
stores:
  default: {api_url: "https://api.shop.test/p", api_key_env: SHOP_KEY, catalog: goods}
"""
    environ = {"SHOP_KEY": "k", "RECONCILER_TRUSTED_HOSTS": "api.shop.test"}
    settings = load(tmp_path, text, environ)
    assert settings.protected == ("gift-*",)
    assert settings.store().api_url == "https://api.shop.test/p/"
    assert settings.store().catalog == tmp_path / "goods"
    assert settings.store().api_key.get_secret_value() == "k"


def test_an_empty_file_and_empty_variables_change_nothing(tmp_path: Path) -> None:
    """A file of comments and variables that are set to nothing leave the defaults."""
    environ = {"RECONCILER_PRUNE": " ", "ROBOSIZE_API_URL": ""}
    assert load(tmp_path, "# nothing yet\n", environ).store().api_url == DEFAULT_API_URL


def test_all_faults_at_once_with_their_places(tmp_path: Path) -> None:
    """Every fault of the file is a finding at its line and column; those of variables name them."""
    text = (
        "prnue: all\nlimits: {deletes: 110%, floor: x}\nrequests:\n  timeout: 0\n  page_size:\n"
        "protected: gift\nstores: {'a b': {}}\n"
    )
    environ = {"RECONCILER_PRUNE": "some", "RECONCILER_REQUESTS__BATHC": "1"}
    found = faults(tmp_path, text, environ)
    places = {(f.location.line, f.location.column): f.message for f in found if f.location}
    assert places[1, 1] == "`prnue` is not a setting; did you mean `prune`?"
    assert places[2, 19] == "`limits.deletes` must be at most 100%, not '110%'."
    assert places[2, 32] == "`limits.floor` must be a whole number, not 'x'."
    assert "greater than 0" in places[4, 12]
    assert "is empty" in next(message for place, message in places.items() if place[0] == 5)
    assert "must be a list" in places[6, 12]
    assert "is not a name for a store" in places[7, 10]
    elsewhere = sorted(f.message for f in found if f.location is None)
    assert [message.split(":")[0] for message in elsewhere] == [
        "environment variable RECONCILER_PRUNE",
        "environment variable RECONCILER_REQUESTS__BATHC",
    ]
    assert "did you mean `batch`?" in elsewhere[1]
    assert {f.code for f in found} >= {Code.UNKNOWN_FIELD, Code.BAD_SETTINGS}


@pytest.mark.parametrize(
    "text",
    [
        "limits: 5",
        "stores: {}",
        "stores: {eu: }",
        "stores: {EU: {}, eu: {}}",
        "stores: {a..b: {}}",
        "stores: {a.lock: {}}",
        "stores: {sandbox: {}}",
        "protected: ['']",
        "ledger_remote: --upload-pack=x",
        "limits: {deletes: 2.5}",
        "limits: {updates: many}",
        "requests: {timeout: nan}",
        "requests: {rate: 0}",
        "requests: {concurrency: 65}",
        "requests: {proxy: 'socks5://x'}",
        "requests: {proxy: 'http://[x'}",
        "requests: {ca_bundle: nowhere.pem}",
        "catalog: ' '",
        "journal: 0",
        "requires: newest",
        "stores: {default: {api_key_env: a-b}}",
        "[a, b]",
        "prune: [",
        "prune: all\nprune: none",
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_place(tmp_path: Path, text: str) -> None:
    """Each of these is an error at a line and column of the file."""
    found = faults(tmp_path, text)
    assert found
    assert all(isinstance(finding.location, Location) for finding in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policy: [{field: typ, one_of: a}]", "'typ' is not a field; did you mean `type`?"),
        ("policy: [{field: type, pattern: '(a'}]", "'(a' is not a pattern: unclosed group."),
        (
            "policy: [{require: type, in: tags=kids}]",
            "'tags=kids' is not an expression of --select; did you mean `tag=…`?",
        ),
        ("notify: CHAT", "must be a list, such as [one, two], not 'CHAT'."),
        ("imports: {shop: {format: shopify}}", "`imports.shop.format` must be 'auto', "),
        ("include: [nowhere/*.yaml]", "`include`: 'nowhere/*.yaml' matches no file."),
        ("include: shops", "`include` must be a list, such as [one, two], not 'shops'."),
    ],
)
def test_a_fault_is_told_once_and_as_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    """One slip is one fault, whose text says what is wrong with which value."""
    (found,) = faults(tmp_path, text)
    assert message in found.message


@pytest.mark.parametrize(
    "url",
    [
        "http://api.shop.test/p/",
        "http://127.0.0.1.evil.test/p/",
        "http://127.0.0.1\\@evil.test/p/",
        "https://user:word@api.shop.test/p/",
        "https://api.shop.test/p/?api_key=abc",
        "https://api.shop.test/p/?",
        "https://api.shop.test/p/#x",
        "https://api.shop.test:port/p/",
        "https://[::1/p/",
        "https:///p/",
        "ftp://api.shop.test/",
        "api.shop.test",
        "https://api shop.test/",
        "",
    ],
)
def test_a_url_that_would_leak_or_fail_is_refused(url: str) -> None:
    """No such URL is taken, and the complaint never holds it."""
    with pytest.raises(ValueError, match=r"must|is|has") as caught:
        normal_api_url(url)
    assert "evil" not in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://api.shop.test/p", "https://api.shop.test/p/"),
        ("HTTPS://api.shop.test/p//", "https://api.shop.test/p/"),
        (" https://api.shop.test\n", "https://api.shop.test/"),
        ("http://localhost:8000/p", "http://localhost:8000/p/"),
        ("http://127.0.0.2/p", "http://127.0.0.2/p/"),
        ("http://[::1]:8000/p", "http://[::1]:8000/p/"),
    ],
)
def test_a_url_gets_its_last_slash(url: str, normal: str) -> None:
    """The URL is the endpoint itself, with one slash at its end; loopback may be plain http."""
    assert normal_api_url(url) == normal


@given(st.integers(0, 100))
def test_a_limit_reads_back_as_written(number: int) -> None:
    """A percentage and a count read back from the text that they are shown as."""
    for limit in (Limit(number, percent=True), Limit(number)):
        assert parse_limit(str(limit)) == limit


def test_robosize_api_url_wins_over_the_file(tmp_path: Path) -> None:
    """The variable sets the URL of a store whose key is ROBOSIZE_API_KEY, as environment does."""
    environ = {"ROBOSIZE_API_URL": "http://127.0.0.1:9/p"}
    text = "stores: {default: {api_url: 'https://a.test/p/'}}\n"
    assert load(tmp_path, text, environ).store().api_url == "http://127.0.0.1:9/p/"
    assert load(tmp_path, "", environ).store().api_url == "http://127.0.0.1:9/p/"


def test_robosize_api_url_leaves_other_accounts_alone(tmp_path: Path) -> None:
    """A store with its own URL and its own key variable keeps its URL."""
    text = "stores: {eu: {api_url: 'https://eu.test/p/', api_key_env: EU_KEY}, us: {}}\n"
    settings = load(tmp_path, text, {"ROBOSIZE_API_URL": "http://localhost/p/"})
    assert settings.store("eu").api_url == "https://eu.test/p/"
    assert settings.store("us").api_url == "http://localhost/p/"


def test_a_bad_robosize_api_url_is_named(tmp_path: Path) -> None:
    """A fault in the variable names the variable and not its value."""
    (finding,) = faults(tmp_path, "", {"ROBOSIZE_API_URL": "https://h.test/?api_key=hush"})
    assert "ROBOSIZE_API_URL" in finding.message
    assert "hush" not in finding.message
    assert finding.code is Code.BAD_URL


def test_variables_reach_stores_lists_and_nothing(tmp_path: Path) -> None:
    """Store names match whatever their case and punctuation; lists are commas or JSON."""
    environ = {
        "RECONCILER_STORES__EU_WEST__CATALOG": "eu",
        "RECONCILER_PROTECTED": "gift-*, promo-*",
        "RECONCILER_REQUESTS__RATE": "null",
    }
    settings = load(tmp_path, "stores: {EU-west: {}}\nrequests: {rate: 3}\n", environ)
    assert settings.store("EU-west").catalog == tmp_path / "eu"
    assert settings.protected == ("gift-*", "promo-*")
    assert settings.requests.rate is None
    settings = load(tmp_path, "", {"RECONCILER_PROTECTED": '["a,b"]'})
    assert settings.protected == ("a,b",)
    assert faults(tmp_path, "", {"RECONCILER_PROTECTED": "[a"})


def test_a_variable_under_a_scalar_is_refused(tmp_path: Path) -> None:
    """Text where a mapping belongs is told, also where another variable goes below it."""
    environ = {"RECONCILER_REQUESTS": "5", "RECONCILER_REQUESTS__TIMEOUT": "3"}
    (finding,) = faults(tmp_path, "", environ)
    assert "RECONCILER_REQUESTS:" in finding.message


def test_the_key_is_stripped_and_never_shown(tmp_path: Path) -> None:
    """A pasted key loses its line break, and no text made of the settings holds it."""
    settings = load(tmp_path, "", {"ROBOSIZE_API_KEY": " hush-hush\n"})
    store = settings.store()
    assert store.api_key.get_secret_value() == "hush-hush"
    assert settings.keys() == ("hush-hush",)
    for text in (repr(settings), repr(store), str(store.api_key), settings.model_dump_json()):
        assert "hush" not in text


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_a_missing_key_is_told_when_it_is_asked_for(tmp_path: Path, key: str | None) -> None:
    """Settings without a key load; asking for the key says which variable to set."""
    store = load(tmp_path, "", {} if key is None else {"ROBOSIZE_API_KEY": key}).store()
    with pytest.raises(NoApiKey, match="ROBOSIZE_API_KEY") as caught:
        _ = store.api_key
    assert caught.value.hint


def test_a_key_in_the_file_gets_its_own_answer(tmp_path: Path) -> None:
    """A key in the file, or as a setting in the environment, is refused without repeating it."""
    text = "api_key: hush\nstores: {default: {api_key: hush, api_key_env: 'hush hush'}}\n"
    found = faults(tmp_path, text, {"RECONCILER_API_KEY": "hush"})
    assert len(found) == 3
    assert sum("a key must not be in a file" in finding.message for finding in found) == 2
    assert not any("hush" in finding.message for finding in found)


def test_requires_is_looked_at_before_anything_else(tmp_path: Path) -> None:
    """A file for another version says so, and not that its new settings are unknown."""
    with pytest.raises(SettingsError, match=r"require reconciler >=99") as caught:
        load(tmp_path, "requires: '>=99'\nnew_setting: 1\n")
    assert len(caught.value.findings) == 1
    assert load(tmp_path, "requires: '>=1.0,<99'\n").requires == ">=1.0,<99"


def test_a_store_is_found_or_told(tmp_path: Path) -> None:
    """The only store is meant where none is named; several without "default" must be named."""
    assert load(tmp_path, "stores: {eu: {}}\n").store().name == "eu"
    assert load(tmp_path, "stores: {eu: {}, default: {}}\n").store().name == "default"
    settings = load(tmp_path, "stores: {europe: {}, usa: {}}\n")
    with pytest.raises(SettingsError, match="several stores"):
        settings.store()
    with pytest.raises(SettingsError, match="no store 'eurpe'") as caught:
        settings.store("eurpe")
    assert "'europe'" in str(caught.value.hint)


def test_the_file_is_named_or_told(tmp_path: Path) -> None:
    """--config names another file; one that is missing, a folder, huge or misnamed is an error."""
    other = tmp_path / "other.yaml"
    other.write_text("prune: nome\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(config=Path("other.yaml"), environ={}, folder=tmp_path)
    assert caught.value.findings[0].location == Location("other.yaml", 1, 8)
    with pytest.raises(SettingsError, match="There is no settings file"):
        load_settings(config=Path("missing.yaml"), environ={}, folder=tmp_path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(config=tmp_path, environ={}, folder=tmp_path / "below")
    other.write_bytes(b"#" * (1 << 20) + b"#")
    with pytest.raises(SettingsError, match="larger than 1 MiB"):
        load_settings(config=other, environ={}, folder=tmp_path)
    (tmp_path / "reconciler.yml").touch()
    with pytest.raises(SettingsError, match=r"reconciler\.yml is not read"):
        load(tmp_path)


def test_a_bad_flag_is_named(tmp_path: Path) -> None:
    """A fault in an override names the flag."""
    (finding,) = faults(tmp_path, "", ledger_remote="-x")
    assert finding.message.startswith("--ledger-remote:")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    """Settings are frozen, so every part of a run sees the same ones."""
    settings = load(tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.prune = "none"  # type: ignore[misc]
