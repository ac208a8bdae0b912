# shellcheck shell=bash
# What this machine lets us do: run as root, install packages, say what cannot be done.

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n -- "$@"; fi
}

may_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

may_install() { command -v apt-get >/dev/null && may_be_root; }

# Package lists can be missing or days old on a fresh machine: read once a run, before the first installation.
refresh_lists() {
    [ -z "${lists_are_fresh:-}" ] || return 0
    say "reading the package lists"
    as_root apt-get update -qq >/dev/null || fail "apt-get update failed. Run it by hand, mend what it names, then run this again."
    lists_are_fresh=yes
}

install() {
    may_install || fail "$* must be installed, and this user may not. Run as root: apt-get install $*"
    refresh_lists
    say "installing $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >.cache/apt.log 2>&1 ||
        fail "apt-get install $* failed; its last words:" "$(tail -n 5 .cache/apt.log)"
}

# need COMMAND PACKAGE…: the packages are installed where the command is missing.
need() {
    local command=$1
    shift
    PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null || install "$@"
}

# The Debian mirror that apt uses. apt tells its sources in one form, whether they are written in one line or in deb822.
debian_mirror() {
    local mirror
    # shellcheck disable=SC2016 # apt fills these in
    mirror=$(apt-get indextargets --format '$(REPO_URI)|$(COMPONENT)|$(ORIGIN)|$(LABEL)' 'Created-By: Packages' |
        awk -F'|' '$2 == "main" && $3 == "Debian" && $4 == "Debian" { print $1; exit }')
    case $mirror in
        mirror+file:*) awk '/^http/ { print $1; exit }' "${mirror#mirror+file:}" ;; # cloud images list their mirrors in a file
        ?*) echo "$mirror" ;;
        *) return 1 ;;
    esac
}
