"""The shop's own rules about values: each kind fails and passes, at its exact place, everywhere."""

import json
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from reconciler.sandbox.server import Sandbox
from tests.project import ROOT

from .here import Here

GOOD = """\
products:
- store_id: "10482"
  name: Shirt
  type: top
  tags: [women, "season:2026"]
  image_url: https://cdn.shop/1.jpg
  x-owner: anna
"""

RULES = {
    "type-one-of": "{field: type, one_of: [top, bottom]}",
    "tags-one-of": '{field: tags, one_of: [women, men, "season:*"]}',
    "image-url-host": "{field: image_url, host: [cdn.shop, '*.example']}",
    "store-id-pattern": "{field: store_id, pattern: '[0-9]{5}(-[A-Z]+)?'}",
    "require-image-url-x-owner": "{require: [image_url, x-owner]}",
    "x-owner-one-of": "{field: x-owner, one_of: [anna, bea]}",
}
"""Each kind of rule, by the name that is made for it."""


def shop(folder: Path, policy: str, *, more: str = "", **files: str) -> None:
    """Write settings with this policy, and files of the catalogue."""
    (folder / "reconciler.yaml").write_text(f"policy:\n- {policy}\n{more}", encoding="utf-8")
    for name, text in files.items():
        path = folder / "catalog" / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(here: Here) -> list[Mapping[str, Any]]:
    """The findings of `validate`."""
    findings: list[Mapping[str, Any]] = json.loads(here("validate", "--format", "json").out)[
        "findings"
    ]
    return findings


@pytest.mark.parametrize(
    ("name", "before", "after", "at", "words"),
    [
        ("type-one-of", "type: top", "type: tpo", (4, 9), "Did you mean 'top'? Allowed: top, b"),
        ("tags-one-of", "[women,", "[womn,", (5, 10), "Tag 'womn' is not allowed. Did you mean"),
        ("tags-one-of", "season:", "saison:", (5, 17), "Tag 'saison:2026' is not allowed."),
        ("image-url-host", "cdn.shop/", "else.shop/", (6, 14), "'else.shop'. Allowed: cdn.shop"),
        ("store-id-pattern", "10482", "10482-a", (2, 13), "does not match [0-9]{5}(-[A-Z]+)?."),
        ("require-image-url-x-owner", "  x-owner: anna\n", "", (2, 3), "Add `x-owner:`"),
        ("require-image-url-x-owner", "https://cdn.shop/1.jpg", '""', (6, 14), "is empty"),
        ("x-owner-one-of", "anna", "ann", (7, 12), "x-owner 'ann' is not allowed."),
    ],
)
def test_each_kind_of_rule_in_each_format(
    name: str,
    before: str,
    after: str,
    at: tuple[int, int],
    words: str,
    folder: Path,
    here: Here,
) -> None:
    """A sound product passes; a broken one is told with the rule's name where the fault stands."""
    shop(folder, RULES[name], a=GOOD)
    assert found(here) == []
    shop(folder, RULES[name], a=GOOD.replace(before, after))
    line, column = at
    text = here("validate")
    assert text.code == 1
    first = text.out.splitlines()[0]
    assert first.startswith(f"catalog/a.yaml:{line}:{column}: error: ")
    assert first.endswith(f" [{name}]")
    assert words in first
    (finding,) = found(here)
    assert (finding["code"], finding["line"], finding["column"]) == (name, line, column)
    sarif = json.loads(here("validate", "--format", "sarif").out)["runs"][0]
    assert [rule["id"] for rule in sarif["tool"]["driver"]["rules"]] == [name]
    (result,) = sarif["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (result["ruleId"], region) == (name, {"startLine": line, "startColumn": column})
    annotated = here("validate", "--format", "github").out
    assert f"::error file=catalog/a.yaml,line={line},col={column}::" in annotated
    assert f"[{name}]" in annotated
    (issue,) = json.loads(here("validate", "--format", "gitlab").out)
    assert (issue["check_name"], issue["location"]["lines"]["begin"]) == (name, line)


def test_defaults_are_told_once_where_they_stand(folder: Path, here: Here) -> None:
    """What many products inherit is one finding, in the document or in the folder's file."""
    shop(
        folder,
        RULES["type-one-of"],
        a="defaults: {type: tpo}\nproducts:\n- {store_id: 1, name: A}\n- {store_id: 2, name: B}\n",
        kids___defaults="tags: []\ntype: bodysuit\n",
        kids__b="store_id: 3\nname: C\n",
    )
    assert [(f["file"], f["line"], f["column"]) for f in found(here)] == [
        ("catalog/a.yaml", 1, 18),
        ("catalog/kids/_defaults.yaml", 2, 7),
    ]


def test_a_list_that_an_alias_names_is_told_where_it_is_written(folder: Path, here: Here) -> None:
    """The tag stands at the anchor; products that merge or repeat another are found as well."""
    text = (
        "products:\n- &a\n  store_id: 1\n  name: A\n  tags: &t [women, wmn]\n"
        "- {store_id: 2, name: B, tags: *t}\n- <<: *a\n  store_id: 3\n  name: C\n"
    )
    shop(folder, RULES["tags-one-of"], a=text)
    assert [(f["line"], f["column"]) for f in found(here)] == [(5, 20)]


@pytest.mark.parametrize(
    ("where", "lines"),
    [
        ("file=catalog/a*", [1]),
        ("tag=kids", [1]),
        ("type=tpo", [1, 1]),
        ("2", [1]),
        ("'!2'", [1]),
        ("x-owner=anna", [1]),
        ("[type=tpo, tag=kids]", [1]),
        ("[type=tpo, '!tag=kids', '!2']", []),
    ],
)
def test_in_narrows_a_rule(where: str, lines: list[int], folder: Path, here: Here) -> None:
    """The expressions of --select say which products a rule is about; all of them must hold."""
    shop(
        folder,
        f"{{field: type, one_of: [top], in: {where}}}",
        a="{store_id: 1, name: A, type: tpo, tags: [kids], x-owner: anna}\n",
        b="{store_id: 2, name: B, type: tpo}\n",
    )
    assert [f["line"] for f in found(here)] == lines


def test_a_message_comes_first_and_a_level_decides(folder: Path, here: Here) -> None:
    """A rule that warns does not fail validate; `lint` changes its level or switches it off."""
    rule = "{require: type, level: warning, name: has-type, message: Sizes need a type.}"
    shop(folder, rule, a="{store_id: 1, name: A}\n")
    done = here("validate")
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        "catalog/a.yaml:1:2: warning: Sizes need a type. type is missing. Add `type:`, or a "
        "default. [has-type]",
    )
    shop(folder, rule, more="lint: {has-type: error}\n")
    assert here("validate").code == 1
    shop(folder, rule, more="lint: {has_type: off}\n")
    assert found(here) == []


