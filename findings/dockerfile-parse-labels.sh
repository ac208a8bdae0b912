#!/usr/bin/env bash
# Software:    dockerfile-parse 2.0.1 from PyPI, whose `labels` and `baseimage` tools ask what a Dockerfile would make.
# Expectation: as the Dockerfile reference has it: `${GIT_SHA:-unknown}` is the argument's value, or unknown without one; a stage
#              that begins with `FROM one` has the labels of `one`; the text of a here-document is RUN's, not instructions.
# Behaviour:   The word behind `:-` is kept as text behind the value, with its brace, so that the label of a build with a commit
#              reads like a damaged commit, and without one is not the default either. Labels of an earlier stage are gone. A line
#              FROM in a here-document, as a file that RUN writes may have, becomes the base image, and labels before it are lost.
# Output seen: given: abc123:-unknown} · not given: :-unknown} · plain: abc123 · earlier stage: - ·
#              here-document: base app.conf, labels after
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install dockerfile-parse==2.0.1

cat >look.py <<'PY'
from io import BytesIO

from dockerfile_parse import DockerfileParser


def parsed(*lines, **arguments):
    parser = DockerfileParser(fileobj=BytesIO(), build_args=arguments)
    parser.content = "\n".join(lines) + "\n"
    return parser


default = "FROM base", "ARG GIT_SHA", 'LABEL revision="${GIT_SHA:-unknown}"'
plain = "FROM base", "ARG GIT_SHA", 'LABEL revision="${GIT_SHA}"'
stages = "FROM base AS one", "LABEL team=shop", "FROM one"
written = "FROM base", "LABEL before=1", "RUN cat >/mail <<END", "FROM app.conf", "END", "LABEL after=1"

given = parsed(*default, GIT_SHA="abc123").labels["revision"]
missing = parsed(*default).labels["revision"]
simple = parsed(*plain, GIT_SHA="abc123").labels["revision"]
earlier = parsed(*stages).labels.get("team", "-")
document = parsed(*written)
said = (
    f"given: {given} · not given: {missing} · plain: {simple} · earlier stage: {earlier} · "
    f"here-document: base {document.baseimage}, labels {' '.join(document.labels)}"
)
print(said)
assert said == (
    "given: abc123:-unknown} · not given: :-unknown} · plain: abc123 · earlier stage: - · "
    "here-document: base app.conf, labels after"
), "this has changed"
PY
venv/bin/python look.py
