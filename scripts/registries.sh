#!/usr/bin/env bash
# This year's registry of the CNCF for `make test-registries`, and crane, with which `make bench` compares; built from their Go
# modules into .cache/registries.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh
crane=github.com/google/go-containerregistry/cmd/crane@v0.20.7
registry=github.com/distribution/distribution/v3@v3.1.2

if [ -x .cache/registries/registry ] && [ -x .cache/registries/crane ]; then exit 0; fi
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
rm -rf .cache/registries.new/source .cache/registries
(cd / && GOBIN="$OLDPWD/.cache/registries.new" go install "$crane")
mv .cache/registries.new .cache/registries
