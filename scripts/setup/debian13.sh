#!/usr/bin/env bash
# debian13.sh FOLDER PACKAGE…: unpacks Debian 13's packages into FOLDER without installing them, through the mirror and the keys
# that apt already uses on this Debian machine. apt's own lists and state stay as they are.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/setup/machine.sh

folder=$PWD/$1
shift
[ ! -e "$folder/.complete" ] || exit 0

mirror=$(debian_mirror) || fail "apt has no Debian mirror here, so Debian 13's $* cannot be had."
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || fail "$keyring is missing, so Debian 13's packages cannot be verified. Install debian-archive-keyring."

apt=$PWD/.cache/debian13/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/debs"
echo "deb [signed-by=$keyring] $mirror trixie main" >"$apt/sources.list"
options=(
    -qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt" -o APT::Get::List-Cleanup=0 -o APT::Sandbox::User=root -o Dir::State::status=/dev/null
)
apt-get "${options[@]}" update || fail "Debian 13's package lists could not be read from the mirror that apt uses."
rm -rf "$folder" "$folder.new"
mkdir -p "$folder.new"
for package in "$@"; do
    (cd "$apt/debs" && rm -f "${package}"_*.deb && apt-get "${options[@]}" download "$package") ||
        fail "Debian 13's $package could not be downloaded."
    dpkg -x "$apt/debs/${package}"_*.deb "$folder.new"
done
touch "$folder.new/.complete"
mv "$folder.new" "$folder"
