#!/usr/bin/env bash
# Software:    BuildKit of Docker Engine 20.10.24 with buildx 0.13.1 (Debian's docker.io and docker-buildx). The machine's own
#              are used, since an Engine is no package of a temporary folder: the script says which it met.
# Expectation: `docker buildx build --file b/Dockerfile .` builds from b/Dockerfile, whatever was built before.
# Behaviour:   a/Dockerfile and b/Dockerfile have other contents, but the same length and the same time, as two files have that
#              one checkout wrote in one second. The second build gets the first file: the Dockerfile's folder is sent under the
#              name of the context, and a file whose name, length, mode and time agree is not sent again. With another time it
#              gets the right one.
# Output seen: built from a: a · built from b: a · from b with another time: b
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
tags=()
trap 'docker image rm --force "${tags[@]}" >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
mkdir a b
for name in a b; do printf 'FROM scratch\nLABEL from=%s run=%s\n' "$name" "${folder##*.}" >"$name/Dockerfile"; done
touch --date '2026-01-01 00:00:00 UTC' a/Dockerfile b/Dockerfile

built() { # FILE: the label of the image that was built from it
    local tag="finding-${folder##*.}:$RANDOM"
    tag=$(tr '[:upper:]' '[:lower:]' <<<"$tag")
    tags+=("$tag")
    docker buildx build --quiet --load --tag "$tag" --file "$1" . >/dev/null
    docker image inspect --format '{{index .Config.Labels "from"}}' "$tag" >label
}

built a/Dockerfile && first=$(cat label)
built b/Dockerfile && second=$(cat label)
touch --date '2026-01-01 00:00:01 UTC' b/Dockerfile
built b/Dockerfile && third=$(cat label)
echo "Engine $(docker version --format '{{.Server.Version}}'), $(docker buildx version | cut -d' ' -f2):" \
    "built from a: $first · built from b: $second · from b with another time: $third"
[ "$first $second $third" = "a a b" ] || { echo "this has changed" >&2; exit 1; }
