"""Small exports of every format, with the structure of real ones and invented products.

Each holds the same two garments, a shirt with two variants and a coat, as the shop's format has
them: rows apart, descriptions over several lines, images on rows of their own.
"""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SHIRT_IMAGE = "https://cdn.shop.example/files/shirt.jpg?v=17"
COAT_IMAGE = "https://cdn.shop.example/files/coat.jpg?v=18"

SHOPIFY_CSV = f"""\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,\
Option1 Linked To,Variant SKU,Variant Price,Image Src,Image Position,Image Alt Text,Gift Card,\
"Color (product.metafields.shopify.color-pattern)",Variant Image,Status
linen-shirt,Linen shirt,"<p>Cool, light;
and ""crisp"".</p>",Acme,Apparel > Shirts,Shirts,"summer, linen",true,Size,S,,LS-S,49.00,\
{SHIRT_IMAGE},1,,false,white,,active
wool-coat,Wool coat,,Acme,Apparel > Coats,Outerwear,,true,Title,Default Title,,WC,199.00,\
{COAT_IMAGE},1,,false,,,active
linen-shirt,,,,,,,,,M,,LS-M,49.00,https://cdn.shop.example/files/back.jpg,2,,,,,
linen-shirt,,,,,,,,,,,,,https://cdn.shop.example/files/side.jpg,3,,,,,
"""

SHOPIFY_JSON = [
    {
        "products": [
            {
                "id": 8384840892594,
                "title": "Linen shirt",
                "handle": "linen-shirt",
                "body_html": "<p>Cool, [light] {and} crisp.</p>",
                "product_type": "Shirts",
                "tags": ["summer", "linen"],
                "variants": [{"id": 45006769815730, "title": "S", "price": "49.00"}],
                "images": [{"id": 1, "src": SHIRT_IMAGE, "position": 1}],
            }
        ]
    },
    {
        "products": [
            {
                "id": 8384840892595,
                "title": "Wool coat",
                "handle": "wool-coat",
                "product_type": "Outerwear",
                "tags": "",
                "status": "active",
                "variants": [],
                "image": {"src": COAT_IMAGE},
                "images": [{"src": COAT_IMAGE}],
            }
        ],
        "next": None,
    },
]

MATRIXIFY = f"""\
ID,Handle,Command,Title,Body HTML,Vendor,Type,Tags,Tags Command,Status,Published,Row #,Top Row,\
Image Src,Image Position,Variant ID,Option1 Value,Variant SKU
8384840892594,linen-shirt,MERGE,Linen shirt,"<p>Cool
light</p>",Acme,Shirts,"linen, summer",REPLACE,Active,TRUE,1,TRUE,{SHIRT_IMAGE},1,1001,S,LS-S
8384840892594,linen-shirt,MERGE,Linen shirt,,Acme,Shirts,"linen, summer",REPLACE,Active,TRUE,2,,\
https://cdn.shop.example/files/back.jpg,2,1002,M,LS-M
8384840892595,wool-coat,MERGE,Wool coat,,Acme,Outerwear,,REPLACE,Active,TRUE,1,TRUE,\
{COAT_IMAGE},1,1003,,WC
"""

WOOCOMMERCE = f'''\
ID,Type,SKU,Name,Published,"Is featured?","Visibility in catalog","Short description",Description,\
"In stock?","Regular price",Categories,Tags,Images,Parent,"Attribute 1 name","Attribute 1 value(s)"
44,variable,shirt,"Linen shirt",1,0,visible,,"Cool, light;
\\nand crisp",1,,"Clothing > Shirts, Sale","linen, summer","{SHIRT_IMAGE}, \
https://shop.example/back.jpg",,Size,"S, M"
46,simple,coat,"Wool coat",1,0,visible,,,1,199,"Clothing > Coats",,{COAT_IMAGE},,,
60,variation,shirt-s,"Linen shirt - S",1,0,visible,,,1,49,,,https://shop.example/s.jpg,id:44,Size,S
61,"variation, virtual",shirt-m,"Linen shirt - M",1,0,visible,,,1,49,,,,shirt,Size,M
'''

