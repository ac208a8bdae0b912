#!/usr/bin/env bash
# Software:    docker/cli 29.9.3's reader of stack files (github.com/docker/cli/cli/compose/loader), a Go module: what
#              `docker stack deploy -c one -c two` and `docker stack config` send to a Swarm.
# Expectation: as Compose documents it for several files: `healthcheck.test` of the second file takes the place of the first
#              one's, a value of the second file wins, and a second file that only adds a label takes nothing away.
# Behaviour:   The two health checks become one command, the second's words behind the first's. `read_only: false` does not win
#              over `true`, though `replicas: 0` does. And a second file that names only a label takes ports and configs
#              away: of two ports with one published number (443/tcp and 443/udp), or with none ("80", "81"), and of one
#              config at two paths, the last alone is left. Nothing is said of any of it.
# Output seen: one file: 443/tcp 443/udp 80/tcp 81/tcp, /one /two · and a label: 443/udp 81/tcp, /two ·
#              second check: CMD look --old CMD look --new, read_only true, replicas 0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/docker/cli/cli/compose/loader"
	"github.com/docker/cli/cli/compose/types"
)

const first = `
version: "3.13"
services:
  web:
    image: web
    read_only: true
    ports: ["443:443/tcp", "443:443/udp"]
    configs: [{source: app, target: /one}, {source: app, target: /two}]
    healthcheck: {test: ["CMD", "look", "--old"]}
    deploy: {replicas: 2}
  worker:
    image: worker
    ports: ["80", "81"]
configs: {app: {external: true}}
`

const label = `
version: "3.13"
services:
  web: {labels: {team: shop}}
  worker: {labels: {team: shop}}
`

const other = `
version: "3.13"
services:
  web:
    read_only: false
    healthcheck: {test: ["CMD", "look", "--new"]}
    deploy: {replicas: 0}
`

// services are what the files say together, by name.
func services(texts ...string) map[string]types.ServiceConfig {
	var files []types.ConfigFile
	for i, text := range texts {
		parsed, err := loader.ParseYAML([]byte(text))
		if err != nil {
			panic(err)
		}
		files = append(files, types.ConfigFile{Filename: fmt.Sprint(i, ".yml"), Config: parsed})
	}
	config, err := loader.Load(types.ConfigDetails{WorkingDir: ".", ConfigFiles: files, Environment: map[string]string{}})
	if err != nil {
		panic(err)
	}
	found := map[string]types.ServiceConfig{}
	for _, service := range config.Services {
		found[service.Name] = service
	}
	return found
}

// places are the ports of both services, and the paths of the config.
func places(found map[string]types.ServiceConfig) string {
	var ports, paths []string
	for _, name := range []string{"web", "worker"} {
		for _, port := range found[name].Ports {
			ports = append(ports, fmt.Sprintf("%d/%s", port.Target, port.Protocol))
		}
	}
	for _, config := range found["web"].Configs {
		paths = append(paths, config.Target)
	}
	return strings.Join(ports, " ") + ", " + strings.Join(paths, " ")
}

func main() {
	web := services(first, other)["web"]
	said := fmt.Sprintf("one file: %s · and a label: %s · second check: %s, read_only %t, replicas %d",
		places(services(first)), places(services(first, label)), strings.Join(web.HealthCheck.Test, " "), web.ReadOnly, *web.Deploy.Replicas)
	fmt.Println(said)
	if said != "one file: 443/tcp 443/udp 80/tcp 81/tcp, /one /two · and a label: 443/udp 81/tcp, /two"+
		" · second check: CMD look --old CMD look --new, read_only true, replicas 0" {
		fmt.Fprintln(os.Stderr, "this has changed")
		os.Exit(1)
	}
}
GO
go mod init example.test/finding 2>/dev/null
go mod edit -require=github.com/docker/cli@v29.9.3+incompatible
go mod tidy >/dev/null 2>&1 || go mod tidy
go run .