def test_own_rules_are_listed_and_explained(folder: Path, here: Here) -> None:
    """`validate --rules` and `explain NAME` know them, with the YAML that made them."""
    shop(folder, RULES["type-one-of"], a=GOOD)
    rules = json.loads(here("validate", "--rules", "--format", "json").out)["rules"]
    assert rules[-1]["id"] == "type-one-of"
    told = here("explain", "type-one-of")
    assert 'one_of: ["top", "bottom"]' in told.out
    assert "lint: {type-one-of: off}" in told.out
    assert here("explain", "type-one-of-").code == 1
    (folder / "reconciler.yaml").write_text("prnue: all\n", encoding="utf-8")
    assert "There is no code" in here("explain", "type-one-of").err
    assert here("explain", "bad_settings").code == 0


def test_a_plan_stops_at_an_error_and_sums_up_warnings(folder: Path, here: Here) -> None:
    """Errors of a policy end plan and apply with exit 1; warnings are one for each rule."""
    text = "products:\n- {store_id: 1, name: A, type: x}\n- {store_id: 2, name: B, type: y}\n"
    shop(folder, RULES["type-one-of"], a=text)
    done = here("plan", "--sandbox")
    assert (done.code, done.err.count("[type-one-of]")) == (1, 2)
    shop(folder, RULES["type-one-of"], more="lint: {type-one-of: warning}\n")
    done = here("plan", "--sandbox")
    assert done.code == 0
    assert done.err.count("[type-one-of]") == 1
    assert "1 more values break this rule" in done.err


def test_a_store_has_its_own_policy(folder: Path, here: Here) -> None:
    """It replaces the general one, and each catalogue is checked by the rules of its stores."""
    shop(
        folder,
        RULES["type-one-of"],
        more="stores:\n  one: {catalog: catalog/one}\n"
        "  two: {catalog: catalog/two, policy: [{field: type, one_of: [coat]}]}\n",
        one__a="{store_id: 1, name: A, type: coat}\n",
        two__a="{store_id: 1, name: A, type: coat}\n",
    )
    assert [f["file"] for f in found(here)] == ["catalog/one/a.yaml"]


