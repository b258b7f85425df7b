# Every target works from a bare clone: the first one that needs it makes .venv, later ones use it.

.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
# The package alone, without what develops it: enough for the demo, in less than half the time.
USABLE := $(VENV)/.usable

# Pythons to try, newest first; make PYTHONS=/path/to/python chooses one.
PYTHONS ?= python3.15 python3.14 python3.13 python3.12 python3.11 python3 python
# Test processes; the suite is written for two cores.
JOBS ?= 2
# More for pytest: make test TESTFLAGS="-k ledger".
TESTFLAGS ?=

CI_TEMPLATES := reconciler/templates/ci
SCHEMA := $(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor
PURE := reconciler/model/*,reconciler/planning/*

# A .venv whose Python has gone (an upgrade), or that was made elsewhere (a moved clone: its scripts
# name the old place), is made anew.
ifneq ($(shell $(PYTHON) -c '' 2>/dev/null && cat $(USABLE) 2>/dev/null),$(CURDIR))
$(shell rm -f $(READY) $(USABLE))
endif

.PHONY: help demo test check lint types floors fmt cover measured package docs bench soak clean

help: ## Show this list
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1 \2/p' $(MAKEFILE_LIST) \
		| while read -r target text; do printf '  %-10s %s\n' "$$target" "$$text"; done

demo: $(USABLE) ## Plan and apply the example catalogue against a local server; needs no key
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" sh -eu -c "$$demo"

test: $(READY) ## Run the tests
	@$(PYTHON) -m pytest -n $(JOBS) --dist worksteal $(TESTFLAGS)

check: lint types floors cover package ## All that CI asks of a change

lint: $(READY) ## Check style and format, scripts and pipelines
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check --quiet . \
		|| { echo "Some files are not formatted: run make fmt."; exit 1; }
	@$(VENV)/bin/shellcheck .ci/run .github/actions/reconcile/reconcile.sh
	@$(SCHEMA).github-actions .github/actions/reconcile/action.yml
	@$(SCHEMA).github-workflows .github/workflows/*.yml $(CI_TEMPLATES)/github/*-*.yml
	@$(SCHEMA).github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	@$(SCHEMA).github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(SCHEMA).dependabot .github/dependabot.yml
	@$(SCHEMA).gitlab-ci --data-transform gitlab-ci $(CI_TEMPLATES)/gitlab/.gitlab-ci.yml

types: $(READY) ## Check types
	@$(PYTHON) -m mypy --no-error-summary

floors: $(READY) ## Check that imports only go down
	@$(VENV)/bin/lint-imports --no-logo

fmt: $(READY) ## Format the code and fix what can be fixed by machine
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

cover: $(READY) ## Run the tests and check how much of the code they reach
	@$(MAKE) --no-print-directory test TESTFLAGS="$(TESTFLAGS) --cov --cov-report="
	@$(MAKE) --no-print-directory measured

measured: $(READY)
	@echo "coverage of the pure floors, which must be whole:"
	@$(PYTHON) -m coverage report --include "$(PURE)" --fail-under 100
	@echo "coverage of the rest:"
	@$(PYTHON) -m coverage report --omit "$(PURE)" --fail-under 90

package: $(READY) ## Build the wheel, check what is in it, and run it from a fresh environment
	@$(PYTHON) -m tests.wheel

docs: $(READY) ## Write the parts of README.md that come from the code, and its pictures
	@$(PYTHON) -m tests.readme --write
	@$(PYTHON) -m tests.pictures

bench: $(READY) ## Measure speed and memory
	@$(PYTHON) -m tests.benchmarks

soak: $(READY) ## Run the property tests for much longer
	@$(PYTHON) -m pytest -n $(JOBS) --dist worksteal --hypothesis-profile=soak $(TESTFLAGS)

clean: ## Remove what make and the tools left in this folder
	@rm -rf $(VENV) dist build .coverage .coverage.* htmlcov .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .reconciler .ruff_cache
	@find reconciler tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@EXTRAS=sandbox,watch,xlsx,dev sh -eu -c "$$set_up"
	@pwd >$(READY)

$(USABLE): pyproject.toml
	@EXTRAS=sandbox sh -eu -c "$$set_up"

# Shell scripts of several lines, handed to sh through the environment, as old makes can.

define set_up
log=$$(mktemp)
trap 'rm -f "$$log"' EXIT
trap 'exit 130' INT TERM
stop() { printf '%s\n' "$$@" >&2; exit 1; }

# A name on the PATH proves nothing (version managers put stubs there), so each one is run.
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
old_or_bare=
python=
for candidate in $(PYTHONS); do
  "$$candidate" -c "$$new_enough" >/dev/null 2>&1 || continue
  if "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    python=$$candidate
    break
  fi
  old_or_bare=$$candidate
done
if [ -z "$$python" ] && [ -n "$$old_or_bare" ]; then
  stop "$$old_or_bare cannot make virtual environments: its venv or ensurepip module is missing." \
    "Install it (Debian, Ubuntu: apt-get install python3-venv) and run make again."
fi
[ -n "$$python" ] || stop "No Python 3.11 or newer was found (tried: $(PYTHONS))." \
  "Install one, or name it: make PYTHONS=/path/to/python3."

echo "Setting up $(VENV) with $$("$$python" --version) (once, and when pyproject.toml changes):"
if ! $(VENV)/bin/pip --version >/dev/null 2>&1; then
  echo "  an environment ..."
  rm -rf $(VENV)
  "$$python" -m venv $(VENV) >"$$log" 2>&1 \
    || { rm -rf $(VENV); cat "$$log"; stop "$(VENV) could not be made; see above."; }
fi
echo "  the packages, one by one ..."
failed=$(VENV)/.failed
rm -f "$$failed"
# Not compiled now: Python compiles what a command loads, and most commands load little.
{ $(PYTHON) -m pip install --no-compile --disable-pip-version-check --editable ".[$$EXTRAS]" 2>&1 \
  || touch "$$failed"; } | tee "$$log" | sed -n 's/^.*Collecting \([A-Za-z0-9._-]*\).*/    \1/p'
if [ -e "$$failed" ]; then
  cat "$$log"
  stop "The dependencies could not be installed; see above." \
    "Is the package index reachable? Then run make again."
fi
# pip writes no code of what it only links to.
$(PYTHON) -m compileall -q reconciler
pwd >$(USABLE)
endef
export set_up

define demo
shop=$$(mktemp -d "$${TMPDIR:-/tmp}/reconciler-demo.XXXXXX")
trap 'exit 130' INT TERM
cp -R catalog "$$shop"
mv "$$shop/catalog/_reconciler.yaml" "$$shop/reconciler.yaml"
cd "$$shop"
unset ROBOSIZE_API_KEY ROBOSIZE_API_URL
say() { echo; printf '%s\n' "$$@"; }
run() { printf '\n$$ %s\n' "$$*"; "$$@"; }

say "A shop's catalogue in YAML, and a local server that has drifted away from it."
run reconciler validate
run reconciler sandbox --seed drifted --seed-only

say "What would change? The plan is saved, to be applied exactly as it is shown."
run reconciler plan --sandbox --out plan.json
reconciler --quiet show plan.json --format html --output plan.html 2>/dev/null

say "Do it."
run reconciler apply plan.json --sandbox

say "And now? Exit code 0 says that there is nothing left to change."
run reconciler plan --sandbox --detailed-exitcode

say "Somebody gives the linen shirt a new picture and a tag, as in a pull request ..."
sed 's|0117/front.jpg|0117/front-v2.jpg|; s|\[linen, summer, women\]|[linen, new, summer, women]|' \
  catalog/women/tops.yaml >edited && mv edited catalog/women/tops.yaml
run reconciler plan --sandbox
reconciler --quiet plan --sandbox --format html --output edit.html 2>/dev/null

say "... and this is what a reviewer sees: a page to search and filter, in any browser." \
  "  $$shop/plan.html   the first plan" "  $$shop/edit.html   the edit, with both pictures"
if [ -t 1 ] && [ "$$(uname)" = Darwin ]; then open plan.html
elif [ -t 1 ] && [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null; then
  xdg-open plan.html >/dev/null 2>&1 || true
fi
say "To go on, in this shell:" \
  "  . $(CURDIR)/$(VENV)/bin/activate && cd $$shop" \
  "  \$$EDITOR catalog/women/tops.yaml    change, add or remove a product" \
  "  reconciler plan --sandbox           see what that means, on the demo's own server" \
  "With your own shop: README.md, 'Your own shop'. The folder can be removed at any time."
endef
export demo
