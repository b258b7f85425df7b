"""What a plan or an apply warns of, leaves untouched, or refuses."""

from collections.abc import Mapping
from typing import Final

from reconciler.codes import Code
from reconciler.explain.entry import Explanation

WARNINGS: Final[Mapping[Code, Explanation]] = {
    # A list cannot confirm what the API never returns, and sending it every time would be "changed"
    # on every run.
    Code.UNCONFIRMED: Explanation(
        "A declared value of a write-only field (image_url, type) is nowhere to be compared with: "
        "the API never returns it, and the ledger has no record of it. Nothing is sent for it.",
        "Nobody knows whether the declared type of 24 products is at the remote.",
        "Nothing, if the remote has these values: the next apply takes them as given, and every "
        "later edit is seen. `--resend type` sends them.",
    ),
    Code.PROTECTED: Explanation(
        "Products at the remote are declared nowhere and would be deleted, but match a pattern "
        "under `protected` in the settings.",
        'protected: ["gift-*"]',
        "Nothing, if that is meant. Otherwise declare the products, or narrow the pattern.",
    ),
    Code.IGNORED: Explanation(
        "A product or a tag is declared that `ignore` in the settings leaves alone at "
        "Robosize. Nothing is done for it, and such tags are not sent.",
        'ignore: {tags: ["rs-*"], products: ["gift-*"]}    # and a product with the tag rs-new',
        "Remove what is declared, or narrow the globs under `ignore`.",
    ),
    Code.UNMATCHED_PROTECTED: Explanation(
        "A pattern under `protected` matches no product, so it protects nothing.",
        'protected: ["gfit-*"]    # a typing error',
        "Correct the pattern, or remove it.",
    ),
    # Delete and create would do the same by the list, and lose what was entered by hand (P3).
    Code.LOOKS_LIKE_RENAME: Explanation(
        "A product that is declared nowhere and one to be created have the same name; or, in an "
        "import, a declared product that the export lacks and a new one the same name or picture. "
        "Mostly that is one product with a new store_id. Its size chart and fit data belong to the "
        "old one, and a delete would destroy them.",
        "9001 (to be deleted) and 10482 (to be created) have the same name.",
        'If they are one product, add `renamed_from: "9001"` to the new one; `import --renames` '
        "does it.",
    ),
    Code.DIFFERS_IN_CASE: Explanation(
        "A product will be created whose store_id is at the remote already with other upper and "
        "lower case, or white space.",
        "AB-1 will be created, but 'ab-1' is there already.",
        "If they are one product, declare it as it is there, or add `renamed_from`.",
    ),
    # A value that the server trims or re-orders would else be planned for ever (P1).
    Code.SERVER_KEEPS: Explanation(
        "The server accepted a value and keeps another form of it. Nothing more is sent for it "
        "until either side changes.",
        "The server keeps 'Linen Shirt' for 'linen shirt' as name of 10482.",
        "Declare the value as the server keeps it.",
    ),
    # The files alone look the same before and after a swap.
    Code.RENAME_RING: Explanation(
        "Renames exchange store_ids in a ring. Once it is done only the ledger keeps the same "
        "files from swapping them back.",
        '- {store_id: "1", name: A, renamed_from: "2"}\n- {store_id: "2", name: B, '
        'renamed_from: "1"}',
        "Remove their `renamed_from` as soon as this is applied.",
    ),
    Code.UNREAD_FILE: Explanation(
        "A file in the catalogue's folder looks like one of its files, but its name does not end "
        "in .yaml or .yml, in small letters. So it is not read, and its products are not declared.",
        "catalog/products.YAML, catalog/shirts.yaml.txt",
        "Rename it. If it is not meant to be read, begin its name with an underscore.",
    ),
    Code.LEFT_OUT: Explanation(
        "With `--only`, changes of another origin are left as they are: they are counted and not "
        "sent. A change that would need the place of one that is left waits with it.",
        "reconciler apply --base applied --only edit    # drift is left",
        "Look at what is left with `reconciler plan --base applied`, then apply or pull it.",
    ),
    Code.NOTHING_APPLIED: Explanation(
        "The base of `--base applied` is the commit that was applied last, and the ledger knows "
        "none. So the base is a catalogue without products: what is declared counts as an edit, "
        "and what is declared nowhere as drift.",
        "The first `reconciler apply --base applied` of a store.",
        "Nothing: from the first apply on there is such a commit.",
    ),
    Code.ALREADY_APPLIED: Explanation(
        "The saved plan was applied before, by the ledger, and the remote still is as it left it.",
        "reconciler apply plan.json    # a second time",
        "Nothing: what the plan was for is done.",
    ),
    Code.AGE_UNKNOWN: Explanation(
        "Whether the commit is older than the one that was applied last cannot be told: this clone "
        "lacks the history between them, and it could not be fetched, or was rewritten.",
        "A shallow clone that cannot reach its remote.",
        "Let the checkout take the whole history: `fetch-depth: 0`, `GIT_DEPTH: 0`.",
    ),
    Code.NO_COMMIT: Explanation(
        "The catalogue is in a git checkout that git refuses to look at, because it belongs to "
        "another user. So the plan does not know its commit, nor whether files differ from it.",
        "A job that runs as root in a checkout of another user.",
        "If you trust the checkout: `git config --global --add safe.directory FOLDER`.",
    ),
    Code.DELETES_HAND_ENTERED_DATA: Explanation(
        "Products to be deleted have a size chart, a fabric or a comment that somebody entered by "
        "hand at Robosize. No call of the API can put these back.",
        "Data entered by hand at Robosize goes with 2 products to be deleted.",
        "Look twice. Keep the products (declare them, or `prune: none`), or rename them with "
        "`renamed_from`. The journal keeps a copy of what was removed.",
    ),
    # A failed list is never an empty list, so nothing is claimed (P6).
    Code.NOT_VERIFIED: Explanation(
        "Every change was applied, but the list that would prove it could not be read.",
        "The closing list could not be read, so nothing is proven.",
        "Run `reconciler plan`: it is empty if all is well.",
    ),
    # PATCH takes many ids and answers once for all of them.
    Code.BATCH_IN_PART: Explanation(
        "One call for many products took effect for some of them only; the others were sent again, "
        "each alone.",
        "A shared call did not take full effect: 3 products of it had to be sent again alone.",
        "Nothing. If it happens often, lower `requests: {batch: …}` in the settings.",
    ),
    # The API does not promise that a store_id is unique, and POST is not idempotent (P2).
    Code.CREATED_TWICE: Explanation(
        "The remote holds a product twice after it was created, though each call was made once: "
        "somebody else created it too, or the server carried out a call whose answer was lost.",
        "The remote holds 10482 2 times now.",
        "Remove the extra product at Robosize. Until then it is left untouched.",
    ),
    Code.CHANGED_MEANWHILE: Explanation(
        "Every change was applied, and the remote differs from the catalogue again: somebody else "
        "changes it.",
        "Everything was applied, but the remote differs again.",
        "Run `reconciler plan` to see what, and ask who else edits products at Robosize.",
    ),
    Code.NOT_WRITABLE: Explanation(
        "The remote has a value that no catalogue can hold, because it is missing, blank, or holds "
        "control characters, or a store_id with white space at its ends. A pull leaves it out; a "
        "product that could not be pulled because of it is blocked, and never deleted.",
        "The remote name of '10482' holds the control character U+0007, which no catalogue can "
        "hold: the product is left out.",
        "Fix the value at Robosize and pull again, or declare the product with a value of its own: "
        "the next apply sends that.",
    ),
    # The dead run may have written what its ledger does not know yet.
    Code.BROKE_A_LOCK: Explanation(
        "An earlier run died while it held the store, or did not renew its lock for five minutes; "
        "its lock was taken over. What it had begun was looked at before anything was sent.",
        "A run that died held the store: process 4711 on build-7.",
        "Nothing. Find out why the run died if you do not know.",
    ),
    # What the API never returns is known from the ledger only.
    Code.NO_LEDGER: Explanation(
        "A pipeline knows nothing of earlier runs: the ledger is a file, and the machine "
        "starts without it. Edits of image_url and type cannot be seen.",
        "Nothing is known of earlier runs: .reconciler/ledger/default.jsonl does not exist.",
        "Write `ledger: git` in reconciler.yaml, and let the job that applies push; or keep the "
        "folder .reconciler/ledger between runs.",
    ),
}

