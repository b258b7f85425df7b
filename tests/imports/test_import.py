"""`import`: what is asked of it by flags and settings, and what it says."""

import json
from pathlib import Path

import pytest

from reconciler.catalog.read import load_catalog
from tests.commands.here import Here

from .samples import MAGENTO, SHOPIFY_CSV, SHOPIFY_JSON, WOOCOMMERCE

HEAD = "ID,Handle,Command,Title,Tags,Type,Image Src,Status\n"


def row(store_id: str, title: str, image: str = "", status: str = "Active") -> str:
    """One row of an export."""
    return f"{store_id},h{store_id},,{title},,Tees,{image},{status}\n"


def export(folder: Path, *rows: str, file: str = "x.csv") -> None:
    """Write an export of these rows."""
    (folder / file).write_text(HEAD + "".join(rows), encoding="utf-8")


def declared(folder: Path, *products: str) -> Path:
    """A catalogue file of these products, each as flow YAML."""
    file = folder / "catalog" / "all.yaml"
    file.parent.mkdir(exist_ok=True)
    lines = "".join(f"  - {product}\n" for product in products)
    file.write_text(f"# ours\nproducts:\n{lines}", encoding="utf-8")
    return file


def test_without_write_nothing_is_written(folder: Path, here: Here) -> None:
    """The difference is on stdout, what was read and what to do next on stderr."""
    export(folder, row("1", "Shirt"))
    done = here("import", "x.csv", "--detailed-exitcode")
    assert done.code == 2
    assert "+++ b/catalog/h1.yaml\n@@ -0,0 +1,3 @@\n+store_id: 1\n" in done.out
    assert "Read as matrixify, commas between cells: 1 row, 1 product." in done.err
    assert '  "Tees": ""  # 1 product' in done.err
    assert "Nothing was written; --write does it." in done.err
    assert "set `domain:` in the store's settings, then `reconciler status --live`" in done.err
    assert not (folder / "catalog").exists()
    assert here("-q", "import", "x.csv", "--write").err.count("\n") == 2


def test_kinds_are_no_commands(folder: Path, here: Here) -> None:
    """A kind in the list of those without a type is JSON, with nothing that a pipeline obeys."""
    text = "ID,Handle,Command,Title,Type\n1,h1,MERGE,Shirt,##[error]Tees\n"
    (folder / "x.csv").write_text(text, encoding="utf-8")
    done = here("import", "x.csv")
    assert '  "#\\u0023[error]Tees": ""  # 1 product' in done.err
    assert "##[" not in done.err


def test_declared_products_get_what_they_lack(folder: Path, here: Here) -> None:
    """A pull leaves type and image_url out, so an import adds them; `fields` says which it may."""
    file = declared(folder, '{store_id: "1", name: Shirt}', '{store_id: "2", name: Ours}')
    export(folder, row("1", "Shirt", "https://cdn.shop.example/1.jpg"))
    settings = 'imports: {shop: {types: {"T*": top}, fields: [image_url, type]}}\n'
    (folder / "reconciler.yaml").write_text(settings, encoding="utf-8")
    assert here("import", "shop", "x.csv", "--write").code == 0
    expected = (
        "# ours\nproducts:\n"
        '  - {store_id: "1", name: Shirt, image_url: "https://cdn.shop.example/1.jpg", type: top}\n'
        '  - {store_id: "2", name: Ours}\n'
    )
    assert file.read_text(encoding="utf-8") == expected
    assert here("import", "shop", "x.csv", "--write", "--prune").code == 0
    assert "Ours" not in file.read_text(encoding="utf-8")


def test_only_leaves_products_out(folder: Path, here: Here) -> None:
    """Only what matches is imported; a glob that matches nothing is an error with what there is."""
    export(folder, row("1", "Shirt"), row("2", "Coat", status="Draft"))
    done = here("import", "x.csv", "--only", "status=Dr*", "--write")
    assert "1 product, 1 left out by --only" in done.err
    assert list(load_catalog(folder / "catalog").products) == ["2"]
    done = here("import", "x.csv", "--only", "Status=active")
    assert done.code == 1
    assert "Did you mean 'Active'? Status is 'Active' (1), 'Draft' (1)" in done.err
    assert "Did you mean 'Status'?" in here("import", "x.csv", "--only", "Sttus=Active").err