@pytest.mark.parametrize(
    ("policy", "at", "words"),
    [
        ("{field: typo, one_of: [x]}", "2:11", "is not a field; did you mean `type`?"),
        ("{field: type}", "2:3", "needs one of `one_of`, `host` and `pattern`"),
        ("{field: type, one_of: [x], pattern: y}", "2:3", "needs one of"),
        ("{field: type, host: x}", "2:3", "write `field: image_url`"),
        ("{field: store_id, pattern: '(a'}", "2:30", "is not a pattern: unclosed group"),
        ("{field: store_id, pattern: 'a)|(b'}", "2:30", "is not a pattern: unopened group"),
        ("{field: store_id, pattern: '(?=a)'}", "2:30", "look-around"),
        ("{field: store_id, pattern: '(a{999}){999}'}", "2:30", "exceeds size limit"),
        ("{one_of: [x]}", "2:3", "begin it with `field`, `require` or `plan`"),
        ("{require: type, field: type}", "2:3", "write two entries"),
        ("{plan: delete}", "2:3", "needs one of `never` and `at_most`"),
        ("{plan: create, never: fabric}", "2:3", "is about `plan: delete`"),
        ("{plan: create, field: type, at_most: 1}", "2:3", "only with `plan: update`"),
        ("{plan: update, require: type, at_most: 1}", "2:3", "write two entries"),
        ("{plan: update, at_most: 5%, in: file=a*}", "2:3", "write a number"),
        ("{plan: update, at_most: many}", "2:27", "must be a percentage"),
        ("{at_most: 1}", "2:3", "without `plan`"),
        ("{field: type, one_of: [x], name: Type Names}", "2:36", "small letters"),
        ("{field: type, one_of: [x], name: not-nfc}", "2:36", "name of another rule"),
        ("{field: type, one_of: [''], level: warning}", "2:26", "must not be empty"),
        ("{field: type, oneof: [x]}", "2:17", "did you mean `one_of`?"),
    ],
)
def test_faults_of_a_policy_have_their_place(
    policy: str, at: str, words: str, folder: Path, here: Here
) -> None:
    """A rule that cannot be meant is told with its line and what to write."""
    shop(folder, policy)
    done = here("validate")
    assert done.code == 1
    assert words in done.err
    assert f"reconciler.yaml:{at}: " in done.err


def test_rules_of_one_kind_are_numbered(folder: Path, here: Here) -> None:
    """Two rules that would be named alike get distinct names."""
    shop(folder, "{field: type, one_of: [x]}\n- {field: type, one_of: [x, y]}", a=GOOD)
    assert {f["code"] for f in found(here)} == {"type-one-of", "type-one-of-2"}


def test_no_pattern_can_hang(folder: Path, here: Here) -> None:
    """A pattern that takes other engines years takes no time here."""
    shop(folder, "{field: name, pattern: '(a+)+$'}", a=f"store_id: 1\nname: {'a' * 50_000}b\n")
    start = process_time()
    assert here("validate").code == 1
    assert process_time() - start < 5


def test_a_long_url_or_none_is_judged_by_its_host(folder: Path, here: Here) -> None:
    """Ports and paths do not count, and an empty URL has no host to judge."""
    shop(
        folder,
        RULES["image-url-host"],
        a="{store_id: 1, name: A, image_url: 'https://CDN.shop:443?x'}\n",
        b="{store_id: 2, name: B, image_url: ''}\n",
        c="{store_id: 3, name: C, image_url: 'https://a.example/b'}\n",
    )
    assert found(here) == []


def test_apply_is_refused_until_the_rule_is_allowed(folder: Path, here: Here) -> None:
    """Plan shows the refusal and its flag; apply ends with 3 without it, saved plan or not."""
    shop(folder, "{plan: create, at_most: 0, name: no-news}", a=GOOD)
    planned = here("plan", "--sandbox", "--out", "plan.json")
    assert planned.code == 0
    assert "--allow no-news" in planned.out
    for arguments in (["--yes"], ["plan.json"]):
        refused = here("apply", "--sandbox", *arguments)
        assert refused.code == 3
        assert "--allow no-news" in refused.err
    assert here("apply", "--sandbox", "plan.json", "--allow", "no-new").code == 1
    assert here("apply", "--sandbox", "plan.json", "--allow", "no-news").code == 0


def test_the_editor_completes_and_flags_the_vocabulary(folder: Path, here: Here) -> None:
    """`schema` takes types and tags from the policy: strict if they hold for every product."""
    shop(
        folder,
        "{field: type, one_of: [top, '42', 'x-?']}\n"
        "- {field: tags, one_of: [women, 'season:*', 'size [!a-c]']}\n"
        "- {field: type, one_of: [dress], in: tag=women}\n"
        "- {field: name, one_of: [Shirt], level: warning}\n"
        "- {field: tags, one_of: [x], name: not-now}",
        more="lint: {not-now: off}\n",
    )
    validator = Draft202012Validator(json.loads(here("schema").out))

    def accepts(**fields: object) -> bool:
        return validator.is_valid({"store_id": "1", "name": "Coat", **fields})

    assert accepts(type="top", tags=["women", "season:2026", "size d"])
    assert accepts(type=42)
    assert accepts(type="x-1")
    assert not accepts(type="x-12")
    assert not accepts(type="tpo")
    assert not accepts(tags=["season"])
    assert not accepts(tags=["size b"])
    printed = here("schema").out
    assert '"dress"' in printed
    assert '"Shirt"' in printed
    assert not Draft202012Validator(json.loads(here("schema", "defaults").out)).is_valid(
        {"type": "tpo"}
    )


