#!/usr/bin/env bash
# Software:    podman-compose 1.6.0 from PyPI, with a `podman` beside it that says its version and nothing else: to print what
#              files say together, nothing else is asked of it.
# Expectation: as the Compose specification has it for several files, `healthcheck.test` of the second takes the place of the
#              first one's, as `command` and `entrypoint` do, and a port that both name is published once.
# Behaviour:   The second health check is put behind the first, so that the container is asked by one command of both, and the
#              same port is listed twice. `command` is replaced. Nothing is said.
# Output seen: command: serve --new · test: CMD look --old CMD look --new · ports: 8500:80 8500:80
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install podman-compose==1.6.0
printf '#!/bin/sh\necho "podman version 5.8.2"\n' >podman
chmod +x podman

file() { # WORD: a file with this word in its command and its health check
    cat <<YAML
services:
  web:
    image: web
    command: ["serve", "--$1"]
    ports: ["8500:80"]
    healthcheck: {test: ["CMD", "look", "--$1"]}
YAML
}
file old >compose.yaml
file new >second.yaml

venv/bin/podman-compose --podman-path "$folder/podman" --file compose.yaml --file second.yaml config >together.yaml
said=$(venv/bin/python -c '
import yaml
web = yaml.safe_load(open("together.yaml"))["services"]["web"]
print("command:", *web["command"], "· test:", *web["healthcheck"]["test"], "· ports:", *web["ports"])')
echo "$said"
[ "$said" = "command: serve --new · test: CMD look --old CMD look --new · ports: 8500:80 8500:80" ] ||
    { echo "this has changed" >&2; exit 1; }