def test_renames_are_proposed_and_written_if_wanted(folder: Path, here: Here) -> None:
    """The same picture or name under another id is told; --renames makes it a renamed_from."""
    file = declared(
        folder,
        "{store_id: sku-1, name: Shirt, image_url: 'https://cdn.shop.example/1.jpg?v=1'}",
        "{store_id: sku-2, name: Coat}   # warm",
        "{store_id: sku-3, name: Hat, renamed_from: old}",
        "{store_id: sku-4, name: Twin}",
        "{store_id: sku-5, name: Twin}",
    )
    export(
        folder,
        row("1", "Linen shirt", "https://cdn.shop.example/1.jpg?v=2"),
        row("2", "coat"),
        row("3", "Hat"),
        row("4", "Twin"),
    )
    done = here("import", "x.csv")
    assert "sku-1 (declared, not in the export) and 1 (at x.csv:2:1, not declared)" in done.err
    assert '`renamed_from: "sku-2"`' in done.err
    assert "apply its renamed_from first" in done.err
    assert "sku-4" not in done.err.partition("The export and the catalogue")[0]
    pruned = here("import", "x.csv", "--prune").out
    assert [line for line in pruned.splitlines() if line.startswith("-  - ")] == [
        "-  - {store_id: sku-4, name: Twin}",
        "-  - {store_id: sku-5, name: Twin}",
    ]
    assert "renamed_from" not in done.out.replace("renamed_from: old", "")
    done = here("import", "x.csv", "--renames", "--write", "--into", "catalog/all.yaml")
    assert done.out == "Products: 2 changed, 2 added, 0 removed, in 1 file.\n"
    text = file.read_text(encoding="utf-8")
    assert "{store_id: 2, name: coat, tags: [], renamed_from: sku-2}   # warm" in text
    products = load_catalog(folder / "catalog").products
    assert products["1"].renamed_from == "sku-1"
    assert products["1"].name == "Linen shirt"
    assert here("import", "x.csv", "--renames", "--detailed-exitcode").code == 0


def test_a_pending_rename_is_not_undone(folder: Path, here: Here) -> None:
    """The shop's old id means the product that is declared as renamed from it."""
    declared(folder, "{store_id: new, name: Shirt, renamed_from: old}")
    export(folder, row("old", "Linen shirt"))
    done = here("import", "x.csv", "--prune")
    assert "+  - {store_id: new, name: Linen shirt, renamed_from: old, tags: []}" in (
        done.out.replace("tags: [], renamed_from: old", "renamed_from: old, tags: []")
    )
    export(folder, row("old", "Other"), row("new", "Shirt"))
    done = here("import", "x.csv")
    assert "old is left out" in done.err
    assert "Other" not in done.out


def test_shopify_csv_is_refused_without_ids(folder: Path, here: Here) -> None:
    """It has no product id, so it is told why and what to do; products.json gives the ids."""
    (folder / "x.csv").write_text(SHOPIFY_CSV, encoding="utf-8")
    done = here("import", "x.csv")
    assert done.code == 1
    assert "Shopify's CSV has no product ids" in done.err
    for number, page in enumerate(SHOPIFY_JSON):
        (folder / f"{number}.json").write_text(json.dumps(page), encoding="utf-8")
    done = here("import", "x.csv", "--ids", "0.json")
    assert "x.csv:3:1: error: No product with the handle 'wool-coat'" in done.err
    done = here("import", "x.csv", "--ids", "0.json", "--ids", "1.json", "--write")
    assert done.code == 0
    assert [*load_catalog(folder / "catalog").products] == ["8384840892594", "8384840892595"]
    assert here("import", "0.json", "1.json", "--detailed-exitcode", "--prune").code == 0
    assert "--ids is for shopify-csv" in here("import", "0.json", "--ids", "1.json").err
    assert "is not a products.json" in here("import", "x.csv", "--ids", "x.csv").err


def test_new_titles_of_shopify_are_known(folder: Path, here: Here) -> None:
    """The template of 2024 has other titles, and means the same."""
    text = (
        "Title,URL handle,Description,Product category,Type,Tags,Status,SKU,Option1 value,"
        "Product image URL,Image position\n"
        'Shirt,shirt,"a,\nb",x,Tees,"a, b",Active,S,S,https://cdn.shop.example/1.jpg,1\n'
        ",shirt,,,,,,M,M,,\n"
    )
    (folder / "x.csv").write_text(text, encoding="utf-8")
    assert here("import", "x.csv", "--id", "URL handle", "--write").code == 0
    (product,) = load_catalog(folder / "catalog").products.values()
    assert (product.store_id, product.value("tags")) == ("shirt", ("a", "b"))
    assert product.value("image_url") == "https://cdn.shop.example/1.jpg"


