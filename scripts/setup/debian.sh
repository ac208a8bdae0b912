#!/usr/bin/env bash
# debian.sh SUITE FOLDER PACKAGE…: unpacks packages of this suite of Debian into FOLDER without installing them, through the
# mirror and the keys that apt already uses on this Debian machine. apt's own lists and state stay as they are.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/setup/machine.sh

suite=$1
folder=$PWD/$2
shift 2
[ ! -e "$folder/.complete" ] || exit 0

mirror=$(debian_mirror) || fail "apt has no Debian mirror here, so Debian $suite's $* cannot be had."
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || fail "$keyring is missing, so Debian $suite's packages cannot be verified. Install debian-archive-keyring."

apt=$(dirname "$folder")/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/debs"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
# sid's lists are said to be valid for a week: a mirror may lag behind. What they name is verified all the same.
options=(
    -o Acquire::Check-Valid-Until=no
    -qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt" -o APT::Get::List-Cleanup=0 -o APT::Sandbox::User=root -o Dir::State::status=/dev/null
)
apt-get "${options[@]}" update || fail "Debian $suite's package lists could not be read from the mirror that apt uses."
rm -rf "$folder" "$folder.new"
mkdir -p "$folder.new"
for package in "$@"; do
    (cd "$apt/debs" && rm -f "${package}"_*.deb && apt-get "${options[@]}" download "$package") ||
        fail "Debian $suite's $package could not be downloaded."
    dpkg -x "$apt/debs/${package}"_*.deb "$folder.new"
done
touch "$folder.new/.complete"
mv "$folder.new" "$folder"