def test_init_and_pull_tell_the_editor_its_schema(folder: Path, here: Here) -> None:
    """The schema that init makes has the vocabulary, and new files name it in their first line."""
    shop(folder, "{field: type, one_of: [top]}", women__a=GOOD)
    assert here("init", "--ci", "none").code == 0
    assert '"top"' in (folder / ".schemas" / "catalog.json").read_text("utf-8")
    assert here("apply", "--sandbox", "--yes").code == 0
    (folder / "catalog" / "women" / "a.yaml").unlink()
    modeline = "# yaml-language-server: $schema="
    assert here("pull", "--sandbox", "--write").code == 0
    (pulled,) = (folder / "catalog").glob("*.yaml")
    assert pulled.read_text("utf-8").startswith(f"{modeline}../.schemas/catalog.json\n")
    pulled.unlink()
    assert here("pull", "--sandbox", "--write", "--into", "catalog/women/b.yaml").code == 0
    text = (folder / "catalog" / "women" / "b.yaml").read_text("utf-8")
    assert text.startswith(f"{modeline}../../.schemas/catalog.json\n")
    assert here("fmt", "--check").code == 0


def test_apply_leaves_alone_what_others_keep(
    folder: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tags and products of others survive an apply and a pull, and a second plan is empty."""
    settings = 'ignore: {tags: ["rs-*"], products: ["gift-*"]}\n'
    (folder / "reconciler.yaml").write_text(settings, encoding="utf-8")
    (folder / "catalog").mkdir()
    (folder / "catalog" / "a.yaml").write_text('{store_id: "1", name: A, tags: [new]}\n', "utf-8")
    with Sandbox(api_key="key") as sandbox:
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", "key")
        for store_id, tags in (("1", ("old", "rs-1")), ("gift-1", ())):
            sandbox.store.create({"store_id": store_id, "name": "A", "tags": tags})
        done = here("apply", "--yes")
        assert done.code == 0
        row, gift = sandbox.store.row("1"), sandbox.store.row("gift-1")
        assert row is not None
        assert row.value("tags") == ("new", "rs-1")
        assert gift is not None
        assert here("plan", "--detailed-exitcode").code == 0
        assert "gift" not in here("plan").out
        before = (folder / "catalog" / "a.yaml").read_bytes()
        assert here("pull", "--write").code == 0
    assert [path.name for path in (folder / "catalog").iterdir()] == ["a.yaml"]
    assert (folder / "catalog" / "a.yaml").read_bytes() == before


def test_a_percentage_is_of_what_is_not_ignored(
    folder: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule and a limit of the same percentage judge by the same number of products."""
    more = "ignore: {products: ['gift-*']}\nlimits: {deletes: 10%, floor: 0}\n"
    shop(folder, "{plan: delete, at_most: 10%, name: few}", more=more, a=GOOD)
    with Sandbox(api_key="k") as sandbox:
        sandbox.store.seed([{"store_id": "10482", "name": "Shirt"}, {"store_id": "7", "name": "A"}])
        sandbox.store.seed([{"store_id": f"gift-{n}", "name": "Gift"} for n in range(20)])
        monkeypatch.setenv("ROBOSIZE_API_URL", sandbox.url)
        monkeypatch.setenv("ROBOSIZE_API_KEY", "k")
        refused = json.loads(here("plan", "--format", "json").out)["refusals"]
    messages = {refusal["code"]: refusal["message"] for refusal in refused}
    assert "1 product of 2; the limit is 10%." in messages["too_many_deletes"]
    assert "of 2; the rule few allows 10%" in messages["few"]


def test_the_schema_of_settings_knows_policies(here: Here) -> None:
    """It takes the documented example, and flags a key or a field that is misspelled."""
    section = (ROOT / "README.md").read_text("utf-8").split("\n## Policy\n")[1]
    text = section.split("```yaml\n")[1].split("```")[0]
    validator = Draft202012Validator(json.loads(here("schema", "settings").out))
    document = YAML(typ="safe").load(text)
    assert [error.message for error in validator.iter_errors(document)] == []
    for slip in ({"feild": "type"}, {"field": "typ", "one_of": "x"}, {"plan": "remove"}):
        assert not validator.is_valid({"policy": [slip]})
