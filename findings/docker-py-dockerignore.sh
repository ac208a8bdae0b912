#!/usr/bin/env bash
# Software:    docker 7.2.0 (docker-py) from PyPI, the context of `images.build(path=...)`; beside it patternmatcher 0.6.1 of
#              Moby (github.com/moby/patternmatcher), a Go module, which `docker build` reads a .dockerignore with.
# Expectation: one .dockerignore leaves the same files out, whoever builds. The rules are those of Go's filepath.Match, as
#              Docker documents, and what lies under an ignored folder is ignored.
# Behaviour:   docker-py knows no case: `Build` leaves out build/ too, which `docker build` sends. `[^a]*.txt` means the
#              opposite: a.txt is left out and b.txt sent. `\#notes` leaves out nothing. And once `!cache/keep` takes
#              something back, the rest of the folder that `**/cache` ignores is sent as well.
# Output seen: Build: docker-py -, moby build/app · [^a]*.txt: docker-py b.txt, moby a.txt ·
#              \#notes: docker-py #notes, moby - · **/cache !cache/keep: docker-py cache/big cache/keep, moby cache/keep
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install docker==7.2.0

cat >sent.py <<'PY'
"""The files of the context `argv[1]` that docker-py sends, as its own `build` asks for them."""
import sys
from pathlib import Path

from docker.utils.build import exclude_paths

context = Path(sys.argv[1])
patterns = [line.strip() for line in (context / ".dockerignore").read_text().splitlines()]
sent = exclude_paths(str(context), [line for line in patterns if line and line[0] != "#"])
print(*sorted(path for path in sent if (context / path).is_file() and path not in {".dockerignore", "Dockerfile"}) or "-")
PY

mkdir moby
cat >moby/main.go <<'GO'
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// It prints the files of the context os.Args[1] that the .dockerignore there leaves in.
func main() {
	file, err := os.Open(filepath.Join(os.Args[1], ".dockerignore"))
	if err != nil {
		panic(err)
	}
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		panic(err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		panic(err)
	}
	var sent []string
	filepath.WalkDir(os.Args[1], func(path string, entry fs.DirEntry, _ error) error {
		name, _ := filepath.Rel(os.Args[1], path)
		ignored, err := matcher.MatchesOrParentMatches(name)
		if err != nil {
			panic(err)
		}
		if !ignored && !entry.IsDir() && name != ".dockerignore" && name != "Dockerfile" {
			sent = append(sent, name)
		}
		return nil
	})
	if len(sent) == 0 {
		sent = []string{"-"}
	}
	fmt.Println(strings.Join(sent, " "))
}
GO
(
    cd moby
    go mod init example.test/finding 2>/dev/null
    go mod edit -require=github.com/moby/patternmatcher@v0.6.1
    go mod tidy >/dev/null 2>&1 || go mod tidy
    go build -o ../moby-sent .
)

seen() { # PATTERNS FILE...: what each of the two sends
    rm -rf context
    mkdir context
    printf '%s\n' $1 >context/.dockerignore
    touch context/Dockerfile
    for file in "${@:2}"; do mkdir -p "context/$(dirname "$file")" && touch "context/$file"; done
    echo "$1: docker-py $(venv/bin/python sent.py context), moby $(./moby-sent context)"
}

set -f # the patterns are not for the shell
said="$(seen 'Build' build/app) · $(seen '[^a]*.txt' a.txt b.txt) · $(seen '\#notes' '#notes')"
said="$said · $(seen '**/cache !cache/keep' cache/keep cache/big)"
echo "$said"
[ "$said" = 'Build: docker-py -, moby build/app · [^a]*.txt: docker-py b.txt, moby a.txt · \#notes: docker-py #notes, moby - ·'\
' **/cache !cache/keep: docker-py cache/big cache/keep, moby cache/keep' ] || { echo "this has changed" >&2; exit 1; }
