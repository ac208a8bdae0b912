#!/usr/bin/env bash
# Software:    pytest 9.2.0 with pytest-xdist 3.8.0, from PyPI, Python 3.11; beside them pytest 9.1.1.
# Expectation: `--dist loadgroup` runs all tests that are marked with one `xdist_group` in one worker, as xdist documents.
# Behaviour:   With pytest 9.2.0 they are dealt out to all workers, without any warning, and the tests pass: what relied on
#              the group (one Engine, one port) is no longer kept apart. xdist writes the group behind the private `_nodeid`
#              of an item, and from there asks for `nodeid`. With pytest 9.1.1 the group is kept.
# Output seen: pytest 9.1.1: 1 worker ran the 12 tests of the group · pytest 9.2.0: 2 workers
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
mkdir tests
for module in one two; do
    cat >"tests/test_$module.py" <<'PYTHON'
import os
import time

import pytest


@pytest.mark.xdist_group("database")
@pytest.mark.parametrize("number", range(6))
def test_says_where_it_runs(number, worker_id):
    time.sleep(0.1)
    with open(os.environ["WORKERS"], "a") as file:
        print(worker_id, file=file)
PYTHON
done

workers() { # VERSION: how many workers ran the tests of the group
    venv/bin/pip install --quiet --disable-pip-version-check "pytest==$1" pytest-xdist==3.8.0
    WORKERS="$folder/$1" venv/bin/python -m pytest -q -p no:cacheprovider -n 2 --dist loadgroup tests >/dev/null
    sort -u "$1" | wc -l
}

before=$(workers 9.1.1)
now=$(workers 9.2.0)
echo "pytest 9.1.1: $before worker ran the 12 tests of the group · pytest 9.2.0: $now workers"
[ "$before $now" = "1 2" ] || { echo "this has changed" >&2; exit 1; }
