#!/bin/sh
# install.sh gate|promote|commit-status [ARGUMENT…]: what the actions run. It closes the gate, finds Python, sees to a
# virtual environment that holds the locked dependencies and nothing else, and becomes the tool, which always runs from
# this folder.
set -eu

case ${1-} in
    gate) closed=gate=closed ;;
    promote) closed=outcome=error ;;
    commit-status) closed= ;; # it has no outputs
    *) echo "install.sh: expected gate, promote or commit-status, got '${1-}'" >&2; exit 2 ;;
esac
[ -z "$closed" ] || [ -z "${GITHUB_OUTPUT-}" ] || printf '%s\n' "$closed" >>"$GITHUB_OUTPUT" || {
    echo "freshness: the step's outputs cannot be written to $GITHUB_OUTPUT. Make room on the runner's disk, then run again." >&2
    exit 3
}

# Programs come from absolute folders outside the workspace, in which the commit's author writes.
narrow_path() {
    safe=
    IFS=:
    set -f
    for entry in $PATH; do
        case $entry in /*) ;; *) continue ;; esac
        case $entry/ in "${GITHUB_WORKSPACE:-//}"/*) ;; *) safe=$safe${safe:+:}$entry ;; esac
    done
    set +f
    unset IFS
    PATH=${safe:-/usr/local/bin:/usr/bin:/bin}
}
narrow_path

story=$1
folder=$(cd -P -- "$(dirname -- "$0")" && pwd -P)
lock=$folder/requirements/action.txt
callers_umask=$(umask)
umask 077

# fail SENTENCE REMEDY: the one way out, in the log and in the outputs, where both are a single line.
fail() {
    reason=$(printf '%s %s' "$1" "$2" | tr '\000-\037' ' ')
    if [ "${GITHUB_ACTIONS-}" = true ]; then
        printf '::error::%s\n' "$(printf '%s' "$reason" | sed 's/%/%25/g')"
    else
        printf '%s\n' "freshness: $reason" >&2
    fi
    if [ -n "$closed" ] && [ -n "${GITHUB_OUTPUT-}" ]; then
        [ "$story" = promote ] || echo verdict=error >>"$GITHUB_OUTPUT"
        printf '%s\n' "reason=$reason" "$closed" >>"$GITHUB_OUTPUT"
    fi
    exit 3
}

# Written for any Python 3, since an old one must be able to say that it is old. The key names everything that a virtual
# environment depends on: the lock, the interpreter, and the machine with its C library.
probe='
import os, sys
print("%d.%d" % sys.version_info[:2])
if sys.version_info >= (3, 11):
    import hashlib
    seen = (sys.version, os.path.realpath(sys.executable), os.uname().machine, sys.implementation._multiarch)
    with open(sys.argv[1], "rb") as lock:
        print(hashlib.sha256(lock.read() + repr(seen).encode()).hexdigest()[:32])
'

# Sets `python` and `key`.
find_python() {
    if [ -n "${FRESHNESS_PYTHON-}" ]; then
        set -- "$FRESHNESS_PYTHON"
    else
        set -- python3 python python3.14 python3.13 python3.12 python3.11
    fi
    seen=
    for python; do # the positional parameters
        command -v -- "$python" >/dev/null || continue
        answer=$("$python" -I -S -c "$probe" "$lock" 2>/dev/null) || answer="no working Python 3"
        key=${answer#*"
"}
        [ "$key" = "$answer" ] || return 0
        seen="$seen, $python is $answer"
    done
    remedy="Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name one with the input 'python'."
    [ -n "$seen" ] || fail "No Python was found on this runner as: $*." "Python 3.11 or newer is needed. $remedy"
    fail "The Python on this runner is too old: ${seen#, }." "Python 3.11 or newer is needed. $remedy"
}

# Whether nobody but us (and root) can replace FOLDER: each folder above it belongs to us or root, and is writable for others
# only with the sticky bit. A group that may write must be our own, with no access list beside it (acl(5)).
unmovable() {
    above=$1
    set --
    while [ -n "$above" ]; do
        above=${above%/*}
        set -- "$@" "${above:-/}"
    done
    # shellcheck disable=SC2012 # POSIX has no stat, and an odd name only makes a line that no pattern takes
    LC_ALL=C ls -ldn -- "$@" | while read -r mode _ owner group _; do
        [ "$owner" = 0 ] || [ "$owner" = "$uid" ] || exit 1
        case $mode in
            d????????[tT]*) ;;
            d???????w*) exit 1 ;;
            d????w*) { [ "$group" = 0 ] || [ "$group" = "$gid" ]; } && without_lists "$@" || exit 1 ;;
            d*) ;;
            *) exit 1 ;;
        esac
    done
}

# Not every ls shows access lists.
without_lists() {
    "$python" -I -S -c "
import os, sys
for folder in sys.argv[1:]:
    try:
        if 'system.posix_acl_access' in os.listxattr(folder): sys.exit(1)
    except OSError:
        pass
" "$@"
}

# Whether FOLDER is a real folder of ours that is closed to everybody else.
ours() {
    # shellcheck disable=SC2012 # as above
    LC_ALL=C ls -ldn -- "$1" | {
        read -r mode _ owner _
        case $mode in drwx--[-S]---*) [ "$owner" = "$uid" ] ;; *) false ;; esac
    }
}

# Sets `home`: the first place for virtual environments that is writable and that no one else can have prepared. On Gitea's
# host runner the tool cache does not exist until somebody makes it.
find_home() {
    uid=$(id -u) gid=$(id -g)
    for place in "${RUNNER_TOOL_CACHE-}" "${RUNNER_TEMP-}" "${TMPDIR:-/tmp}"; do
        case $place in /*) ;; *) continue ;; esac
        mkdir -p -- "$place" 2>/dev/null || continue
        home=$(cd -P -- "$place" && pwd -P)/freshness-action-$uid
        mkdir -- "$home" 2>/dev/null || [ -d "$home" ] || continue
        if ours "$home" && unmovable "$home" && [ -w "$home" ]; then return 0; fi
    done
    fail "No folder for the dependencies: RUNNER_TOOL_CACHE (${RUNNER_TOOL_CACHE:-not set}), RUNNER_TEMP (${RUNNER_TEMP:-not set}) and \
${TMPDIR:-/tmp} are not writable, or others can write there." "Give one of them to the runner's user (uid $uid), mode 0700."
}

# Built aside and renamed: a half-made environment is never seen, and of two jobs that install at once one wins.
build_environment() {
    "$python" -I -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python cannot make virtual environments: its module venv or ensurepip is missing." \
            "Install it (Debian, Ubuntu: apt-get install python3-venv), or name another Python with the input 'python'."
    find "$home" -maxdepth 1 -name '.new.*' -mtime +0 -exec rm -rf -- {} + # what killed installations left
    new=$(mktemp -d "$home/.new.XXXXXX") || fail "$home cannot be written." "Make room there, or give it to the runner's user."
    trap 'rm -rf -- "$new"' EXIT
    echo "Installing the locked dependencies into $environment"
    install_dependencies >"$new/log" 2>&1 || explain_failure
    missing=$("$new/venv/bin/python" -I -c "$prove" "$lock" "$new/venv/proof" 2>&1) || fail \
        "pip ended well, and yet the environment does not hold what it should: $(printf '%s\n' "$missing" | tail -n 1)" \
        "Look where pip's own configuration leads (pip config list), then run again."
    put_in_place || usable || { rm -rf -- "$environment" && put_in_place; } || # there, yet its interpreter is gone
        fail "$environment could not be put in its place." "Delete it, then run again."
    rm -rf -- "$new"
    trap - EXIT
}

# rename(2), since mv would put one folder into the other. It fails where another job was first.
put_in_place() {
    "$python" -I -c 'import os, sys; os.rename(*sys.argv[1:])' "$new/venv" "$environment" 2>/dev/null
}

# Variables and configuration may say where pip finds packages, and not where it puts them.
install_dependencies() {
    "$python" -I -m venv "$new/venv" &&
        PIP_DRY_RUN=0 "$new/venv/bin/python" -I -m pip --python= --no-input --disable-pip-version-check install \
            --progress-bar off --target= --prefix="$new/venv" --root=/ --no-user \
            --require-hashes --only-binary :all: --requirement "$lock"
}

# Run by the new environment: each locked package is in it, in its version and with all its files. Writes down where they
# begin, for `usable`, with a last line that only a whole list has.
prove='
import importlib.metadata, os, sys
from pip._vendor.packaging.requirements import Requirement
lines = [line.rstrip("\\\n ") for line in open(sys.argv[1]) if line[:1].isalnum()]
seen = []
for wanted in map(Requirement, lines):
    if wanted.marker is not None and not wanted.marker.evaluate():
        continue
    found = importlib.metadata.distribution(wanted.name)
    files = [os.path.relpath(found.locate_file(file), sys.prefix) for file in found.files or ()]
    gone = [file for file in files if not os.path.exists(os.path.join(sys.prefix, file))]
    if gone or not files or not wanted.specifier.contains(found.version) or files[0].startswith(os.pardir):
        sys.exit("%s is %s at %s, with %d files missing" % (wanted, found.version, found.locate_file(""), len(gone)))
    seen += [file for file in files if file.count(os.sep) < 5 and file.endswith(("RECORD", "__init__.py", ".so"))]
with open(sys.argv[2], "w") as proof:
    print(*seen, "whole", sep="\n", file=proof)
'

# What pip says is foreign text: behind a bar, no line of it can be a command to the runner.
explain_failure() {
    sed 's/^/| /' "$new/log"
    if grep -q 'DO NOT MATCH THE HASHES' "$new/log"; then
        fail "A package is not the one that was locked: its hash differs from requirements/action.txt." \
            "Nothing was installed. Find out who changed it at your package index or proxy before you run again."
    fi
    fail "pip could not install the dependencies: $(sed -n 's/^ERROR: //p' "$new/log" | tail -n 1)" \
        "Let this runner reach a package index (PIP_INDEX_URL, PIP_CERT and pip's own configuration are honoured), then run again."
}

# Whether the environment is there with what was proven when it was made.
usable() {
    [ -x "$environment/bin/python" ] && [ -r "$environment/proof" ] || return 1
    last=
    while read -r file; do
        last=$file
        [ "$file" = whole ] || [ -e "$environment/$file" ] || return 1
    done <"$environment/proof"
    [ "$last" = whole ]
}

find_python
find_home
environment=$home/$key
usable || build_environment
umask "$callers_umask"
# What only inputs may say, no variable of the workflow or the runner does: the program is told where it runs.
export FRESHNESS_ACTION=true
exec "$environment/bin/python" -I "$folder/src" "$@"
