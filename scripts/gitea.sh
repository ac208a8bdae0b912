#!/usr/bin/env bash
# A real Gitea and its runner for tests/gitea, built from their Go modules into .cache/gitea; installed nowhere.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh
gitea=code.gitea.io/gitea@v1.26.0
runner=gitea.com/gitea/runner@v1.0.8

[ ! -d .cache/gitea ] || exit 0
command -v go >/dev/null || fail "Gitea is built with Go 1.26 or newer, which is not here. Install it, then run this again."
command -v gcc >/dev/null || fail "Gitea's database needs a C compiler. Run as root: apt-get install gcc libc6-dev"

rm -rf .cache/gitea.new
mkdir -p .cache/gitea.new
trap 'rm -rf .cache/gitea.new' EXIT

# fetch MODULE FOLDER: a copy of the module's source, which Go has held against its checksum.
fetch() {
    local source
    source=$(cd / && go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    cp -r "$source" "$2"
    chmod -R u+w "$2"
}

say "building $runner"
fetch "$runner" .cache/gitea.new/runner-source
(cd .cache/gitea.new/runner-source && go build -o ../runner .)
say "building $gitea, which takes some minutes"
fetch "$gitea" .cache/gitea.new/gitea-source
(cd .cache/gitea.new/gitea-source && go build -tags "sqlite sqlite_unlock_notify" -ldflags "-X main.Version=${gitea#*@v}" -o ../gitea .)
mv .cache/gitea.new/gitea-source/{options,public,templates} .cache/gitea.new/
rm -rf .cache/gitea.new/*-source
mv .cache/gitea.new .cache/gitea
