#!/usr/bin/env bash
# The steps of the reconcile action: reconcile.sh STEP.
#
# All that they are told comes from the environment: the action's inputs as INPUT_..., the facts of
# the pull request, and the runner's own GITHUB_... and RUNNER_TEMP.
set -euo pipefail

results=$RUNNER_TEMP/reconciler
mkdir -p "$results"
cd -- "${INPUT_FOLDER:-.}"

if [[ -n ${INPUT_API_KEY:-} ]]; then export ROBOSIZE_API_KEY=$INPUT_API_KEY; fi

catalog=()
if [[ -n ${INPUT_CATALOG:-} ]]; then catalog=(--catalog "$INPUT_CATALOG"); fi
store=()
if [[ -n ${INPUT_STORE:-} ]]; then store=(--store "$INPUT_STORE"); fi
allow=()
if [[ -n ${INPUT_ALLOW_DELETES:-} ]]; then allow+=(--allow-deletes "$INPUT_ALLOW_DELETES"); fi
if [[ -n ${INPUT_ALLOW_UPDATES:-} ]]; then allow+=(--allow-updates "$INPUT_ALLOW_UPDATES"); fi

# A pull request from a fork, or of Dependabot, is given no secrets, and its token may write nothing.
from_fork() {
  [[ -n ${HEAD_REPOSITORY:-} && $HEAD_REPOSITORY != "$GITHUB_REPOSITORY" ]] && return
  [[ -z ${INPUT_API_KEY:-} && -n ${HEAD_REPOSITORY:-} ]] &&
    [[ ${AUTHOR:-} == "dependabot[bot]" || ${GITHUB_ACTOR:-} == "dependabot[bot]" ]]
}

# pip installs what INPUT_PACKAGE says and nothing that only has the name: whoever owns that name at an
# index would be run with the key.
install() {
  local package=${INPUT_PACKAGE:-} beside=$GITHUB_ACTION_PATH/../../..
  # Another use of the action in the same job may have left its plan: it is not this one's. What the
  # jobs of a fleet have left was fetched for this one.
  find "$results" -maxdepth 1 -type f ! -name '*.fleet.json' -delete
  if [[ -z $package ]] && grep -qs '^name = "robosize-reconciler"' "$beside/pyproject.toml"; then
    package="${beside}[sandbox]"
  fi
  if [[ -z $package ]]; then
    echo "::error::Nobody has said where reconciler is installed from. Set the input 'package' of the action: its default in action.yml, or in each workflow."
    return 1
  fi
  # An environment of its own: the job's packages stay what they were.
  # Isolated (-I): else a file of the repository called like a module would be run in its place.
  python -I -m venv "$RUNNER_TEMP/reconciler-venv"
  "$RUNNER_TEMP/reconciler-venv/bin/python" -I -m pip install --quiet --disable-pip-version-check "$package"
  echo "$RUNNER_TEMP/reconciler-venv/bin" >>"$GITHUB_PATH"
}

# What the comment says instead of a plan, if there is none: TITLE, and the file that tells why.
no_plan() {
  {
    printf '\n### %s\n\nThere is no plan of this commit.\n\n' "$1"
    # Indented, so that nothing in the text can end the block.
    head -c 20000 "$2" | sed 's/^/    /'
  } >"$results/plan.md"
}

validate() {
  local code=0
  reconciler validate "${catalog[@]}" --format github >"$results/said.txt" || code=$?
  # A plan warns of the same again, so its log has the warnings once.
  if ((code != 0)) || [[ ${INPUT_COMMAND:-validate} == validate ]]; then cat "$results/said.txt"; fi
  if ((code != 0)); then
    reconciler validate "${catalog[@]}" >"$results/said.txt" 2>&1 || true
    no_plan "The catalogue has faults" "$results/said.txt"
  fi
  return "$code"
}

