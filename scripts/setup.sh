#!/usr/bin/env bash
# Sets up what this project needs on a Debian or Ubuntu machine: Docker Engine, buildx, Compose, and .venv with `freshness`
# and act in it. Installs only what is missing, and says how where it may not install.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh
. scripts/setup/docker.sh
. scripts/setup/python.sh

mkdir -p .cache
need git git
ensure_engine
ensure_plugins
ensure_venv
