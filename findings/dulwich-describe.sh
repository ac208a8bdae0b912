#!/usr/bin/env bash
# Software:    dulwich 1.2.21 from PyPI, `porcelain.describe`; Git itself as the comparison.
# Expectation: "Describe the repository version" as Git does, with names such as v0.1-5-gabcdefa, which go into versions and
#              image labels: the nearest tag, how many commits HEAD has beyond it, and the id.
# Behaviour:   Commits of a branch that was begun before the tag and merged after it are not counted: older than the tagged one,
#              they are not looked at. A branch that has "tags" in its name is taken for a tag, so that such a branch is its
#              own version. Of a tag `release/1.0` the folder is left out.
# Output seen: merged branch: git v1-3, dulwich v1-1 · branch fix/tags-page: git v1-3, dulwich tags-page ·
#              tag release/1.0: git release/1.0, dulwich 1.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install dulwich==1.2.21
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_NAME=somebody GIT_AUTHOR_EMAIL=somebody@example.com GIT_COMMITTER_NAME=somebody GIT_COMMITTER_EMAIL=somebody@example.com
git init --quiet repository 2>/dev/null
cd repository

minute=10
at() { # COMMAND...: git, a minute later than the last time
    minute=$((minute + 1))
    GIT_AUTHOR_DATE="2026-01-01T00:$minute:00Z" GIT_COMMITTER_DATE="2026-01-01T00:$minute:00Z" git "$@"
}
seen() { # what both say of HEAD, without its id
    local dulwich
    dulwich=$(../venv/bin/python -c 'from dulwich import porcelain; print(porcelain.describe("."))')
    echo "git $(git describe | sed 's/-g.*//'), dulwich ${dulwich%-g*}"
}

at commit --quiet --allow-empty --message first
git branch --quiet topic
main=$(git symbolic-ref --short HEAD)
git checkout --quiet topic
at commit --quiet --allow-empty --message 'topic 1'
at commit --quiet --allow-empty --message 'topic 2'
git checkout --quiet "$main"
at commit --quiet --allow-empty --message second
at tag --annotate --message v1 v1
at merge --quiet --no-ff --message 'merge topic' topic
said="merged branch: $(seen)"
git checkout --quiet -b fix/tags-page
said="$said · branch fix/tags-page: $(seen)"
git checkout --quiet "$main"
git branch --quiet -D fix/tags-page
at tag --annotate --message release release/1.0
said="$said · tag release/1.0: $(seen)"
echo "$said"
[ "$said" = "merged branch: git v1-3, dulwich v1-1 · branch fix/tags-page: git v1-3, dulwich tags-page ·\
 tag release/1.0: git release/1.0, dulwich 1.0" ] || { echo "this has changed" >&2; exit 1; }
