"""Faults of exports, and warnings of an import."""

from collections.abc import Mapping
from typing import Final

from reconciler.codes import Code
from reconciler.explain.entry import Explanation

IMPORTS: Final[Mapping[Code, Explanation]] = {
    Code.SPREADSHEET_DAMAGE: Explanation(
        "A spreadsheet changed what the shop had exported: an id was rounded (1.23457E+13) or lost "
        "its zeros, became a date, or is an error (#N/A); letters were read in another encoding; "
        "header cells were merged. What was lost cannot be had back from the file, so nothing is "
        "imported.",
        "export.csv:7:1: error: ID is 1.23457E+13: the number was rounded, its last digits are "
        "lost.",
        "Import the file as the shop exported it, without opening and saving it in between. The "
        "place is the row and the column, as a spreadsheet counts them.",
    ),
    Code.DAMAGED_ROW: Explanation(
        "A row has more or fewer cells than the header, or cannot be taken apart: text with a "
        "comma, a quote or a line break is not quoted, or the file was cut off.",
        "export.csv:12:4: error: The row has 3 cells, and the header 17.",
        "Export the file again, or correct the row.",
    ),
    Code.UNMAPPED_TYPE: Explanation(
        "The export names kinds of product that `types` in the settings does not map. A type "
        "decides how Robosize measures, so a shop's free text is never taken for one.",
        'imports: {shop: {types: {"Jeans*": bottom}}}    # and the export has "Chinos"',
        "Paste the lines that the import lists below `types`, and write a type for each. The first "
        "glob that matches wins; `*` matches all that is left.",
    ),
    Code.UNUSABLE_IMAGE: Explanation(
        "The export's image is not a whole address, so it was not imported: Magento and Salesforce "
        "export paths.",
        "/w/s/ws12-orange.jpg",
        "Set `image_base` of the import to the address below which such paths are, such as "
        "https://shop.example/media/catalog/product.",
    ),
    Code.UNLIKELY_ID: Explanation(
        "The ids of the export may not be those that product pages pass to the size script. Then "
        "no customer gets a recommendation, although every plan is empty.",
        "a catalogue by SKU, and pages that pass Shopify's product id",
        "Look at what a product page passes, name that column with --id, and ask with `reconciler "
        "status --live` once the products are applied.",
    ),
}