BLOCKS: Final[Mapping[Code, Explanation]] = {
    # Remote data is dirty: blocked products are told and never touched by accident.
    Code.DUPLICATE_REMOTE: Explanation(
        "The remote holds several products with one store_id, so nobody can tell which is meant. "
        "None of them is written or deleted.",
        "two products with store_id 77, ids 5f2c and 81aa",
        "Remove the extra ones at Robosize, or give them other store_ids there.",
    ),
    Code.MISSING_STORE_ID: Explanation(
        "A product at the remote has no store_id, so no declaration can mean it. It is never "
        "written or deleted.",
        '{"id": "5f2c", "store_id": null, "name": "Linen shirt"}',
        "Give it a store_id at Robosize, or remove it there.",
    ),
    Code.MISSING_ID: Explanation(
        "A product at the remote has no id that a call could name.",
        '{"id": null, "store_id": "10482"}',
        "Report it to Robosize: the API promises an id with every product.",
    ),
    # The API cannot merge two products, and a delete would destroy one of them.
    Code.RENAME_CONFLICT: Explanation(
        "A rename cannot be made, because its old and its new store_id are both at the remote. "
        "Neither is deleted.",
        'store_id: "2", renamed_from: "1", and the remote has 1 and 2',
        "Decide which of the two is the product: remove the other at Robosize, or remove "
        "`renamed_from`.",
    ),
    Code.RENAME_WAITS: Explanation(
        "A product cannot go to its store_id, because another one that stays has it; or renames "
        "that exchange store_ids were left half done, and go on together or not at all. Each stays "
        "where it is, and none is deleted.",
        "A and B were to swap; A stands aside as B~moving-5f2c, and what is at A now is blocked",
        "Settle the plan's other blocked products: the next plan then moves these. Or give each "
        "its store_id at Robosize by hand.",
    ),
    # Lists lag behind creates: a second POST could make a second product (P2).
    Code.NOT_LISTED_YET: Explanation(
        "A create was answered with an id, but the list does not show that product yet. Sending it "
        "again could make a second one, so it waits until it is listed, for an hour at the most.",
        "10482 was created as 5f2c two minutes ago, and the list lacks 5f2c",
        "Plan again later. If you know that the product is not there, apply with "
        "`--allow-recreate 10482`.",
    ),
}

