#!/usr/bin/env bash
# Software:    containerd 2.3.5's registry client (github.com/containerd/containerd/v2/core/remotes/docker), a Go module.
#              dockerd uses it where it keeps images in the containerd store.
# Expectation: A registry's token service need only answer GET, as the distribution specification of tokens describes it. A
#              client with a name and a password that tries OAuth's POST first goes on to GET where POST is refused.
# Behaviour:   It goes on after 400, 404 and 405. Where a service refuses the method with 501 Not Implemented, which HTTP has
#              for a method that a server does not know at all (RFC 9110, 15.6.2), or with 403, GET is never asked, and the
#              pull or push fails. dockerd with its classic store asked the same service by GET alone, and got its token.
# Output seen: POST 404: token by GET · POST 405: token by GET · POST 400: token by GET · POST 403: no GET · POST 501: no GET
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
)

// asked says how often the token was asked for by GET, where POST is refused with this status.
func asked(refusal int) (gets int, err error) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.WriteHeader(refusal)
			return
		}
		gets++
		fmt.Fprint(w, `{"token":"sealed"}`)
	}))
	defer service.Close()
	login := func(string) (string, string, error) { return "someone", "a password", nil }
	authorizer := docker.NewDockerAuthorizer(docker.WithAuthCreds(login))
	request, _ := http.NewRequest(http.MethodGet, "https://registry.example/v2/shop/manifests/1", nil)
	challenge := fmt.Sprintf(`Bearer realm="%s/token",service="registry.example",scope="repository:shop:pull"`, service.URL)
	answer := &http.Response{StatusCode: 401, Request: request, Header: http.Header{"Www-Authenticate": {challenge}}}
	ctx := context.Background()
	if err = authorizer.AddResponses(ctx, []*http.Response{answer}); err == nil {
		err = authorizer.Authorize(ctx, request)
	}
	return
}

func main() {
	var seen []string
	for _, status := range []int{404, 405, 400, 403, 501} {
		gets, err := asked(status)
		what := "no GET"
		if gets == 1 && err == nil {
			what = "token by GET"
		} else if gets > 0 || err == nil {
			what = fmt.Sprint("something else: ", gets, err)
		}
		seen = append(seen, fmt.Sprintf("POST %d: %s", status, what))
	}
	said := strings.Join(seen, " · ")
	fmt.Println(said)
	if said != "POST 404: token by GET · POST 405: token by GET · POST 400: token by GET · POST 403: no GET · POST 501: no GET" {
		fmt.Fprintln(os.Stderr, "this has changed")
		os.Exit(1)
	}
}
GO
go mod init example.test/finding 2>/dev/null
go mod edit -require=github.com/containerd/containerd/v2@v2.3.5
go mod tidy >/dev/null 2>&1 || go mod tidy
go run .
