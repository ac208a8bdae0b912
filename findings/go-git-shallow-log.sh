#!/usr/bin/env bash
# Software:    go-git 5.19.3 (github.com/go-git/go-git/v5), a Go module; Git itself as the comparison.
# Expectation: in a shallow clone, which is what a runner's checkout makes, `Log` lists the commits that are there and ends at
#              the graft, as `git log` does. What `ResolveRevision` does not know, such as `HEAD@{1}`, is an error.
# Behaviour:   `Log` ends with "object not found", and callers lose commits with it: in its default order the error comes behind
#              the last one, by committer time (`git log`'s order) one commit before. And `HEAD@{1}`, the commit before a pull or a
#              reset, resolves to HEAD itself; so does `HEAD:file`, where Git has a blob. There is no error for either.
# Output seen: shallow: git 3, go-git 3 and object not found, by committer time 2 and object not found ·
#              full: git 4, go-git 4, by committer time 4 · HEAD@{1}: git third, go-git fourth · HEAD:file: git blob, go-git fourth
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
git init --quiet full 2>/dev/null
for name in first second third fourth; do
    echo "$name" >full/file
    git -C full add file
    git -C full -c user.name=somebody -c user.email=somebody@example.com commit --quiet --message "$name"
done
git clone --quiet --depth 3 "file://$folder/full" shallow

cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// listed is how many commits `Log` gives, and the error that it ends with.
func listed(repository *git.Repository, order git.LogOrder) string {
	commits, err := repository.Log(&git.LogOptions{Order: order})
	if err != nil {
		return err.Error()
	}
	count := 0
	err = commits.ForEach(func(*object.Commit) error { count++; return nil })
	if err != nil {
		return fmt.Sprint(count, " and ", err)
	}
	return fmt.Sprint(count)
}

// message is that of the commit which the revision resolves to.
func message(repository *git.Repository, revision string) string {
	id, err := repository.ResolveRevision(plumbing.Revision(revision))
	if err != nil {
		return err.Error()
	}
	commit, err := repository.CommitObject(*id)
	if err != nil {
		return err.Error()
	}
	return commit.Message[:len(commit.Message)-1]
}

func main() {
	repository, err := git.PlainOpen(os.Args[2])
	if err != nil {
		panic(err)
	}
	switch os.Args[1] {
	case "list":
		fmt.Printf("go-git %s, by committer time %s\n", listed(repository, git.LogOrderDefault), listed(repository, git.LogOrderCommitterTime))
	case "resolve":
		fmt.Println("go-git", message(repository, os.Args[3]))
	}
}
GO
go mod init example.test/finding 2>/dev/null
go mod edit -require=github.com/go-git/go-git/v5@v5.19.3
go mod tidy >/dev/null 2>&1 || go mod tidy
go build -o look .

said="shallow: git $(git -C shallow log --oneline | wc -l), $(./look list shallow)"
said="$said · full: git $(git -C full log --oneline | wc -l), $(./look list full)"
said="$said · HEAD@{1}: git $(git -C full log -1 --format=%s 'HEAD@{1}'), $(./look resolve full 'HEAD@{1}')"
said="$said · HEAD:file: git $(git -C full cat-file -t HEAD:file), $(./look resolve full HEAD:file)"
echo "$said"
[ "$said" = "shallow: git 3, go-git 3 and object not found, by committer time 2 and object not found · full: git 4, go-git 4, by\
 committer time 4 · HEAD@{1}: git third, go-git fourth · HEAD:file: git blob, go-git fourth" ] || { echo "this has changed" >&2; exit 1; }
