#!/usr/bin/env bash
# Software:    pygit2 1.21.0 with the libgit2 1.9.7 of its wheel, Python 3.11; Git itself as the comparison.
# Expectation: who has no CA certificates cannot reach https:// addresses, and reads a local repository as before, as with Git;
#              an empty folder of certificates is no better than none.
# Behaviour:   pygit2 hands what Python's ssl module names to libgit2 as it is imported. Where neither file nor folder is there
#              (a small image without ca-certificates and openssl; SSL_CERT_FILE and SSL_CERT_DIR that name what is gone), the
#              import itself fails with GitError, and its text names neither pygit2's setting nor a path. A folder that is there
#              and empty is enough for the import.
# Output seen: git: 1 commit · folder there, empty: 1 commit · both gone: GitError: OpenSSL error: failed to load certificates
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder GIT_CONFIG_NOSYSTEM=1
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install pygit2==1.21.0
git init --quiet repository
git -C repository -c user.name=somebody -c user.email=somebody@example.com commit --quiet --allow-empty --message first
mkdir empty

read='import pygit2; print(sum(1 for _ in pygit2.Repository("repository").walk(pygit2.Repository("repository").head.target)))'
without() { SSL_CERT_FILE=$folder/gone SSL_CERT_DIR=$1 "${@:2}" 2>&1 | tail -n 1; }

git=$(without "$folder/gone" git -C repository rev-list --count HEAD)
empty=$(without "$folder/empty" venv/bin/python -c "$read")
gone=$(without "$folder/gone" venv/bin/python -c "$read") || true
printf 'git: %s commit\nfolder there, empty: %s commit\nboth gone: %s\n' "$git" "$empty" "$gone"
[ "$git" = 1 ] && [ "$empty" = 1 ]
case $gone in *"GitError: OpenSSL error: failed to load certificates"*) ;; *) echo "pygit2 is imported without certificates now"; exit 1 ;; esac