MAGENTO = """\
sku,store_view_code,attribute_set_code,product_type,categories,product_websites,name,description,\
visibility,price,url_key,base_image,additional_attributes,configurable_variations
shirt-s,,Top,simple,"Default Category/Shirts",base,Linen shirt-S,"<p>Cool,
light</p>",Not Visible Individually,49,linen-shirt-s,/s/h/s.jpg,size=S,
shirt-m,,Top,simple,"Default Category/Shirts",base,Linen shirt-M,,"Catalog, Search",49,\
linen-shirt-m,no_selection,size=M,
shirt,,Top,configurable,"Default Category/Shirts,Default Category/Sale",base,Linen shirt,,\
"Catalog, Search",,linen-shirt,/s/h/shirt.jpg,,"sku=shirt-s,size=S|sku=shirt-m,size=M"
shirt,de,,,,,Leinenhemd,,,,,,,
,,,,,,,,,,,,,
coat,,Outerwear,simple,"Default Category/Coats",base,Wool coat,,"Catalog, Search",199,wool-coat,\
/c/o/coat.jpg,,
"""

PRESTASHOP = f"""\
Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax excluded;Reference #;Description;\
Tags (x,y,z...);Rewritten URL;Image URLs (x,y,z...)
7;1;Linen shirt;Home,Shirts;49.00;LS;"<p>Cool; ""light""
</p>";linen,summer;linen-shirt;{SHIRT_IMAGE},https://shop.example/back.jpg
8;1;Wool coat;Home,Coats;199.00;WC;;;wool-coat;{COAT_IMAGE}
"""

BIGCOMMERCE = f"""\
Item,ID,Name,Type,SKU,Options,Price,Categories,Description,Product URL,Is Visible,\
Variant Image URL,Internal Image URL (Export),Image URL (Import),Image Description,\
Image is Thumbnail,Image Sort Order,YouTube ID
Product,111,Linen shirt,physical,LS,,49,Shop/Shirts;Shop/Sale,"<p>Cool,
light</p>",/linen-shirt/,TRUE,,,,,,,
Variant,901,,,LS-S,Type=Rectangle|Name=Size|Value=S,49,,,,,https://shop.example/s.jpg,,,,,,
Image,501,,,,,,,,,,,{SHIRT_IMAGE},,front,TRUE,0,
Image,502,,,,,,,,,,,https://shop.example/back.jpg,,back,FALSE,1,
Product,112,Wool coat,physical,WC,,199,Shop/Coats,,/wool-coat/,TRUE,,,,,,,
Image,503,,,,,,,,,,,,{COAT_IMAGE},,TRUE,0,
Video,601,,,,,,,,,,,,,,,,abc
"""

SHOPWARE = f"""\
id;parent_id;product_number;active;stock;name;description;price_net;tax_rate;cover_media_url;\
manufacturer_name;categories;propertyIds;optionIds
0c6f1d;;SW1;1;10;Linen shirt;"Cool; light
and crisp";41.2;19;{SHIRT_IMAGE};Acme;c1|c2;;
77aa01;0c6f1d;SW1.1;1;4;;;;;https://shop.example/s.jpg;;;;o1
77aa02;0c6f1d;SW1.2;1;6;;;;;;;;;o2
0c6f1e;;SW2;1;1;Wool coat;;167.2;19;{COAT_IMAGE};Acme;c3;;
"""

