"""Examples for the help of each command; a test parses every one of them."""

from collections.abc import Mapping, Sequence
from typing import Final

FIRST_COMMANDS: Final = (
    ("reconciler init", "files; with ROBOSIZE_API_KEY your products too"),
    ("reconciler plan", "what would change at Robosize; writes nothing"),
    ("reconciler apply", "shows that again, asks, and does it"),
)
"""The three commands to start with."""

EXAMPLES: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "init": (
        ("reconciler init", "in this folder"),
        ("reconciler init shop --ci gitlab", "in a folder of its own, with GitLab's pipeline"),
    ),
    "validate": (
        ("reconciler validate", "everything"),
        ("reconciler validate catalog/women", "only what concerns these files"),
        ("reconciler validate --rules", "the lint rules and their levels"),
    ),
    "fmt": (
        ("reconciler fmt", "everything"),
        ("reconciler fmt --check", "tell which files lack it, and exit with 2"),
    ),
    "plan": (
        ("reconciler plan", "everything"),
        ("reconciler plan --summary", "only the counts and the warnings"),
        ("reconciler plan --select 'tag=linen' --select '104*'", "some products"),
        ("reconciler plan --format html --output plan.html", "a page to search and filter"),
        ("reconciler plan --out plan.json", "to be applied later, exactly as it is"),
    ),
    "apply": (
        ("reconciler apply", "plan, show, ask, apply"),
        ("reconciler apply plan.json", "apply what was reviewed, or nothing"),
        ("reconciler apply --dry-run", "print the calls"),
    ),
    "rehearse": (
        ("reconciler rehearse", "the plan of now"),
        ("reconciler rehearse plan.json", "a saved one"),
    ),
    "show": (
        ("reconciler show plan.json --format markdown", "a saved plan as a comment"),
        ("reconciler show", "what deletes have removed"),
    ),
    "pull": (
        ("reconciler pull", "the difference"),
        ("reconciler pull --write", "and into the files with it"),
    ),
    "import": (
        ("reconciler import products.csv", "the difference to a Shopify export, say"),
        ("reconciler import products.csv --write", "and into the files with it"),
    ),
    "status": (
        ("reconciler status", "the numbers"),
        ("reconciler status --list no-image", "the products behind one of them"),
    ),
    "schema": (("reconciler schema catalog", "for an editor"),),
    "explain": (
        ("reconciler explain unconfirmed", "one code"),
        ("reconciler explain", "all of them"),
    ),
    "diff": (
        ("reconciler diff origin/main", "what this branch changes"),
        ("reconciler diff v1..v2 --summary", "between two revisions, in numbers"),
    ),
    "log": (("reconciler log", "what was applied"),),
    "ledger": (("reconciler ledger show 10482", "what is remembered of one product"),),
    "ledger show": (("reconciler ledger show 10482", "what is remembered of one product"),),
    "ledger move": (("reconciler ledger move file git", "into the repository"),),
    "restore": (
        ("reconciler restore", "what could come back"),
        ("reconciler restore 10482 --write", "one product, into a file"),
    ),
    "unlock": (("reconciler unlock", "after a run that was killed on another machine"),),
    "fleet": (("reconciler fleet plan", "the plans of all stores"),),
    "fleet plan": (
        ("reconciler fleet plan --store 'acme-*'", "of some stores"),
        ("reconciler fleet plan --out plans", "saved, to be applied later"),
    ),
    "fleet apply": (("reconciler fleet apply plans", "what `fleet plan --out plans` saved"),),
    "fleet status": (("reconciler fleet status", "all stores"),),
    "fleet show": (("reconciler fleet show a.json b.json", "the results of two jobs as one"),),
    "fleet list": (("reconciler fleet list", "all stores"),),
    "fleet unlock": (("reconciler fleet unlock --store acme-de", "one of them"),),
    "watch": (
        ("reconciler watch", "every 15 minutes, with a page on port 9464"),
        ("reconciler watch --every 1h --apply", "and apply what is planned"),
    ),
    "sandbox": (
        ("reconciler sandbox", "on port 8765"),
        ("reconciler sandbox --seed drifted --seed-only", "fill the data of `--sandbox`"),
    ),
}
"""The examples of each command, each with what it does."""
