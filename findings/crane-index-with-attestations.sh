#!/usr/bin/env bash
# Software:    crane 0.22.1 (github.com/google/go-containerregistry/cmd/crane), a Go module, with its own `crane registry serve`;
#              an index of two platforms with an attestation each is formed as BuildKit pushes it by default.
# Expectation: `crane validate` passes an index that all registries and Engines take. `crane mutate --label` labels the image of
#              each platform, or refuses an index, as `crane mutate --annotation` does.
# Behaviour:   `validate` fails with any such index: it counts the attestation, which is JSON, as no layer, where the
#              attestation's own configuration lists one. And `mutate --label` puts an image of linux/amd64 alone under the tag; the
#              other platform and the attestations are gone, with exit status 0 and no word, on machines of whatever platform.
# Output seen: validate: without attestations PASS, with them mismatched number of diffids · mutate --annotation: refused ·
#              mutate --label: amd64 alone
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder go install github.com/google/go-containerregistry/cmd/crane@v0.22.1 2>/dev/null ||
    GOBIN=$folder go install github.com/google/go-containerregistry/cmd/crane@v0.22.1

cat >layout.py <<'PY'
"""Writes the OCI layout `argv[1]`: an index of two platforms, with attestations where there is a second argument."""
import gzip, hashlib, io, json, sys, tarfile
from pathlib import Path

OCI = "application/vnd.oci.image"
folder = Path(sys.argv[1])
(folder / "blobs/sha256").mkdir(parents=True)
(folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def write(content, kind, **more):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hashlib.sha256(content).hexdigest()
    (folder / "blobs/sha256" / digest).write_bytes(content)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content), **more}


def manifest(architecture, layer, content, **more):
    platform = {"architecture": architecture, "os": "unknown" if architecture == "unknown" else "linux"}
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"]}
    history = [{"created_by": "COPY"}]
    config = write({**platform, "config": {}, "rootfs": rootfs, "history": history}, f"{OCI}.config.v1+json")
    kind = f"{OCI}.manifest.v1+json"
    return write({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}, kind, platform=platform, **more)


def image(architecture):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as files:
        files.addfile(tarfile.TarInfo(architecture))
    layer = write(gzip.compress(archive.getvalue(), mtime=0), f"{OCI}.layer.v1.tar+gzip")
    return manifest(architecture, layer, archive.getvalue())


def attestation(of):
    subject = {"name": "shop", "digest": {"sha256": of["digest"].removeprefix("sha256:")}}
    statement = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "subject": [subject],
                            "predicateType": "https://slsa.dev/provenance/v0.2", "predicate": {}}).encode()
    marks = {"vnd.docker.reference.digest": of["digest"], "vnd.docker.reference.type": "attestation-manifest"}
    return manifest("unknown", write(statement, "application/vnd.in-toto+json"), statement, annotations=marks)


images = [image("amd64"), image("arm64")]
proofs = [attestation(one) for one in images] if sys.argv[2:] else []
kind = f"{OCI}.index.v1+json"
index = write({"schemaVersion": 2, "mediaType": kind, "manifests": images + proofs}, kind)
(folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": [index]}))
PY

./crane registry serve --address 127.0.0.1:0 >served 2>&1 &
server=$!
for _ in $(seq 50); do grep --quiet serving served && break; sleep 0.2; done
shop=127.0.0.1:$(sed -n 's/.*serving on port //p' served | tr -dc 0-9)/shop
python3 layout.py plain
python3 layout.py attested yes
./crane push plain "$shop:plain" >pushed 2>&1
./crane push attested "$shop:attested" >pushed 2>&1

checked() { # TAG: what `validate` says at the end, without the digests
    ./crane validate --remote "$shop:$1" 2>&1 | tail -n 1 | sed 's/.*PASS.*/PASS/; s/.*\(mismatched number of diffids\).*/\1/' || true
}
annotated=taken
./crane mutate "$shop:attested" --annotation team=shop --tag "$shop:annotated" >mutated 2>&1 || annotated=refused
./crane mutate "$shop:attested" --label team=shop --tag "$shop:labelled" >mutated 2>&1
left=$(./crane manifest "$shop:labelled" | python3 -c 'import json, sys; print("all" if "manifests" in json.load(sys.stdin) else "alone")')
left="$(./crane config "$shop:labelled" | python3 -c 'import json, sys; print(json.load(sys.stdin)["architecture"])') $left"

said="validate: without attestations $(checked plain), with them $(checked attested)"
said="$said · mutate --annotation: $annotated · mutate --label: $left"
echo "$said"
[ "$said" = "validate: without attestations PASS, with them mismatched number of diffids · mutate --annotation: refused ·\
 mutate --label: amd64 alone" ] || { echo "this has changed" >&2; exit 1; }