GOOGLE_TSV = f"""\
id\ttitle\tdescription\tlink\timage_link\tprice\titem_group_id\tproduct_type\tcustom_label_0\t\
custom_label_1
LS-S\tLinen shirt - S\tCool, "light"\thttps://shop.example/a\t{SHIRT_IMAGE}\t49 EUR\tLS\t\
Apparel > Shirts\tlinen\tsummer
WC\tWool coat\t\thttps://shop.example/b\t{COAT_IMAGE}\t199 EUR\t\tApparel > Coats\t\t
LS-M\tLinen shirt - M\t\thttps://shop.example/a\thttps://shop.example/m.jpg\t49 EUR\tLS\t\
Apparel > Shirts\tlinen\tsummer
"""

GOOGLE_RSS = f"""\
<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Acme</title>
<item><g:id>LS-S</g:id><title>Linen shirt - S</title><description><![CDATA[<b>Cool</b>]]>\
</description><g:image_link>{SHIRT_IMAGE}</g:image_link><g:item_group_id>LS</g:item_group_id>\
<g:product_type>Apparel &gt; Shirts</g:product_type><g:custom_label_0>linen</g:custom_label_0>\
<g:custom_label_1>summer</g:custom_label_1></item>
<item><g:id>WC</g:id><g:title>Wool coat</g:title><g:image_link>{COAT_IMAGE}</g:image_link>\
<g:product_type>Apparel &gt; Coats</g:product_type></item>
<item><g:id>LS-M</g:id><title>Linen shirt - M</title>\
<g:item_group_id>LS</g:item_group_id></item>
</channel></rss>
"""

GOOGLE_ATOM = (
    GOOGLE_RSS.replace('<rss version="2.0" ', '<feed xmlns="http://www.w3.org/2005/Atom" ')
    .replace("<channel>", "")
    .replace("</channel></rss>", "</feed>")
    .replace("<item>", "<entry>")
    .replace("</item>", "</entry>")
)

SFCC = """\
<?xml version="1.0" encoding="UTF-8"?>
<catalog xmlns="http://www.demandware.com/xml/impex/catalog/2006-10-31" catalog-id="master">
  <header><image-settings><internal-location base-path="/images"/></image-settings></header>
  <category category-id="shirts"><display-name xml:lang="x-default">Shirts</display-name></category>
  <product product-id="LS-S">
    <ean/><display-name xml:lang="x-default">Linen shirt S</display-name>
  </product>
  <product product-id="LS">
    <display-name xml:lang="de">Leinenhemd</display-name>
    <display-name xml:lang="x-default">Linen shirt</display-name>
    <images>
      <image-group view-type="large"><image path="large/shirt.jpg"/></image-group>
      <image-group view-type="small"><image path="small/shirt.jpg"/></image-group>
    </images>
    <custom-attributes>
      <custom-attribute attribute-id="material"><value>linen</value><value>summer</value>\
</custom-attribute>
    </custom-attributes>
    <variations>
      <attributes><variation-attribute attribute-id="size" variation-attribute-id="size">\
<display-name xml:lang="x-default">Size</display-name></variation-attribute></attributes>
      <variants><variant product-id="LS-S" default="true"/><variant product-id="LS-M"/></variants>
    </variations>
    <classification-category catalog-id="storefront">shirts</classification-category>
  </product>
  <product product-id="LS-M"/>
  <product product-id="WC">
    <display-name xml:lang="x-default">Wool coat</display-name>
    <images><image-group view-type="large"><image path="large/coat.jpg"/></image-group></images>
    <classification-category catalog-id="storefront">coats</classification-category>
  </product>
  <category-assignment category-id="shirts" product-id="LS"/>
</catalog>
"""

PLAIN_CSV = f"""\
article;label;keywords;kind;photo
00123;Linen shirt;linen,summer;Shirts;{SHIRT_IMAGE}
00124;Wool coat;;Coats;{COAT_IMAGE}
"""

PLAIN_JSONL = f"""\
{{"article": "00123", "label": "Linen shirt", "keywords": ["linen", "summer"], "kind": "Shirts", \
"photo": "{SHIRT_IMAGE}"}}
{{"article": 124, "label": "Wool coat", "kind": "Coats", "photo": "{COAT_IMAGE}", "price": 1.10}}
"""


