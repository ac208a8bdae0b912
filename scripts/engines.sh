#!/usr/bin/env bash
# Newer Docker Engines for `make test-elsewhere`, under .cache/ and installed nowhere: Debian sid's 28, and 29, which no Debian
# has, built from its Go module. With runc of this machine: sid's wants a newer C library.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh
engine=github.com/moby/moby/v2/cmd/dockerd@v2.0.0-beta.24

if ! scripts/setup/debian.sh sid .cache/sid/engine docker.io containerd; then
    say "the scenarios on Engines 28 and 29 will be skipped"
    exit 0
fi
[ ! -x .cache/engine29/dockerd ] || exit 0
command -v go >/dev/null || fail "Engine 29 is built with Go 1.26 or newer, which is not here. Install it, then run this again."
rm -rf .cache/engine29.new
mkdir .cache/engine29.new
trap 'rm -rf .cache/engine29.new' EXIT
say "building $engine, which takes some minutes"
# Without C: nothing of it is needed, and no library of this machine.
(cd / && CGO_ENABLED=0 GOBIN="$OLDPWD/.cache/engine29.new" \
    go install -ldflags "-X github.com/moby/moby/v2/dockerversion.Version=29.0.0-beta.24" "$engine")
rm -rf .cache/engine29
mv .cache/engine29.new .cache/engine29