def test_relative_images_need_a_base(folder: Path, here: Here) -> None:
    """A relative image is left out and told, with the setting that completes it."""
    (folder / "x.csv").write_text(MAGENTO, encoding="utf-8")
    done = here("import", "x.csv", "--write")
    assert "`image_base` in the settings completes relative ones. [unusable_image]" in done.err
    assert "entity_id" in done.err
    products = load_catalog(folder / "catalog").products
    assert all(product.value("image_url") is None for product in products.values())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["x.csv", "--id", "Idd"], "x.csv has no column 'Idd'"),
        (["x.csv", "--map", "nme=Title"], "'nme' is not a field that can be mapped"),
        (["x.csv", "--map", "name"], "there must be text on both sides"),
        (["x.csv", "--from", "csv"], "has no column with the ids"),
        (["x.csv", "--from", "woocomerce"], "Did you mean 'woocommerce'?"),
        (["x.csv", "--from", "shopware"], "has no column 'parent id'"),
        (["x.csv", "y.json"], "x.csv is matrixify, and y.json is shopify-json"),
        (["x.csv", "--into", "elsewhere.yaml"], "does not read a file"),
        (["none.csv"], "The file none.csv cannot be read"),
        (["sho", "x.csv"], "Did you mean 'shop'?"),
        (["shop"], "Which file?"),
        (["z.jsonl", "--from", "jsonl", "--id", "nr", "--map", "name=titel"], "the key 'titel'"),
        (["z.jsonl", "--from", "jsonl"], "which key holds the ids"),
        (["y.json", "z.jsonl", "--only", "stats=x"], "has the key 'stats'"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_meant(
    folder: Path, here: Here, arguments: list[str], expected: str
) -> None:
    """A wrong column, format, file or name ends the command with what is near it."""
    export(folder, row("1", "Shirt"))
    (folder / "y.json").write_text('[{"id": 1, "title": "Shirt", "handle": "a"}]')
    (folder / "z.jsonl").write_text('{"id": 1, "nr": 2, "title": "Shirt", "handle": "a"}\n')
    (folder / "reconciler.yaml").write_text("imports: {shop: {format: auto}}\n")
    done = here("import", *arguments)
    assert (done.code, done.out) == (1, "")
    assert expected in done.err
    assert "bug" not in done.err


def test_columns_can_be_chosen_for_any_format(folder: Path, here: Here) -> None:
    """--id and --map go before what the format knows, and variants are folded all the same."""
    (folder / "x.csv").write_text(WOOCOMMERCE, encoding="utf-8")
    done = here("import", "x.csv", "--id", "sku", "--map", "tags=Categories", "--write")
    assert done.code == 0
    products = load_catalog(folder / "catalog").products
    assert [*products] == ["coat", "shirt"]
    assert products["shirt"].value("tags") == ("Clothing > Shirts", "Sale")


def test_woocommerce_escapes_commas_in_tags(folder: Path, here: Here) -> None:
    """A comma within a tag has a backslash before it, as within a category."""
    (folder / "w.csv").write_text('ID,Type,SKU,Name,Tags\n7,simple,,Cap,"sun\\, sea, hat"\n')
    assert here("import", "w.csv", "--write").code == 0
    products = load_catalog(folder / "catalog", working_folder=folder).products
    assert products["7"].value("tags") == ("hat", "sun, sea")


def test_ids_that_nothing_shares_are_told(folder: Path, here: Here) -> None:
    """A catalogue by SKU and an export by id have nothing in common, so it is asked."""
    declared(folder, "{store_id: sku-1, name: Shirt}")
    export(folder, row("1", "Coat"), row("2", ""))
    done = here("import", "x.csv")
    assert "have no id in common: the export has 1, 2, the catalogue" in done.err
    assert "The export has no name for 2: left out." in done.err


def test_two_rows_must_be_one_product(folder: Path, here: Here) -> None:
    """An id in two rows is one product if they say the same, else an error with both rows."""
    text = "nr;name;size\n1;Shirt;S\n2;Coat;S\n1;Shirt;M\n"
    (folder / "x.csv").write_text(text, encoding="utf-8")
    arguments = ["import", "x.csv", "--id", "nr", "--map", "name=name"]
    assert "3 rows, 2 products" in here(*arguments).err
    (folder / "x.csv").write_text(text + "2;Hat;S\n", encoding="utf-8")
    done = here(*arguments)
    assert "x.csv:5:2: error: '2' is already in row 3 of x.csv, and name differs" in done.err


def test_hostile_text_stays_text(folder: Path, here: Here) -> None:
    """Control characters, YAML and workflow commands in an export are data wherever they show."""
    export(folder, '1,h,,"::error::\x1b[31m",,"a\x1b: b\n::x",,\n', row("2", "'{a: b}'"))
    done = here("import", "x.csv", "--write")
    assert "\x1b" not in done.err + done.out
    assert '  "a\\u001b: b\\n::x": ""  # 1 product' in done.err
    assert load_catalog(folder / "catalog").products["2"].name == "'{a: b}'"


def test_a_faulty_setting_is_told(folder: Path, here: Here) -> None:
    """The settings of an import are checked like all others, with line and column."""
    export(folder, row("1", "Shirt"))
    text = "imports:\n  shop: {format: shopfy, types: {x: ''}, image_base: y, fields: [nme]}\n"
    (folder / "reconciler.yaml").write_text(text, encoding="utf-8")
    done = here("import", "shop", "x.csv")
    assert done.code == 1
    assert done.err.count("reconciler.yaml:2:") >= 4


def test_bulk_files_of_shopify_hold_products_and_their_parts(folder: Path, here: Here) -> None:
    """Only lines without a parent are products, and the id is the number at its end."""
    lines = [
        {
            "id": "gid://shopify/Product/77",
            "title": "Shirt",
            "handle": "shirt",
            "productType": "Tees",
            "featuredImage": {"url": "https://cdn.shop.example/1.jpg"},
        },
        {"id": "gid://shopify/ProductVariant/1", "__parentId": "gid://shopify/Product/77"},
    ]
    (folder / "x.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    settings = 'imports: {shop: {types: {"*": top}}}\n'
    (folder / "reconciler.yaml").write_text(settings, encoding="utf-8")
    assert here("import", "shop", "x.jsonl", "--write").code == 0
    (product,) = load_catalog(folder / "catalog").products.values()
    assert (product.store_id, product.value("type")) == ("77", "top")
    assert product.value("image_url") == "https://cdn.shop.example/1.jpg"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("https://a.example/1.jpg, https://a.example/2.jpg", "https://a.example/1.jpg"),
        ("https://a.example/c_fit,w_9/1.jpg", "https://a.example/c_fit,w_9/1.jpg"),
        ("//a.example/my shirt.jpg", "https://a.example/my%20shirt.jpg"),
        ("img/1.jpg", "https://base.example/m/img/1.jpg"),
        ("no_selection", None),
        ("https://", None),
    ],
)
def test_images_become_whole_addresses(
    folder: Path, here: Here, cell: str, expected: str | None
) -> None:
    """The first of several, with its scheme, its spaces escaped, and below the base if relative."""
    (folder / "x.csv").write_text(f'nr;photo;n;k\n1;"{cell}";Shirt;\n', encoding="utf-8")
    settings = (
        "imports: {shop: {id: nr, image_base: 'https://base.example/m/', types: {'*': top},"
        " map: {name: n, image_url: photo, type: k}}}\n"
    )
    (folder / "reconciler.yaml").write_text(settings, encoding="utf-8")
    assert here("import", "shop", "x.csv", "--write").code == 0
    (product,) = load_catalog(folder / "catalog").products.values()
    assert product.value("image_url") == expected
    assert product.value("type") == "top"


