"""Errors that end a command."""

from collections.abc import Mapping
from typing import Final

from reconciler.codes import Code
from reconciler.explain.entry import Explanation

ERRORS: Final[Mapping[Code, Explanation]] = {
    Code.USAGE: Explanation(
        "A command, an option or an argument is misspelled, missing, or makes no sense.",
        "reconciler paln    # did you mean plan?",
        "Read `reconciler COMMAND --help`.",
    ),
    Code.UNMATCHED_PATTERN: Explanation(
        "An expression of --select, --resend or --only matches no product. That is an error, so "
        "that a typing error does not look like `nothing to change`.",
        "reconciler plan --select 'tag=linnen'",
        "Correct the expression.",
    ),
    Code.NOT_CONFIRMED: Explanation(
        "An apply was not confirmed: the answer was no, or there was no terminal to ask on.",
        "reconciler apply    # in a pipeline",
        "Apply a saved plan (`reconciler apply plan.json`), or say --yes.",
    ),
    Code.BAD_SETTINGS: Explanation(
        "The settings cannot be used; every fault is listed with its file and line, or with its "
        "environment variable.",
        "reconciler.yaml:1:1: error: `prnue` is not a setting; did you mean `prune`?",
        "Fix reconciler.yaml or the variable. `reconciler schema settings` is for editors.",
    ),
    Code.NO_API_KEY: Explanation(
        "There is no API key for the store: the environment variable that should hold it is not "
        "set, or empty.",
        "the environment variable ROBOSIZE_API_KEY is not set or empty",
        "Set the variable to the key from your account manager at Robosize, in a pipeline as a "
        "secret; or try the command with --sandbox.",
    ),
    Code.BAD_CATALOG: Explanation(
        "The catalogue has errors, so nothing was compared or changed.",
        "The catalogue has 3 errors.",
        "Fix the files at the places named; `reconciler validate` lists them again, offline.",
    ),
    Code.BAD_EXPORT: Explanation(
        "A shop's export cannot be imported; every fault is listed with its row and column.",
        "The export has 3 errors; nothing was imported.",
        "Export the file again, and import it as it is. If it is not recognised, say what it is "
        "with --from, or which columns count with --id and --map.",
    ),
    Code.UNREACHABLE: Explanation(
        "No whole answer came from the server: its name, the connection, encryption or a time "
        "limit failed, after every repeat that was safe.",
        "no answer within 30 seconds",
        "Check the network, ROBOSIZE_API_URL and `requests: {proxy: …}`; then run it again.",
    ),
    Code.KEY_REFUSED: Explanation(
        "The server refused the API key (status 401 or 403).",
        "the key of a test account with the address of another",
        "Check which key the environment holds, and that it belongs to this address.",
    ),
    # A redirect is an error too, since following it would carry the key elsewhere (P5).
    Code.BAD_ANSWER: Explanation(
        "The server answered something other than its API documents: no JSON, a field of the wrong "
        "kind, a redirect.",
        "a page of a proxy that asks for a login",
        "Check ROBOSIZE_API_URL and the proxy. If the answer is Robosize's own, report it there.",
    ),
    Code.REJECTED: Explanation(
        "The server answered a call with a status that is not success.",
        "POST answered 400: store_id already exists",
        "Read what the server said. With status 429 or 5xx run it again later, or lower "
        "`requests: {rate: …}`.",
    ),
    # Pages are windows over a moving list, and half of it would mean deletes (P3) and second
    # creates (P2).
    Code.UNSTABLE_LIST: Explanation(
        "The list of products changed each time it was read, so it was never whole. What is "
        "missing from half a list must not look like a product that is gone.",
        "an import at Robosize is under way",
        "Run it again once nobody else changes products in bulk.",
    ),
    Code.BAD_LEDGER: Explanation(
        "The ledger, which remembers what was sent to fields that the API never returns, cannot be "
        "read.",
        ".reconciler/ledger/default.jsonl has a line that is not JSON",
        "Restore the file from a copy. Without it nothing is known and nothing is sent for such "
        "fields until they are edited: safe, but it forgets.",
    ),
    # Before the first write nothing is lost by stopping; after it the report is worth more.
    Code.LEDGER_NOT_WRITTEN: Explanation(
        "The ledger cannot be written. Before the first call that ends an apply without a write; "
        "later it is a warning, and what was sent will be sent again.",
        "`ledger: git` and the job may not push",
        "Make room or fix the permissions; for `ledger: git` let the job push to the repository.",
    ),
    Code.GIT: Explanation(
        "Git cannot be run, fails, or does not know a revision that was named.",
        "reconciler diff mian",
        "Check that git is installed and that the revision exists here; a pipeline's checkout may "
        "need its whole history (fetch-depth: 0).",
    ),
    Code.LOCKED: Explanation(
        "Another apply holds the store. Two at a time would each undo the other's view of it.",
        "the store is held by process 4711 on build-7",
        "Wait, or say --lock-timeout SECONDS: with 300 or more, a lock that its run does not renew "
        "is taken over. If that run is dead, `reconciler unlock` frees it at once.",
    ),
    Code.BAD_PLAN_FILE: Explanation(
        "A plan file is damaged, was edited, or was written by a newer version.",
        "reconciler apply report.json",
        "Make the plan again with `reconciler plan --out FILE`.",
    ),
    Code.UNTRUSTED_HOST: Explanation(
        "The settings file names a host that the key must not go to: not Robosize's, not this "
        "machine, and not named by the environment. Whoever can push a branch can write that file.",
        "stores: {default: {api_url: https://else.example/api/v1/product/}}",
        "If the host is yours, set RECONCILER_TRUSTED_HOSTS=else.example beside the key.",
    ),
    Code.OLDER_COMMIT: Explanation(
        "The commit is an ancestor of the one that was applied last, by the ledger in git: an old "
        "pipeline was run again, or two merges were applied in the wrong order.",
        "The commit 1a2b3c is older than 4d5e6f, which was applied last.",
        "Run the pipeline of the newest commit. To go back on purpose, revert the commit in git, "
        "or apply with `--allow-older`.",
    ),
    # Ids of one shop mean other products, or none, in another (P4).
    Code.OTHER_SHOP: Explanation(
        "A saved plan names another endpoint or store than the one it would be applied to. It was "
        "made from that shop's products, so here it would do what nobody has reviewed.",
        "reconciler plan --out plan.json    # with one ROBOSIZE_API_URL\n"
        "reconciler apply plan.json         # with another",
        "Apply it with the settings that it was made with, or make a plan of this shop.",
    ),
    Code.OUTPUT: Explanation(
        "The result could not be written: the disk is full, the pipe is closed, or the permission "
        "is missing. A result that was lost is never a success.",
        "reconciler plan --output /full/plan.md",
        "Make room, or write it elsewhere with --output FILE.",
    ),
    Code.MISSING_EXTRA: Explanation(
        "A feature needs an optional part of the package that is not installed.",
        "reconciler plan --sandbox",
        "The error's hint is the command that adds it to this installation, as in "
        "`pip install 'robosize-reconciler[sandbox]'`.",
    ),
    Code.INTERRUPTED: Explanation(
        "The command was asked to stop (exit code 130). Calls under way were let finish, and are "
        "recorded.",
        "Ctrl-C during an apply",
        "Run it again: it goes on from what was done.",
    ),
    Code.NOT_ATTEMPTED: Explanation(
        "A store of a fleet was not begun, because the run was interrupted, or because another "
        "store failed and --fail-fast was given. Nothing was sent.",
        "acme-de  Not attempted.; exit 130",
        "Run the fleet again; stores that are done have nothing to change.",
    ),
    Code.WORKER_LOST: Explanation(
        "The worker of a fleet that had this store ended before it had answered, or its answer "
        "cannot be read. What it had written is known to the store's ledger.",
        "6 workers died while they worked on this store.",
        "Give the workers more memory, and look at their logs. Then run it again: the next apply "
        "takes the lock over and looks at the remote before it sends anything.",
    ),
    Code.BUG: Explanation(
        "The tool met something that its authors did not think of. That is its fault, not yours.",
        "This is a bug in reconciler: KeyError: 'tags'",
        "Run it again with -v and report what it prints; keys are masked in it.",
    ),
}
