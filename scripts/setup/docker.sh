# shellcheck shell=bash
# Docker: an Engine that answers, and the two plugins of its command line.

engine_answers() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

ensure_engine() {
    if command -v docker >/dev/null && engine_answers; then return; fi
    [ -z "${DOCKER_HOST:-}" ] ||
        fail "No Docker Engine answers at DOCKER_HOST=$DOCKER_HOST. Start it, or unset the variable to use this machine's own."
    may_be_root || fail "No Docker Engine answers user $(id -un), who may not install or start one." \
        "If there is one: sudo usermod -aG docker $(id -un), log in again. If not, run as root: apt-get install docker.io" \
        "Then run this again."
    PATH="$PATH:/usr/sbin:/sbin" command -v dockerd >/dev/null || install docker.io iptables
    need iptables iptables
    command -v docker >/dev/null || install docker-cli
    start_engine
    engine_answers || fail "The Docker Engine runs, but user $(id -un) may not use it." \
        "Run: sudo usermod -aG docker $(id -un), log in again, then run this again."
}

start_engine() {
    as_root test ! -S /var/run/docker.sock || ! as_root docker version >/dev/null 2>&1 || return 0
    if [ -d /run/systemd/system ]; then
        as_root systemctl start docker || fail "systemctl start docker failed. Look at: journalctl -u docker"
        return
    fi
    start_dockerd
}

# No service manager, as in a container or a bare CI machine: dockerd is started in a session of its own, so that it outlives
# us, and .cache/dockerd.pid says which one is ours.
start_dockerd() {
    say "starting dockerd; its log is .cache/dockerd.log, its process .cache/dockerd.pid"
    local here=$PWD
    as_root env PATH="$PATH:/usr/sbin:/sbin" setsid dockerd --pidfile "$here/.cache/dockerd.pid" \
        </dev/null >.cache/dockerd.log 2>&1 &
    for _ in $(seq 150); do
        ! as_root docker version >/dev/null 2>&1 || return 0
        sleep 0.2
    done
    fail "dockerd did not answer within 30 s; its last words:" "$(tail -n 5 .cache/dockerd.log)"
}

has_buildx() { docker buildx version >/dev/null 2>&1; }
has_compose() { docker compose version --short 2>/dev/null | grep -Eq '^v?([2-9]|[1-9][0-9])\.'; }

ensure_plugins() {
    if has_buildx && has_compose; then return; fi
    may_install || fail "Docker's buildx and Compose v2 plugins are needed, and this user may not install them." \
        "Run as root: apt-get install docker-buildx docker-compose (Ubuntu: docker-compose-v2; Docker's own: docker-compose-plugin)"
    refresh_lists
    has_buildx || install_first docker-buildx-plugin docker-buildx
    has_compose || install_first docker-compose-plugin docker-compose-v2 docker-compose
    if has_buildx && has_compose; then return; fi
    plugins_from_debian_13
    has_buildx || fail "docker buildx still does not answer. Look at: docker buildx version"
    has_compose || fail "docker compose (v2) still does not answer. Look at: docker compose version"
}

# The first of the packages that this distribution has. Debian 12 has no buildx, and its docker-compose is v1.
install_first() {
    local package version
    for package in "$@"; do
        version=$(apt-cache policy "$package" | sed -n 's/^ *Candidate: //p')
        case $package:$version in
            *:"" | *:"(none)" | docker-compose:1.*) ;;
            *) install "$package" && return ;;
        esac
    done
}

plugins_from_debian_13() {
    say "taking buildx and Compose from Debian 13, through the mirror that apt uses"
    local folder=/usr/local/lib/docker/cli-plugins unpacked=.cache/debian13/plugins
    scripts/setup/debian.sh trixie "$unpacked" docker-buildx docker-compose || exit 1
    as_root mkdir -p "$folder"
    as_root cp "$unpacked"/usr/libexec/docker/cli-plugins/docker-* "$folder/"
}