class Sample(NamedTuple):
    """One export: its file's name and text, the import's settings, and the products' ids."""

    format: str
    file: str
    text: str
    ids: tuple[str, str]
    settings: str = ""
    tags: str | None = "[linen, summer]"
    name: str = "Linen shirt"
    base: str = ""


_TYPES = 'types: {"*hirts": top, "*oats": coat, Outerwear: coat, c1: top, c3: coat, Top: top}'
_MAPPED = "map: {name: label, tags: keywords, type: kind, image_url: photo}"
_BASE = "https://media.shop.example/product"

SAMPLES = (
    Sample("shopify-csv", "x.csv", SHOPIFY_CSV, ("linen-shirt", "wool-coat"), "id: Handle"),
    Sample(
        "shopify-json",
        "x.json",
        "\n".join(map(json.dumps, SHOPIFY_JSON)),
        ("8384840892594", "8384840892595"),
    ),
    Sample("matrixify", "x.csv", MATRIXIFY, ("8384840892594", "8384840892595")),
    Sample("woocommerce", "x.csv", WOOCOMMERCE, ("44", "46")),
    Sample(
        "magento", "x.csv", MAGENTO, ("shirt", "coat"), f"image_base: {_BASE}", None, base=_BASE
    ),
    Sample("prestashop", "x.csv", PRESTASHOP, ("7", "8")),
    Sample("bigcommerce", "x.csv", BIGCOMMERCE, ("111", "112"), tags=None),
    Sample("shopware", "x.csv", SHOPWARE, ("0c6f1d", "0c6f1e"), tags=None),
    Sample("google-feed", "x.tsv", GOOGLE_TSV, ("LS", "WC"), name="Linen shirt - S"),
    Sample("google-feed", "x.xml", GOOGLE_RSS, ("LS", "WC"), name="Linen shirt - S"),
    Sample("google-feed", "atom.xml", GOOGLE_ATOM, ("LS", "WC"), name="Linen shirt - S"),
    Sample(
        "sfcc",
        "x.xml",
        SFCC,
        ("LS", "WC"),
        f"image_base: {_BASE}\n    map: {{tags: material}}",
        base=_BASE,
    ),
    Sample("csv", "x.csv", PLAIN_CSV, ("00123", "00124"), f"id: article\n    {_MAPPED}"),
    Sample(
        "jsonl",
        "x.jsonl",
        PLAIN_JSONL,
        ("00123", "124"),
        f"format: jsonl\n    id: article\n    {_MAPPED}",
    ),
)


def settings_of(sample: Sample) -> str:
    """The text of the settings of one sample's import, called `shop`."""
    own = f"    {sample.settings}\n" if sample.settings else ""
    return f"imports:\n  shop:\n    {_TYPES}\n{own}"


def write_workbook(
    path: Path,
    rows: Sequence[Sequence[str | int | float]],
    *,
    sheet: str = "Products",
    merged: str = "",
) -> None:
    """A minimal workbook: text is inline, numbers are numbers."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for place, value in enumerate(row):
            at = f"{chr(65 + place)}{number}"
            if value == "":
                continue
            if isinstance(value, str):
                kind = "e" if value.startswith("#") else "inlineStr"
                inner = f"<v>{value}</v>" if kind == "e" else f"<is><t>{_escaped(value)}</t></is>"
                cells.append(f'<c r="{at}" t="{kind}">{inner}</c>')
            else:
                cells.append(f'<c r="{at}"><v>{value!r}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    merge = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets>'
        '<sheet name="Summary" sheetId="2" r:id="r2"/>'
        f'<sheet name="{sheet}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{relation}/worksheet" Target="worksheets/sheet2.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}'
        f"</sheetData>{merge}</worksheet>",
        "xl/worksheets/sheet2.xml": f'<worksheet xmlns="{main}"><sheetData/></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
