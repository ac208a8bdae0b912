"""Promotes a large image in a registry, where two take turns; the peers are crane's, where it was built."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks.deploys import deployed, run
from benchmarks.table import Row
from freshness.core.manifest import TYPES, digest_of
from tests.support.engines import ROOT
from tests.support.registries import Registry, running_registry, why_no_registry

MEGABYTES, ROUNDS = 500, 5
CRANE = ROOT / ".cache/registries/crane"
OCI = "application/vnd.oci.image"
LABEL = "org.opencontainers.image.revision"


def measure(host: str, megabytes: int, rounds: int) -> Iterator[Row]:
    """The whole command, and its own time on the network; nothing where there is no registry to be had."""
    if why_no_registry("debian"):
        return
    with (
        deployed(host) as runner,
        TemporaryDirectory() as folder,
        running_registry(Path(folder, "registry")) as registry,
    ):
        commits = [runner.app.repo.head(), runner.app.repo.commit({"other": "content"})]
        layer = push_layer(registry, megabytes)
        digests = [push_image(registry, layer, commit) for commit in commits]
        ask(registry, "PUT", "/v2/shop/manifests/peer", manifest_of(layer, commits[1])[0], {"Content-Type": TYPES[0]})
        times, network, peers, tags, starts = [], [], [], [], []
        for number in range(2 * rounds):
            name, commit = f"{registry.host}/shop@{digests[number % 2]}", commits[number % 2]
            ran = run(
                runner, "promote", SOURCE_IMAGE=name, EXPECTED_REVISION=commit, RECREATE="false",
                REGISTRY_TAG="production", ALLOW_ROLLBACK="two images take turns",
            )  # fmt: skip
            times.append(ran.total)
            network.append(ran.parts["registry"])
            if CRANE.exists():
                peers.append(by_crane(f"{registry.host}/shop", digests[number % 2]))
                tags.append(crane("tag", f"{registry.host}/shop@{digests[number % 2]}", "alone"))
                starts.append(crane("version"))
    what = f"promote in the registry, {megabytes} MB: "
    yield Row(what=f"{what}from start to end", measured=min(times), target=1)
    if CRANE.exists():
        peer = "crane, step by step"
        yield Row(what=f"{what}network", measured=min(network), target=1.5, peer=peer, peer_measured=min(peers))
        peer = "crane tag, which keeps and proves nothing"
        yield Row(
            what=f"{what}network", measured=min(network), target=1.5, peer=peer, peer_measured=min(tags) - min(starts)
        )


def by_crane(repository: str, digest: str) -> float:
    """Seconds for the same steps: both labels, the old one kept, the tag moved, and read back; without its starts."""
    words = (
        ("config", f"{repository}@{digest}"), ("config", f"{repository}:peer"), ("digest", f"{repository}:peer"),
        ("tag", f"{repository}:peer", "peer-previous"), ("tag", f"{repository}@{digest}", "peer"),
        ("digest", f"{repository}:peer"),
    )  # fmt: skip
    return sum(crane(*one) for one in words) - len(words) * crane("version")


def crane(*words: str) -> float:
    before = time.perf_counter()
    subprocess.run([CRANE, *words], check=True, capture_output=True)
    return time.perf_counter() - before


def push_layer(registry: Registry, megabytes: int) -> tuple[str, int]:
    """Digest and size of a layer that nobody can compress."""
    data = os.urandom(1_000_000) * megabytes
    put_blob(registry, data)
    return digest_of(data), len(data)


def push_image(registry: Registry, layer: tuple[str, int], commit: str) -> str:
    """The digest of an image with this layer that says it is of the commit."""
    manifest, config = manifest_of(layer, commit)
    put_blob(registry, config)
    ask(registry, "PUT", f"/v2/shop/manifests/{commit}", manifest, {"Content-Type": TYPES[0]})
    return digest_of(manifest)


def manifest_of(layer: tuple[str, int], commit: str) -> tuple[bytes, bytes]:
    """The image's manifest, and its configuration."""
    digest, size = layer
    told = {"os": "linux", "architecture": "amd64", "config": {"Labels": {LABEL: commit}},
            "rootfs": {"type": "layers", "diff_ids": [digest]}}  # fmt: skip
    config = json.dumps(told).encode()
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": TYPES[0],
        "config": {"mediaType": f"{OCI}.config.v1+json", "size": len(config), "digest": digest_of(config)},
        "layers": [{"mediaType": f"{OCI}.layer.v1.tar", "size": size, "digest": digest}],
    }).encode()  # fmt: skip
    return manifest, config


def put_blob(registry: Registry, data: bytes) -> None:
    place = urlsplit(ask(registry, "POST", "/v2/shop/blobs/uploads/"))
    query = f"{place.query}&digest=sha256:{hashlib.sha256(data).hexdigest()}"
    ask(registry, "PUT", f"{place.path}?{query}", data, {"Content-Type": "application/octet-stream"})


def ask(registry: Registry, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> str:
    """The place that the registry names. Fails where it does not do it."""
    connection = HTTPConnection("127.0.0.1", registry.port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status not in {201, 202}:
            raise SystemExit(f"{method} {path}: {answer.status} {said!r}")
        return answer.getheader("Location") or ""
    finally:
        connection.close()