plan() {
  local base=${INPUT_BASE:-} code=0 formats only=() rehearse=()
  # In full: origin/main alone would be a tag of that name, if somebody has pushed one.
  if [[ -z $base && -n ${GITHUB_BASE_REF:-} ]]; then base=refs/remotes/origin/$GITHUB_BASE_REF; fi
  if [[ -z $base && $INPUT_COMMAND == drift ]]; then base=HEAD; fi
  if [[ $INPUT_COMMAND == apply ]]; then
    # What was reviewed, and nothing that others have changed at Robosize since.
    only=(--only edit --only both)
    base=${base:-applied}
  fi
  if [[ $INPUT_COMMAND == plan && ${INPUT_REHEARSE:-} == true ]]; then rehearse=(--rehearse); fi
  if from_fork; then
    echo "::notice::This pull request has no key (it is from a fork, or of Dependabot). Shown is what it changes in the catalogue, whatever is at the remote."
    for formats in markdown:plan.md html:plan.html; do
      code=0
      reconciler diff "${base:?name the base to compare with}" "${store[@]}" "${catalog[@]}" \
        --detailed-exitcode --format "${formats%%:*}" --output "$results/${formats#*:}" || code=$?
      ((code == 0 || code == 2)) || exit "$code"
    done
  else
    if [[ -n ${INPUT_PLAN:-} ]]; then
      cp -- "$INPUT_PLAN" "$results/plan.json"
      reconciler show "$results/plan.json" --format github
    else
      reconciler plan "${store[@]}" "${catalog[@]}" "${allow[@]}" ${base:+--base "$base"} "${only[@]}" \
        "${rehearse[@]}" --detailed-exitcode --out "$results/plan.json" --format github 2>"$results/said.txt" || code=$?
      cat "$results/said.txt" >&2
      if ((code != 0 && code != 2)); then
        no_plan "The plan could not be made" "$results/said.txt"
        exit "$code"
      fi
    fi
    reconciler --quiet show "$results/plan.json" --format markdown --without-records --output "$results/plan.md" 2>/dev/null
    reconciler --quiet show "$results/plan.json" --format html --without-records --output "$results/plan.html" 2>/dev/null
  fi
  cat "$results/plan.md" >>"$GITHUB_STEP_SUMMARY"
  {
    echo "changes=$([[ $code == 2 ]] && echo true || echo false)"
    echo "folder=$results"
  } >>"$GITHUB_OUTPUT"
}

