#!/usr/bin/env bash
# Newer Docker Engines for `make test-elsewhere`, under .cache/ and installed nowhere: Debian sid's 28, with runc of this
# machine; and 29, which no Debian has, built from its Go module, with a runc of its own: it wants 1.2 or newer.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh
engine=github.com/moby/moby/v2/cmd/dockerd@v2.0.0-beta.24
version=29.0.0-beta.24
runc=github.com/opencontainers/runc@v1.3.4
new=$PWD/.cache/engine29.new

if ! scripts/setup/debian.sh sid .cache/sid/engine docker.io containerd; then
    say "the scenarios on Engines 28 and 29 will be skipped"
    exit 0
fi
if [ -x .cache/engine29/dockerd ] && [ -x .cache/engine29/runc ]; then exit 0; fi
for program in go gcc pkg-config; do
    command -v "$program" >/dev/null || fail "Engine 29 is built with $program, which is not here. Install it, then run this again."
done

rm -rf "$new"
mkdir "$new"
trap 'rm -rf "$new"' EXIT
say "building $engine and $runc, which takes some minutes"
# Go holds the modules against their checksums. Without C where that is not needed: a library is this machine's.
(cd / && CGO_ENABLED=0 GOBIN=$new go install -ldflags "-X github.com/moby/moby/v2/dockerversion.Version=$version" "$engine")
(cd "$new" && apt-get -qq -o APT::Sandbox::User=root download libseccomp-dev && dpkg -x ./*.deb seccomp)
folder=$(dirname "$(find "$new/seccomp" -name libseccomp.a)")
(cd / && CGO_CFLAGS="-I$new/seccomp/usr/include" CGO_LDFLAGS="-L$folder" PKG_CONFIG_PATH="$folder/pkgconfig" \
    PKG_CONFIG_SYSROOT_DIR="$new/seccomp" GOBIN=$new go install -tags seccomp "$runc")
rm -rf "$new/seccomp" "$new"/*.deb .cache/engine29
mv "$new" .cache/engine29
