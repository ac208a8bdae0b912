"""An application whose images a gate publishes in a registry, and that is promoted from there."""

import json
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection
from urllib.parse import urlsplit

from freshness.core.image import REVISION_LABEL
from freshness.core.manifest import digest_of
from tests.support.registries import MANIFESTS, Registry
from tests.support.runner import Ended, Runner

OCI = "application/vnd.oci.image"
Outputs = dict[str, str]
"""What a gate publishes, as a promotion takes it."""


def gated(runner: Runner, registry: Registry, **files: str | None) -> Outputs:
    """Of a commit with these pages."""
    if files:
        runner.app.repo.commit({f"services/web/www/{name}": content for name, content in files.items()})
    ended = runner.gate(REGISTRY=registry.repository(runner.app.project))
    assert ended.decision == ("open", "fresh", 0), ended.log
    name = json.loads(ended.outputs["digests"])[runner.app.staging]
    return {"EXPECTED_REVISION": ended.outputs["revision"], "SOURCE_IMAGE": name}


def promote(runner: Runner, outputs: Outputs, **variables: str) -> Ended:
    return runner.start("promote", **outputs, **variables).end()


def tag_of(registry: Registry, name: str, tag: str) -> str:
    """The digest that the tag of this repository names; empty where it names nothing."""
    status, content = registry.get(f"/v2/{name}/manifests/{tag}")
    return digest_of(content) if status == 200 else ""


def digest_in(outputs: Outputs) -> str:
    return outputs["SOURCE_IMAGE"].partition("@")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What production's tag and the one beside it name."""

    production: str
    previous: str

    @classmethod
    def of(cls, registry: Registry, name: str) -> "Tags":
        return cls(
            production=tag_of(registry, name, "production"), previous=tag_of(registry, name, "production-previous")
        )


def put_index(registry: Registry, name: str, outputs: Outputs, commit: str) -> Outputs:
    """An index of the published image, and of one for another machine that says it is of this commit."""
    told = {"os": "linux", "architecture": "riscv64", "config": {"Labels": {REVISION_LABEL: commit}},
            "rootfs": {"type": "layers", "diff_ids": []}}  # fmt: skip
    config, digest = json.dumps(told).encode(), digest_in(outputs)
    _put_blob(registry, name, config)
    other = {"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "layers": [],
             "config": _described(config, f"{OCI}.config.v1+json")}  # fmt: skip
    foreign = json.dumps(other).encode()
    _put_manifest(registry, name, foreign, f"{OCI}.manifest.v1+json")
    status, own = registry.get(f"/v2/{name}/manifests/{digest}")
    assert status == 200, own
    kind = json.loads(own)["mediaType"]
    index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": [
        {**_described(foreign, f"{OCI}.manifest.v1+json"), "platform": {"os": "linux", "architecture": "riscv64"}},
        {**_described(own, kind), "platform": {"os": "linux", "architecture": "amd64"}},
    ]}  # fmt: skip
    content = json.dumps(index).encode()
    _put_manifest(registry, name, content, f"{OCI}.index.v1+json")
    return {**outputs, "SOURCE_IMAGE": f"{registry.host}/{name}@{digest_of(content)}"}


def delete(registry: Registry, name: str, digest: str) -> None:
    """Takes a manifest away, as `garbage-collect --delete-untagged` of 2.8 takes the children of an index."""
    _ask(registry, "DELETE", f"/v2/{name}/manifests/{digest}")


def _described(content: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "size": len(content), "digest": digest_of(content)}


def _put_manifest(registry: Registry, name: str, content: bytes, kind: str) -> None:
    _ask(registry, "PUT", f"/v2/{name}/manifests/{digest_of(content)}", content, kind)


def _put_blob(registry: Registry, name: str, content: bytes) -> None:
    place = urlsplit(_ask(registry, "POST", f"/v2/{name}/blobs/uploads/"))
    path = f"{place.path}?{place.query}&digest=sha256:{sha256(content).hexdigest()}"
    _ask(registry, "PUT", path, content, "application/octet-stream")


def _ask(registry: Registry, method: str, path: str, body: bytes = b"", kind: str = "") -> str:
    """The place that the registry names."""
    connection = HTTPConnection("127.0.0.1", registry.port, timeout=10)
    try:
        headers = {"Accept": MANIFESTS, **registry.headers, **({"Content-Type": kind} if kind else {})}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        assert answer.status in {201, 202}, answer.read()
        return answer.getheader("Location") or ""
    finally:
        connection.close()
