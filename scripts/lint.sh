#!/usr/bin/env bash
# Everything that can be seen without running the tool. All findings at once, then one exit status. With arguments only
# the tools of these names.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
PATH=$PWD/.venv/bin:$PATH
export PYTHONPATH=src # import-linter looks at this checkout, wherever .venv was made
failed=()
only=" $* "

check() {
    [[ $only = "  " || $only = *" $1 "* ]] || return 0
    printf '== %s\n' "$*"
    "$@" || failed+=("$1")
}

# A subject is read in a list: at most 72 characters, in each commit since that was agreed, or in a shallow clone the last.
commit_subjects() {
    local since=522c5a128da2cafc5218ea654134543e043b6d99 range=-1
    git rev-parse --quiet --verify HEAD >/dev/null 2>&1 || return 0 # a copy without its history
    ! git cat-file -e "$since^{commit}" 2>/dev/null || range=$since..HEAD
    ! git log --no-merges --format=%s "$range" | LC_ALL=C.UTF-8 grep -E '^.{73}'
}

# Each file by its name: given a folder, zizmor does not look into .gitea and says that it found nothing.
workflows=(.gitea/workflows/*.yml demo/*.yml)
actions=(action.yml promote/action.yml commit-status/action.yml)

check ruff check .
check ruff format --check .
check mypy
check lint-imports --no-logo
check zizmor --offline --no-progress --persona auditor "${workflows[@]}" "${actions[@]}"
check check-jsonschema --builtin-schema vendor.github-workflows "${workflows[@]}"
check check-jsonschema --builtin-schema vendor.github-actions "${actions[@]}"
check check-jsonschema --check-metaschema docs/schema/*.json
check python scripts/render_settings.py --check
check python scripts/check_docstrings.py
check python scripts/check_sizes.py
check commit_subjects

[ ${#failed[@]} = 0 ] || { printf 'lint: findings by %s\n' "${failed[*]}" >&2; exit 1; }
echo "lint: no findings"