REFUSALS: Final[Mapping[Code, Explanation]] = {
    Code.TOO_MANY_CREATES: Explanation(
        "A plan would create more products than `limits: {creates: …}` allows.",
        "The plan would create 600 products of 1000; the limit is 20%, or 5.",
        "Read the plan. If it is meant, apply with `--allow-creates 600`.",
    ),
    Code.TOO_MANY_DELETES: Explanation(
        "A plan would delete more products than `limits: {deletes: …}` allows (10 % of the remote, "
        "and always up to the floor of 5). Often a wrong folder or a bad merge is behind it.",
        "The plan would delete 40 products of 100; the limit is 10%, or 5.",
        "Read the plan. If it is meant, apply with `--allow-deletes 40`.",
    ),
    Code.TOO_MANY_UPDATES: Explanation(
        "A plan would change more products than `limits: {updates: …}` allows.",
        "The plan would change 600 products of 1000; the limit is 50%, or 5.",
        "Read the plan. If it is meant, apply with `--allow-updates 600`.",
    ),
    # A wrong folder looks exactly like this.
    Code.EMPTY_CATALOG: Explanation(
        "The catalogue declares no product at all, and the plan would change the remote.",
        "The catalogue declares no product, and the plan has 24 changes.",
        "Check the folder and --catalog. If it is meant, apply with `--allow-empty`.",
    ),
    Code.REFUSED: Explanation(
        "Apply stopped before its first write (exit code 3), because a guard refused the plan.",
        "Nothing was changed: The plan would delete 40 products of 100.",
        "Read the reasons; each comes with the flag that allows it.",
    ),
    # What was approved is what runs, or nothing (P4).
    Code.STALE_PLAN: Explanation(
        "A saved plan no longer fits (exit code 4): the remote, the ledger or what the settings "
        "protect is not as it was. Nothing was changed, because what would run is not what was "
        "reviewed.",
        "10482: name was 'Linen shirt' and is 'Linen shirt, long'",
        "Make a new plan, review it, and apply that.",
    ),
}
