"""What a store has for itself: its own settings over the general ones, and files of one store."""

from pathlib import Path

import pytest

from reconciler.codes import Code
from reconciler.errors import SettingsError
from reconciler.model import Location
from reconciler.planning.guard import Limit
from reconciler.reconcile.files import validate
from reconciler.reconcile.store import open_sandbox, open_store
from tests.test_settings import faults, load

GENERAL = """
prune: all
protected: ["gift-*"]
limits: {deletes: 10%, updates: 50%, floor: 3}
requests: {rate: 7, batch: 20}
lint: {not-nfc: error}
fleet: {parallel: 8, rate: 50}
stores:
  plain: {}
  own:
    prune: managed
    protected: []
    limits: {deletes: 2%}
    requests: {rate: null, timeout: 5}
    lint: {not_nfc: "off", http-image: warning}
    labels: {country: de}
    domain: Shop.Example
"""


def store_file(folder: Path, name: str, text: str = "") -> Path:
    """Write the settings of one store into its own folder."""
    file = folder / "shops" / name / "store.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_store_s_own_settings_replace_the_general_ones_key_by_key(tmp_path: Path) -> None:
    """A key that the store writes is its own, null and the empty list too; the others stay."""
    settings = load(tmp_path, GENERAL)
    own, plain = settings.for_store("own"), settings.for_store("plain")
    assert (own.prune, own.protected) == ("managed", ())
    assert own.limits.deletes == Limit(2, percent=True)
    assert (own.limits.updates, own.limits.floor) == (Limit(50, percent=True), 3)
    assert (own.requests.rate, own.requests.timeout, own.requests.batch) == (None, 5, 20)
    assert "not_nfc" in own.lint
    assert own.ruleset()._levels[Code.NOT_NFC] == "off"
    assert own.ruleset()._levels[Code.HTTP_IMAGE] == "warning"
    assert own.folder == tmp_path
    assert (plain.prune, plain.protected, plain.limits) == ("all", ("gift-*",), settings.limits)
    assert (settings.stores["own"].labels, settings.stores["own"].domain) == (
        {"country": "de"},
        "shop.example",
    )
    assert (settings.fleet.parallel, settings.fleet.rate) == (8, 50)
    assert settings.for_store("elsewhere") is settings


def test_the_environment_reaches_a_store_s_own_setting(tmp_path: Path) -> None:
    """A variable for one store wins over the file, and leaves the store's other keys."""
    environ = {"RECONCILER_STORES__OWN__LIMITS__DELETES": "5", "RECONCILER_FLEET__RATE": "null"}
    settings = load(tmp_path, GENERAL, environ)
    assert settings.for_store("own").limits.deletes == Limit(5)
    assert settings.for_store("own").prune == "managed"
    assert settings.fleet.rate is None


def test_an_open_store_works_by_its_own_settings(tmp_path: Path) -> None:
    """The store that is opened has its own settings, in the sandbox too."""
    settings = load(tmp_path, GENERAL, {"ROBOSIZE_API_KEY": "k"})
    with open_store(settings, "own") as store:
        assert store.settings.prune == "managed"
    with open_sandbox(settings, "own") as store:
        assert (store.name, store.settings.prune) == ("sandbox", "managed")


def test_faults_of_a_store_have_their_places_and_near_words(tmp_path: Path) -> None:
    """What is wrong in a store's own settings is told as it is in the general ones."""
    text = (
        "stores:\n  eu:\n    limits: {delets: 2%}\n    prune: some\n    domain: https://x.example\n"
        "    requests: {ca_bundle: nowhere.pem}\n    labels: {country: ''}\nfleet: {paralel: 3}\n"
    )
    found = {f.location: f.message for f in faults(tmp_path, text) if f.location}
    assert "did you mean `deletes`?" in found[Location("reconciler.yaml", 3, 14)]
    assert Location("reconciler.yaml", 4, 12) in found
    assert "the shop's domain alone" in found[Location("reconciler.yaml", 5, 13)]
    assert "did you mean `parallel`?" in found[Location("reconciler.yaml", 8, 9)]
    text = "stores: {eu: {requests: {ca_bundle: nowhere.pem}}}\n"
    (finding,) = faults(tmp_path, text)
    assert finding.location == Location("reconciler.yaml", 1, 37)


@pytest.mark.parametrize("own", [True, False])
def test_a_proxy_that_a_file_names_is_trusted_by_nobody(tmp_path: Path, own: bool) -> None:
    """The proxy on the way of a store's key is looked at, whichever of the two places has it."""
    proxy = "requests: {proxy: 'http://proxy.test:1'}"
    text = f"stores: {{eu: {{{proxy}}}}}" if own else f"{proxy}\nstores: {{eu: {{}}}}"
    settings = load(tmp_path, text, {"ROBOSIZE_API_KEY": "k"})
    with pytest.raises(SettingsError, match="must not go") as caught:
        _ = settings.store("eu").api_key
    (finding,) = caught.value.findings
    assert finding.message.startswith("`stores.eu.requests.proxy`" if own else "`requests.proxy`")
    assert finding.location


