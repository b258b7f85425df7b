"""Faults of the catalogue's files."""

from collections.abc import Mapping
from typing import Final

from reconciler.codes import Code
from reconciler.explain.entry import Explanation

CATALOG: Final[Mapping[Code, Explanation]] = {
    Code.BAD_YAML: Explanation(
        "A file is not YAML from some place on, so the rest of it could not be read.",
        "name: Shirt: blue    # the second colon begins another mapping",
        "Fix the file at the place named. Text in quotes is always safe.",
    ),
    Code.BAD_ENCODING: Explanation(
        "A file is not UTF-8, which is the only encoding that is read.",
        "a file that a spreadsheet exported as Latin-1 or UTF-16",
        "Save the file as UTF-8, with or without a byte-order mark.",
    ),
    Code.FILE_TOO_LARGE: Explanation(
        "A file is larger than the limit (64 MiB), and was not read.",
        "an image that was saved as catalog/photo.yaml",
        "Split the file into several, or move it out of the catalogue.",
    ),
    Code.UNREADABLE_FILE: Explanation(
        "A file, a folder or a path that was named cannot be read, or is not an ordinary file.",
        "catalog/a.yaml is a link to a file that was removed",
        "Fix its permissions or the link, remove it, or correct the path on the command line.",
    ),
    # Products of a file that is not checked out would look like products to delete (P3).
    Code.ABSENT_FILE: Explanation(
        "The commit has a file in the catalogue's folder that the working tree lacks, because the "
        "checkout is sparse or a submodule is not checked out. Its products would be deleted as "
        "products that nobody declares. A submodule in the catalogue of another revision cannot be "
        "read there at all.",
        "git sparse-checkout set catalog/men    # and not catalog/women",
        "Check out the whole catalogue: `git sparse-checkout disable`, "
        "`git submodule update --init`.",
    ),
    Code.OUTSIDE_CATALOG: Explanation(
        "A symbolic link leaves the catalogue's folder, or a path that was named is not part of "
        "the catalogue: it is not below the folder, does not end in .yaml or .yml, or begins with "
        "a dot or an underscore. What others may change without a review is not read.",
        "catalog/shared.yaml -> ../../other-shop/shared.yaml",
        "Move the file into the catalogue, or give it a name that is read.",
    ),
    Code.ALIAS_BUDGET: Explanation(
        "Aliases repeat so much text that reading the file would take more memory than its size "
        "suggests: the trick behind a `billion laughs` attack.",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]    # and so on",
        "Write the values out, or split the file.",
    ),
    # A tag promises a number or a date, and every value here stays the text that was written.
    Code.EXPLICIT_TAG: Explanation(
        "A value has an explicit YAML tag. Every value is text, so a tag has nothing to say.",
        "store_id: !!int 10482",
        "Remove the tag. `!!str` alone is allowed.",
    ),
    Code.UNKNOWN_FIELD: Explanation(
        "A key is not a field that may be used there; the message names the nearest one.",
        "nmae: Linen shirt    # did you mean name?",
        "Correct the key, remove it, or move it to the mapping that it belongs to.",
    ),
    Code.WRONG_KIND: Explanation(
        "A value, or a whole document, is of the wrong kind: a list instead of text, text "
        "instead of a list, a list instead of a product.",
        "tags: linen    # write tags: [linen]",
        "Write the value in the form that the message shows.",
    ),
    Code.MISSING_FIELD: Explanation(
        "A product lacks a required field, or a file has `defaults:` and no `products:`.",
        'store_id: "10482"    # and no name',
        "Add the field. store_id and name are required.",
    ),
    # A guess would clear values at the remote, or leave what should be cleared.
    Code.EMPTY_VALUE: Explanation(
        "A field has no value (nothing, `~` or `null`). That could mean two things: leave the "
        "remote value as it is, or clear it.",
        "tags:",
        'Leave the field out to leave the remote value as it is; `tags: []` and `image_url: ""` '
        "clear it.",
    ),
    Code.BLANK_TEXT: Explanation(
        "A text shows nothing: it is empty, or all white space or invisible characters.",
        'type: " "',
        "Write a value, or leave the field out.",
    ),
    Code.PADDED_TEXT: Explanation(
        "A text begins or ends with white space, which nobody sees and no shop means. The last "
        "line break of a block scalar counts.",
        "name: |\n  Linen shirt    # ends with a line break; write |- for |",
        "Remove the white space at the ends.",
    ),
    Code.CONTROL_CHARACTER: Explanation(
        "A text or a file holds a control character other than a tab or a line break.",
        'name: "Linen\\x07 shirt"',
        "Delete the character; the message names it.",
    ),
    Code.DUPLICATE_KEY: Explanation(
        "One mapping has a key twice, or a folder has two files of defaults. It is not "
        "clear which is meant.",
        "name: Linen shirt\nname: Cotton shirt",
        "Keep one of the two, and move what the other said into it.",
    ),
    Code.DUPLICATE_STORE_ID: Explanation(
        "A store_id is declared more than once; the message names every place.",
        'catalog/a.yaml: store_id: "10482"\ncatalog/b.yaml: store_id: "10482"',
        "Keep one of the declarations, or correct the store_id of the others.",
    ),
    Code.RENAME_STILL_DECLARED: Explanation(
        "A product is renamed from a store_id that another product still declares (or from its "
        "own). Chains and swaps are legal: there the other product is renamed away itself.",
        '- {store_id: "2", name: Shirt, renamed_from: "1"}\n- {store_id: "1", name: Coat}',
        "Remove the product that has the old store_id, or the renamed_from.",
    ),
    Code.RENAME_TWICE: Explanation(
        "Two products are renamed from one store_id; one product can become only one other.",
        '- {store_id: "2", name: A, renamed_from: "1"}\n- {store_id: "3", name: B, '
        'renamed_from: "1"}',
        "Keep one of the renamed_from.",
    ),
    Code.BAD_URL: Explanation(
        "An address is not an http or https URL with a host, or has white space, or a bad port.",
        "image_url: cdn.shop/1.jpg    # write https://cdn.shop/1.jpg",
        'Write the whole address; `image_url: ""` clears the remote value.',
    ),
    Code.NO_CATALOG: Explanation(
        "The catalogue's folder does not exist, or is not a folder. A missing folder is never "
        "taken for an empty catalogue, which would mean deleting everything.",
        "The catalogue folder catalog does not exist.",
        "Run `reconciler init` to make one, go to the right folder, or name it with --catalog.",
    ),
    # Passing over it would call a catalogue sound that nobody has judged (P6).
    Code.RULE_FAILED: Explanation(
        "A rule that an installed package brings (entry point `reconciler.rules`) cannot be loaded "
        "or raises an error. The other rules were run; the command ends with exit 1, since nobody "
        "knows what this one would have found.",
        "The rule dress-tags of the package shop-rules failed (KeyError: 'women').",
        "Fix or update the package, or switch the rule off: `lint: {dress-tags: off}`.",
    ),
    Code.CANNOT_EDIT: Explanation(
        "A pull would have to change a product whose text is shared with others in a way that no "
        "edit can take apart: it is anchored or merged over several lines, and aliases need it.",
        "- &base\n  store_id: 1    # gone at Robosize, to be removed by --prune\n  name: Shirt\n"
        "- <<: *base\n  store_id: 2",
        "Write the values out at the products that use the alias, then pull again.",
    ),
}
