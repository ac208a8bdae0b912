#!/usr/bin/env bash
# Sees to it that the Engine has the base image of our Dockerfiles. Where no registry can be reached, a stand-in of the same
# name is made from Debian's packages and kept in .cache/ for the next run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh

image=python:3.13-slim
kept=.cache/base-image.tar
built=.cache/base-image.rootfs

# An image without an ID yet must not be half there: what is made gets its name last.
make_stand_in() {
    [ "$(id -u)" = 0 ] || fail "$image can neither be pulled nor made: debootstrap needs root. Run 'make base-image' as root once."
    need debootstrap debootstrap
    local mirror
    mirror=$(debian_mirror) || fail "apt has no Debian mirror here to make $image from. Let this machine reach a registry, or docker load one."
    say "no registry answers: making a stand-in for $image from Debian 13's packages (about 40 s)"
    rm -rf "$built"
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates trixie "$built" "$mirror" \
        >.cache/debootstrap.log 2>&1 || fail "debootstrap failed; its last words:" "$(tail -n 5 .cache/debootstrap.log)"
    look_like_the_official_image
    tar -C "$built" --exclude='./var/cache/apt/archives/*.deb' --exclude='./var/lib/apt/lists/*' --exclude='./usr/share/doc/*' \
        --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' -c . |
        docker import --change 'CMD ["python3"]' --message 'stand-in made with debootstrap' - "$image" >/dev/null
    rm -rf "$built"
    docker save -o "$kept.new" "$image"
    mv "$kept.new" "$kept"
}

# The official image's Python is in /usr/local/bin, under both names, and its pip installs into the system.
look_like_the_official_image() {
    local name
    for name in python python3 python3.13; do ln -sf /usr/bin/python3.13 "$built/usr/local/bin/$name"; done
    ln -sf /usr/bin/pip "$built/usr/local/bin/pip"
    rm -f "$built"/usr/lib/python3*/EXTERNALLY-MANAGED
}

docker image inspect "$image" >/dev/null 2>&1 && exit 0
mkdir -p .cache
if [ -f "$kept" ]; then
    say "loading the stand-in for $image that an earlier run made"
    docker load --quiet -i "$kept" >/dev/null
elif ! timeout 300 docker pull --quiet "$image" >/dev/null 2>.cache/pull.log; then
    make_stand_in
fi
