#!/usr/bin/env bash
# What only the tests need, unpacked under .cache/ and installed nowhere: Debian 13's Engine with the containerd image store,
# Debian sid's buildx and Compose, which are this year's, a static BusyBox for an image that holds nothing else, an OpenSSH server that no service manager ever starts, HAProxy for
# an image of its own, and a registry.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh

unpack_busybox() {
    [ ! -x .cache/busybox/busybox ] || return 0
    rm -rf .cache/busybox .cache/busybox.new
    mkdir -p .cache/busybox.new/unpacked
    (cd .cache/busybox.new && apt-get -qq -o APT::Sandbox::User=root download busybox-static && dpkg -x ./*.deb unpacked) || return
    find .cache/busybox.new/unpacked -path '*bin/busybox' -type f -exec cp {} .cache/busybox.new/busybox \;
    mv .cache/busybox.new .cache/busybox
}

# unpack NAME PROGRAM PACKAGE: the package, and the libraries of it that this machine lacks; nothing where PROGRAM is there.
unpack() {
    local name=$1 program=$2 package=$3 deb
    if PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || [ -x ".cache/$name/usr/sbin/$program" ] ||
        [ -x ".cache/$name/usr/bin/$program" ]; then return; fi
    rm -rf ".cache/$name" ".cache/$name.new"
    mkdir -p ".cache/$name.new/debs/partial"
    download "$name" "$package" || { may_install && refresh_lists && download "$name" "$package"; } || return
    for deb in ".cache/$name.new/debs"/*.deb; do dpkg -x "$deb" ".cache/$name.new" || return; done
    rm -r ".cache/$name.new/debs"
    mv ".cache/$name.new" ".cache/$name"
}

# No lock is needed where nothing is installed, and root's archives stay as they are.
download() {
    apt-get -qq -y -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o "Dir::Cache::archives=$PWD/.cache/$1.new/debs" \
        --no-install-recommends --download-only install "$2" >/dev/null 2>.cache/apt.log
}

need ip iproute2
need openssl openssl
if ! scripts/setup/debian.sh trixie .cache/debian13/engine docker.io containerd; then
    say "the scenarios on Debian 13's Engine will be skipped"
fi
scripts/setup/debian.sh sid .cache/sid/plugins docker-buildx docker-compose ||
    say "the scenarios with Debian sid's buildx and Compose will be skipped"
unpack_busybox || say "apt has no busybox-static: the scenarios on an image without a shell will be skipped"
unpack openssh sshd openssh-server || say "apt has no openssh-server: the tests of deploy keys will be skipped"
unpack haproxy haproxy haproxy || say "apt has no haproxy: the scenarios behind a proxy will be skipped"
unpack docker-registry docker-registry docker-registry || say "apt has no docker-registry: the scenarios with a registry will be skipped"
