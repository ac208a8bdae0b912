#!/usr/bin/env bash
# What only the tests need, unpacked under .cache/ and installed nowhere: Debian 13's Engine with the containerd image store,
# and a static BusyBox for an image that holds nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh

need ip iproute2
if ! scripts/setup/debian13.sh .cache/debian13/engine docker.io containerd; then
    say "the scenarios on Debian 13's Engine will be skipped"
fi

[ ! -x .cache/busybox/busybox ] || exit 0
rm -rf .cache/busybox .cache/busybox.new
mkdir -p .cache/busybox.new/unpacked
if ! (cd .cache/busybox.new && apt-get -qq -o APT::Sandbox::User=root download busybox-static && dpkg -x ./*.deb unpacked); then
    say "apt has no busybox-static: the scenarios on an image without a shell will be skipped"
    exit 0
fi
find .cache/busybox.new/unpacked -path '*bin/busybox' -type f -exec cp {} .cache/busybox.new/busybox \;
mv .cache/busybox.new .cache/busybox
