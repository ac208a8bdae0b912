# shellcheck shell=bash
# .venv: what the tool, the board, the tests and lint need, from the locks, and `freshness` itself as a command.

# The first Python that is 3.11 or newer and can make virtual environments.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

ensure_python() {
    python=$(find_python) && return
    install python3 python3-venv
    python=$(find_python) && return
    install python3.11 python3.11-venv
    python=$(find_python) || fail "No Python 3.11 or newer with the modules venv and ensurepip. Install one, then run this again."
}

ensure_venv() {
    local wanted
    wanted=$(cat requirements/*.txt pyproject.toml | sha256sum)
    if [ "$(cat .venv/.complete 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then return; fi
    ensure_python
    say "filling .venv with $("$python" -V)"
    .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
    install_locked
    echo "$wanted" >.venv/.complete
}

install_locked() {
    local lock locks=()
    for lock in requirements/*.txt; do locks+=(-r "$lock"); done
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: "${locks[@]}" ||
        fail "pip could not install requirements/*.txt; its last line above says why (most often: no way to the package index)."
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
}
