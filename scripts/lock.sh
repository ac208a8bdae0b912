#!/usr/bin/env bash
# Turns each requirements/*.in into a hash-locked .txt that holds for every platform and names no address.
set -euo pipefail
cd "$(dirname "$0")/.."

for wanted in requirements/action.in requirements/board.in requirements/dev.in requirements/browser/browser.in; do
    .venv/bin/uv pip compile --quiet --system-certs --universal --python-version 3.11 --no-build --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$@" "$wanted" --output-file "${wanted%.in}.txt"
done