def test_a_head_that_is_not_utf8_is_told(folder: Path, here: Here) -> None:
    """A header in another encoding is shown escaped, whatever the terminal can print."""
    (folder / "x.csv").write_bytes(b"Gr\xf6\xdfe;Preis\n1;2\n")
    done = here("import", "x.csv")
    assert done.code == 1
    assert "not recognised" in done.err
    assert done.err.isascii()


def test_stores_have_their_own_imports(folder: Path, here: Here) -> None:
    """An entry of a store goes before the general one of that name, into the store's catalogue."""
    export(folder, row("1", "Shirt"), row("2", "Coat", status="Draft"))
    text = (
        "imports: {shop: {only: {Status: Active}}}\n"
        "stores:\n"
        "  de: {catalog: shops/de, domain: de.example}\n"
        "  fr: {catalog: shops/fr, imports: {shop: {only: {Status: Draft}, fields: [name]}}}\n"
    )
    (folder / "reconciler.yaml").write_text(text, encoding="utf-8")
    done = here("import", "shop", "x.csv", "--store", "de", "--write")
    assert "To see: `reconciler status --store de --live` asks" in done.err
    assert here("import", "shop", "x.csv", "--store", "fr", "--write").code == 0
    assert [*load_catalog(folder / "shops" / "de").products] == ["1"]
    (product,) = load_catalog(folder / "shops" / "fr").products.values()
    assert (product.store_id, product.value("tags")) == ("2", None)
    assert "--store" in here("import", "shop", "x.csv").err
