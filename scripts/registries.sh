#!/usr/bin/env bash
# This year's registry of the CNCF for `make test-registries`, built from its Go module into .cache/registries.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh
registry=github.com/distribution/distribution/v3@v3.1.2

[ ! -x .cache/registries/registry ] || exit 0
command -v go >/dev/null || fail "The registry is built with Go 1.25 or newer, which is not here. Install it, then run this again."

# Go holds the module's source against its checksum; what it may not write to is copied.
rm -rf .cache/registries.new
mkdir -p .cache/registries.new
trap 'rm -rf .cache/registries.new' EXIT
source=$(cd / && go mod download -json "$registry" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$source" .cache/registries.new/source
chmod -R u+w .cache/registries.new/source
say "building $registry, which takes some minutes"
(cd .cache/registries.new/source && go build -o ../registry ./cmd/registry)
rm -rf .cache/registries.new/source
mv .cache/registries.new .cache/registries