# The first of the comments or issues that begins with MARKER, by its id. Only what this token's
# owner wrote counts, whoever else begins a text like that.
find_own() {
  local found
  found=$(gh api graphql --paginate \
    --raw-field owner="${GITHUB_REPOSITORY%%/*}" --raw-field name="${GITHUB_REPOSITORY#*/}" "$@" \
    --jq '.data.repository | (.pullRequest // .).found.nodes[]
      | select(.viewerDidAuthor and (.body | startswith(env.MARKER))) | .id') || return 1
  printf '%s' "${found%%$'\n'*}"
}

comment() {
  if [[ -z ${PULL_REQUEST:-} ]] || from_fork; then return; fi
  # A hidden first line by which the comment is found again, whatever became of the plan.
  MARKER="<!-- reconciler:${INPUT_STORE:-default} -->"
  export MARKER
  if [[ ! -s $results/plan.md ]]; then
    echo "The job failed before the plan; its log tells why." >"$results/said.txt"
    no_plan "The plan could not be made" "$results/said.txt"
  fi
  {
    echo "$MARKER"
    tail -n +2 "$results/plan.md"
    printf '\n<sub>Commit %s, %s. [The run, with the page](%s).</sub>\n' "${HEAD_SHA:-$GITHUB_SHA}" \
      "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
      "${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY/actions/runs/${GITHUB_RUN_ID:-}#artifacts"
  } >"$results/comment.md"
  mv -- "$results/comment.md" "$results/plan.md"
  if ! comment_in_place; then
    echo "::warning::The plan could not be put on the pull request. Has the job the permission pull-requests: write? The plan is in the job's summary."
  fi
}

comment_in_place() {
  local own
  # shellcheck disable=SC2016  # the dollars are GraphQL's
  own=$(find_own --field number="$PULL_REQUEST" --raw-field query='
    query($owner: String!, $name: String!, $number: Int!, $endCursor: String) {
      repository(owner: $owner, name: $name) {
        pullRequest(number: $number) {
          found: comments(first: 100, after: $endCursor) {
            pageInfo { hasNextPage endCursor }
            nodes { id: databaseId body viewerDidAuthor }
          }
        }
      }
    }') || return 1
  if [[ -n $own ]]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$own" \
      --field "body=@$results/plan.md"
  else
    gh pr comment "$PULL_REQUEST" --repo "$GITHUB_REPOSITORY" --body-file "$results/plan.md"
  fi
}

apply() {
  local code=0
  reconciler apply "${store[@]}" "${catalog[@]}" "${allow[@]}" --lock-timeout 300 \
    --report "$results/report.json" -- "$results/plan.json" >"$results/report.txt" || code=$?
  cat "$results/report.txt"
  # Indented, so that nothing in a product's name can end the block.
  { printf '\n#### Applied\n\n' && sed 's/^/    /' "$results/report.txt"; } >>"$GITHUB_STEP_SUMMARY"
  return "$code"
}

issue() {
  local own
  MARKER=$(head -n 1 "$results/plan.md")
  MARKER=${MARKER/reconciler:/reconciler-drift:}
  export MARKER
  # shellcheck disable=SC2016  # the dollars are GraphQL's
  own=$(find_own --raw-field query='
    query($owner: String!, $name: String!, $endCursor: String) {
      repository(owner: $owner, name: $name) {
        found: issues(first: 100, after: $endCursor, states: OPEN) {
          pageInfo { hasNextPage endCursor }
          nodes { id: number body viewerDidAuthor }
        }
      }
    }')
  if [[ $CHANGES != true ]]; then
    if [[ -n $own ]]; then
      gh issue close "$own" --repo "$GITHUB_REPOSITORY" \
        --comment "The remote is equal to the catalogue again."
    fi
    return
  fi
  {
    echo "$MARKER"
    echo "The remote is not what the catalogue declares. Run \`reconciler pull --write\` to bring the"
    echo "catalogue up to it, or apply the catalogue again. This issue is kept up to date, and closed"
    echo "once there is no difference."
    echo
    cat "$results/plan.md"
  } >"$RUNNER_TEMP/issue.md"
  if [[ -n $own ]]; then
    gh issue edit "$own" --repo "$GITHUB_REPOSITORY" --body-file "$RUNNER_TEMP/issue.md"
  else
    gh issue create --repo "$GITHUB_REPOSITORY" --body-file "$RUNNER_TEMP/issue.md" \
      --title "The remote differs from the catalogue (store ${INPUT_STORE:-default})"
  fi
}

fleet() {
  case $INPUT_FLEET in
    list | plan | apply | comment) "fleet_$INPUT_FLEET" ;;
    *)
      echo "::error::A fleet has no step '$INPUT_FLEET': list, plan, apply or comment."
      return 1
      ;;
  esac
}

fleet_list() {
  local matrix
  reconciler validate --format github
  matrix=$(reconciler fleet list --format github-matrix)
  echo "matrix=$matrix" >>"$GITHUB_OUTPUT"
}

# The stores of this job, as options in the array `chosen`, and a file for what became of them.
fleet_job() {
  local name names
  read -r -a names <<<"${INPUT_STORES:?name the stores of this job}"
  chosen=()
  for name in "${names[@]}"; do chosen+=(--store "$name"); done
  told=$results/${names[0]}.fleet.json
}

# Runs a command with the keys that this job's stores name, and with no other secret.
with_keys() {
  local python=$RUNNER_TEMP/reconciler-venv/bin/python
  if [[ ! -x $python ]]; then python=python3; fi
  "$python" -I -c '
import json, os, subprocess, sys
secrets = json.loads(os.environ.pop("INPUT_SECRETS", "") or "{}")
chosen, command = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
listed = subprocess.run(
    ["reconciler", "fleet", "list", "--format", "json", *chosen], check=True, stdout=subprocess.PIPE
)
for store in json.loads(listed.stdout)["stores"]:
    name = store["api_key_env"]
    if "ROBOSIZE" in name and secrets.get(name):
        os.environ[name] = secrets[name]
os.execvp(command[0], command)
' "${chosen[@]}" -- "$@"
}

fleet_plan() {
  local base=${INPUT_BASE:-} code=0
  if [[ -z $base && -n ${GITHUB_BASE_REF:-} ]]; then base=refs/remotes/origin/$GITHUB_BASE_REF; fi
  fleet_job
  with_keys reconciler fleet plan "${chosen[@]}" "${allow[@]}" ${base:+--base "$base"} \
    --details --format json --output "$told" || code=$?
  if [[ -s $told ]]; then reconciler fleet show "$told"; fi
  return "$code"
}

# As for one store: what was edited since the commit that was applied last, planned again now.
fleet_apply() {
  local code=0
  fleet_job
  with_keys reconciler fleet apply --yes "${chosen[@]}" "${allow[@]}" --lock-timeout 300 \
    --base applied --only edit --only both --details --format json --output "$told" || code=$?
  if [[ -s $told ]]; then
    reconciler fleet show "$told"
    reconciler fleet show "$told" --format markdown | tail -n +2 >>"$GITHUB_STEP_SUMMARY"
  fi
  return "$code"
}

# One comment for the jobs of all stores. A job that has left nothing is told as missing.
fleet_comment() {
  local files
  MARKER="<!-- reconciler-fleet -->"
  export MARKER
  shopt -s nullglob
  files=("$results"/*.fleet.json)
  if ((${#files[@]} == 0)); then
    echo "No job has left a plan; their logs tell why." >"$results/said.txt"
    no_plan "The fleet could not be planned" "$results/said.txt"
  else
    reconciler --quiet fleet show --all-stores "${files[@]}" --format markdown --output "$results/plan.md"
  fi
  {
    echo "$MARKER"
    tail -n +2 "$results/plan.md"
    printf '\n<sub>Commit %s, %s.</sub>\n' "${HEAD_SHA:-$GITHUB_SHA}" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  } >"$results/comment.md"
  mv -- "$results/comment.md" "$results/plan.md"
  cat "$results/plan.md" >>"$GITHUB_STEP_SUMMARY"
  if [[ -n ${PULL_REQUEST:-} ]] && ! comment_in_place; then
    echo "::warning::The plans could not be put on the pull request. Has the job the permission pull-requests: write? They are in the job's summary."
  fi
}

case ${1:-} in
  install | validate | plan | comment | apply | issue | fleet) "$1" ;;
  *)
    echo "There is no step '${1:-}'." >&2
    exit 1
    ;;
esac
