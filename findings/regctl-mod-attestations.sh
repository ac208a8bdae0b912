#!/usr/bin/env bash
# Software:    regctl 0.11.7 (github.com/regclient/regclient/cmd/regctl), a Go module, over OCI layouts in folders; the index is
#              formed as BuildKit forms it, an image and its attestation.
# Expectation: an attestation in an index says by `vnd.docker.reference.digest` which image there it is about. What rewrites the
#              image carries that on, takes the attestation out, or refuses.
# Behaviour:   `regctl image mod` with a label or an annotation gives the image a new digest, and the attestation as well, since
#              the label is put on it too; but what it says it is about stays the old digest, which the new index does
#              not have. It ends with exit status 0 and no word, and the result has evidence of no image. A copy keeps all.
# Output seen: copy: attestation of the image · label: attestation of no image, labelled itself · annotation: attestation of no image
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder go install github.com/regclient/regclient/cmd/regctl@v0.11.7 2>/dev/null ||
    GOBIN=$folder go install github.com/regclient/regclient/cmd/regctl@v0.11.7

cat >layout.py <<'PY'
"""`make FOLDER` writes the layout, `look FOLDER` says what its attestation is about."""
import gzip, hashlib, json, sys
from pathlib import Path

OCI = "application/vnd.oci.image"
REFERENCE = "vnd.docker.reference.digest"
folder = Path(sys.argv[2])


def write(content, kind, **more):
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hashlib.sha256(content).hexdigest()
    (folder / "blobs/sha256" / digest).write_bytes(content)
    return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content), **more}


def manifest(architecture, layer, content, **more):
    system = "unknown" if architecture == "unknown" else "linux"
    platform = {"architecture": architecture, "os": system}
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"]}
    config = write({**platform, "config": {}, "rootfs": rootfs}, f"{OCI}.config.v1+json")
    kind = f"{OCI}.manifest.v1+json"
    return write({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}, kind, platform=platform, **more)


def make():
    (folder / "blobs/sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    files = bytes(1024)  # an empty archive
    image = manifest("amd64", write(gzip.compress(files, mtime=0), f"{OCI}.layer.v1.tar+gzip"), files)
    subject = {"name": "shop", "digest": {"sha256": image["digest"].removeprefix("sha256:")}}
    statement = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "subject": [subject],
                            "predicateType": "https://slsa.dev/provenance/v0.2", "predicate": {}}).encode()
    marks = {REFERENCE: image["digest"], "vnd.docker.reference.type": "attestation-manifest"}
    proof = manifest("unknown", write(statement, "application/vnd.in-toto+json"), statement, annotations=marks)
    kind = f"{OCI}.index.v1+json"
    tag = {"org.opencontainers.image.ref.name": "1"}
    index = write({"schemaVersion": 2, "mediaType": kind, "manifests": [image, proof]}, kind, annotations=tag)
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": [index]}))


def read(descriptor):
    return json.loads((folder / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes())


def look():
    (tagged,) = json.loads((folder / "index.json").read_text())["manifests"]
    image, proof = read(tagged)["manifests"]
    named = proof["annotations"][REFERENCE]
    labelled = read(read(proof)["config"]).get("config", {}).get("Labels")
    print("attestation of", "the image" if named == image["digest"] else "no image", end=", labelled itself" if labelled else "")


{"make": make, "look": look}[sys.argv[1]]()
PY

changed() { # OPTION...: what `image mod` with them leaves
    rm -rf new
    ./regctl image mod ocidir://made:1 "$@" --create ocidir://new:1 >/dev/null
    python3 layout.py look new
}

python3 layout.py make made
./regctl image copy ocidir://made:1 ocidir://copy:1 >/dev/null
said="copy: $(python3 layout.py look copy) · label: $(changed --label team=shop) · annotation: $(changed --annotation team=shop)"
echo "$said"
[ "$said" = "copy: attestation of the image · label: attestation of no image, labelled itself ·\
 annotation: attestation of no image" ] || { echo "this has changed" >&2; exit 1; }