def test_a_file_of_one_store_is_named_by_its_folder(tmp_path: Path) -> None:
    """Included files are stores beside the declared ones, with paths below their own folder."""
    store_file(tmp_path, "acme-de", "api_key_env: DE_KEY\nprune: none\nlabels: {country: de}\n")
    store_file(tmp_path, "acme-fr", "catalog: goods\n")
    store_file(tmp_path, "acme-it").write_bytes(b"# nothing of its own\n")
    text = 'include: ["shops/*/store.yaml"]\nstores: {home: {}}\n'
    settings = load(tmp_path, text, {"DE_KEY": "k"})
    assert list(settings.stores) == ["home", "acme-de", "acme-fr", "acme-it"]
    assert settings.store("acme-de").catalog == tmp_path / "shops/acme-de/catalog"
    assert settings.store("acme-fr").catalog == tmp_path / "shops/acme-fr/goods"
    assert settings.store("home").catalog == tmp_path / "catalog"
    assert settings.for_store("acme-de").prune == "none"
    assert settings.store("acme-de").api_key.get_secret_value() == "k"
    only = load(tmp_path, "", {"RECONCILER_INCLUDE": "shops/*-de/store.yaml"})
    assert list(only.stores) == ["acme-de"]


def test_a_certificate_bundle_is_looked_for_beside_the_store_s_file(tmp_path: Path) -> None:
    """A relative ca_bundle in an included file is below that file's folder."""
    file = store_file(tmp_path, "eu", "requests: {ca_bundle: own.pem}\n")
    (file.parent / "own.pem").touch()
    settings = load(tmp_path, 'include: ["shops/*/store.yaml"]')
    assert settings.for_store("eu").requests.ca_bundle == Path("shops/eu/own.pem")


def test_faults_in_included_files_name_those_files(tmp_path: Path) -> None:
    """All faults of all files come at once, each at its line of its file."""
    store_file(tmp_path, "de", "prune: all\nlimits: {deletes: many}\nstores: {}\n")
    store_file(tmp_path, "fr", "prune: [\n")
    store_file(tmp_path, "main", "")
    store_file(tmp_path, "a b", "")
    text = 'include: ["shops/*/store.yaml"]\nstores:\n  main: {}\n'
    places = {str(f.location): f.message for f in faults(tmp_path, text)}
    assert "shops/de/store.yaml:2:19" in places
    assert "is not a setting" in places["shops/de/store.yaml:3:1"]
    assert any(place.startswith("shops/fr/store.yaml:") for place in places)
    assert "declared already at reconciler.yaml:3" in places["shops/main/store.yaml:1:1"]
    assert "is not a name for a store" in places["shops/a b/store.yaml:1:1"]


@pytest.mark.parametrize(
    "pattern", ["shops/*/shop.yaml", "/etc/*.yaml", "../*/store.yaml", "", "a" * 300]
)
def test_an_include_that_finds_nothing_is_told(tmp_path: Path, pattern: str) -> None:
    """A pattern without files, or one that leaves the working folder, is an error at its place."""
    found = faults(tmp_path, f'include: ["{pattern}"]\n')
    assert Location("reconciler.yaml", 1, 11) in {finding.location for finding in found}


def test_a_link_out_of_the_working_folder_is_not_read(tmp_path: Path) -> None:
    """An included file that is a link to elsewhere is refused, and nothing of it is shown."""
    outside = tmp_path / "outside.yaml"
    outside.write_text("hush: hush\n", encoding="utf-8")
    inside = tmp_path / "work"
    file = store_file(inside, "eu")
    file.unlink()
    file.symlink_to(outside)
    found = faults(inside, 'include: ["shops/*/store.yaml"]\n')
    assert any("a link that leaves" in finding.message for finding in found)
    assert not any("hush" in finding.message for finding in found)


def test_what_is_no_list_of_patterns_or_no_mapping_of_stores_is_told(tmp_path: Path) -> None:
    """An include or stores of the wrong kind is a fault, not a crash."""
    assert faults(tmp_path, "include: shops\n")
    assert faults(tmp_path, "include: [shops/*]\nstores: 5\n")


def test_validate_judges_a_catalogue_by_the_rules_of_each_of_its_stores(tmp_path: Path) -> None:
    """A level that one of two stores with one catalogue sets counts, as it will in its plan."""
    text = "stores: {a: {}, b: {}, c: {lint: {http-image: error}}}\n"
    (tmp_path / "catalog").mkdir()
    product = "store_id: '1'\nname: A\ntype: top\nimage_url: http://cdn.example/1.jpg\n"
    (tmp_path / "catalog" / "a.yaml").write_text(product, encoding="utf-8")
    found = validate(load(tmp_path, text))
    assert {f.severity for f in found if f.code is Code.HTTP_IMAGE} == {"error", "warning"}
