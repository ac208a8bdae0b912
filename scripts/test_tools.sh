#!/usr/bin/env bash
# What only the tests need, unpacked under .cache/ and installed nowhere: Debian 13's Engine with the containerd image store,
# a static BusyBox for an image that holds nothing else, and an OpenSSH server that no service manager ever starts.
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

# The server, and the libraries of it that this machine lacks.
unpack_openssh() {
    if PATH="$PATH:/usr/sbin" command -v sshd >/dev/null || [ -x .cache/openssh/usr/sbin/sshd ]; then return; fi
    rm -rf .cache/openssh .cache/openssh.new
    mkdir -p .cache/openssh.new/debs/partial
    download_openssh || { may_install && refresh_lists && download_openssh; } || return
    for deb in .cache/openssh.new/debs/*.deb; do dpkg -x "$deb" .cache/openssh.new || return; done
    rm -r .cache/openssh.new/debs
    mv .cache/openssh.new .cache/openssh
}

# No lock is needed where nothing is installed, and root's archives stay as they are.
download_openssh() {
    apt-get -qq -y -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o "Dir::Cache::archives=$PWD/.cache/openssh.new/debs" \
        --no-install-recommends --download-only install openssh-server >/dev/null 2>.cache/apt.log
}

need ip iproute2
if ! scripts/setup/debian13.sh .cache/debian13/engine docker.io containerd; then
    say "the scenarios on Debian 13's Engine will be skipped"
fi
unpack_busybox || say "apt has no busybox-static: the scenarios on an image without a shell will be skipped"
unpack_openssh || say "apt has no openssh-server: the tests of deploy keys will be skipped"
