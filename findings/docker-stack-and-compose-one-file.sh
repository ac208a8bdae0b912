#!/usr/bin/env bash
# Software:    docker/cli 29.9.3's reader of stack files, which `docker stack deploy` uses, and compose-go 2.16.2, which Docker
#              Compose uses; both Go modules.
# Expectation: one file with one env_file, valid for both, gives a service the same environment, whether staging is started with
#              Compose or production with a stack.
# Behaviour:   Of a default within a default the stack takes the inner one for text. In an env_file it keeps quotes and comments in
#              the values, and fills in nothing; Compose takes quotes off, ends the value at the comment and fills in. Neither
#              says anything, and the service starts with other values.
# Output seen: URL: stack db://${OTHER:-db}/shop, compose db://db/shop · QUOTED: stack "a b", compose a b ·
#              LEVEL: stack info # or debug, compose info · HOME_URL: stack http://$HOST_NAME/, compose http://shop.example/
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >values.env <<'ENV'
QUOTED="a b"
LEVEL=info # or debug
HOME_URL=http://$HOST_NAME/
ENV
cat >stack.yaml <<'YAML'
services:
  web:
    image: web
    env_file: values.env
    environment:
      URL: "db://${HOST:-${OTHER:-db}}/shop"
YAML
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	compose "github.com/compose-spec/compose-go/v2/loader"
	composetypes "github.com/compose-spec/compose-go/v2/types"
	stack "github.com/docker/cli/cli/compose/loader"
	stacktypes "github.com/docker/cli/cli/compose/types"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	text := must(os.ReadFile("stack.yaml"))
	folder := must(os.Getwd())
	env := map[string]string{"HOST_NAME": "shop.example"}

	parsed := must(stack.ParseYAML(text))
	files := []stacktypes.ConfigFile{{Filename: "stack.yaml", Config: parsed}}
	deployed := must(stack.Load(stacktypes.ConfigDetails{WorkingDir: folder, ConfigFiles: files, Environment: env}))

	details := composetypes.ConfigDetails{WorkingDir: folder, Environment: env,
		ConfigFiles: []composetypes.ConfigFile{{Filename: "stack.yaml", Content: text}}}
	project := must(compose.LoadWithContext(context.Background(), details, func(o *compose.Options) { o.SetProjectName("shop", true) }))

	var seen []string
	for _, name := range []string{"URL", "QUOTED", "LEVEL", "HOME_URL"} {
		one, other := deployed.Services[0].Environment[name], project.Services["web"].Environment[name]
		seen = append(seen, fmt.Sprintf("%s: stack %s, compose %s", name, *one, *other))
	}
	said := strings.Join(seen, " · ")
	fmt.Println(said)
	if said != `URL: stack db://${OTHER:-db}/shop, compose db://db/shop · QUOTED: stack "a b", compose a b`+
		` · LEVEL: stack info # or debug, compose info · HOME_URL: stack http://$HOST_NAME/, compose http://shop.example/` {
		fmt.Fprintln(os.Stderr, "this has changed")
		os.Exit(1)
	}
}
GO
go mod init example.test/finding 2>/dev/null
go mod edit -require=github.com/docker/cli@v29.9.3+incompatible -require=github.com/compose-spec/compose-go/v2@v2.16.2
go mod tidy >/dev/null 2>&1 || go mod tidy
go run .
