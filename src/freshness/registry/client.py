"""One repository of a registry: manifests by digest, and small blobs. What is read is held against its digest."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from freshness.core.answer import printable
from freshness.core.hexid import is_image_id
from freshness.core.manifest import TYPES, Manifest, NotAManifest, digest_of
from freshness.core.registry_name import Repository
from freshness.errors import Gone, Refused
from freshness.registry.authorization import answer_challenge
from freshness.registry.credentials import Credentials
from freshness.registry.refusals import FAILURES, explain_failure, explain_status, is_cut
from freshness.registry.transport import SECONDS, Reply, Transport

_LOST = "A garbage collection took it: run the gate again, which pushes the image."
_NO_UPLOAD = "00000000-0000-4000-8000-000000000000"
_PAUSE_SECONDS = 1.0
_SERVER_ERRORS = 500
_GOOD = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND})


class Registry:
    """What may be done in one repository. Every method raises RegistryError where the registry does not do it."""

    def __init__(self, repository: Repository, credentials: Credentials | None, seconds: float = SECONDS) -> None:
        self.repository = repository
        self._credentials = credentials
        self._seconds = seconds
        self._transport = Transport(repository, seconds)
        self._authorization: Mapping[str, str] = {}

    def find_manifest(self, reference: str) -> Manifest | None:
        """The manifest or index under a digest or a tag, None where there is none; whole, and not one child of it.

        Raises Refused where it is not what its digest says.
        """
        what = f"the manifest {reference}"
        reply = self._ask("GET", f"manifests/{reference}", what, {"Accept": ", ".join(TYPES)})
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        try:
            found = Manifest.read(reply.body, reply.headers.get("Content-Type", ""))
        except NotAManifest as error:
            raise Refused(
                f"{self.repository} answers the question for {what} with {printable(str(error))}; expected a manifest.",
                "Push the image with Docker, and look at what stands between this machine and the registry.",
            ) from error
        self._require_digest(found.content, reference)
        return found

    def require_manifest(self, reference: str) -> Manifest:
        """As `find_manifest`. Raises Gone where there is none."""
        found = self.find_manifest(reference)
        if found is None:
            raise Gone(
                f"{self.repository} holds no {reference}; expected the manifest of an image.",
                "It was deleted, or never pushed: run the gate again, which pushes it.",
            )
        return found

    def put_manifest(self, manifest: Manifest, tag: str) -> None:
        """Moves the tag to it, byte for byte: no layer moves. A tag that is there is moved without a word.

        Raises Gone where the registry has lost a part of it.
        """
        headers, what = {"Content-Type": manifest.media_type}, f"the tag {tag}"
        reply = self._ask("PUT", f"manifests/{tag}", what, headers, manifest.content, also=HTTPStatus.BAD_REQUEST)
        if reply.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
            return
        if b"BLOB_UNKNOWN" not in reply.body:
            raise explain_status(reply, self.repository, what)
        raise Gone(f"{self.repository} holds only a part of {manifest.digest}.", _LOST)

    def read_blob(self, digest: str) -> bytes:
        """A small blob, such as an image's configuration. Raises Refused where it is not what its digest says."""
        reply = self._ask("GET", f"blobs/{digest}", f"the blob {digest}", {})
        if reply.status == HTTPStatus.NOT_FOUND:
            raise Gone(f"{self.repository} holds no blob {digest}, which a manifest there names.", _LOST)
        self._require_digest(reply.body, digest)
        return reply.body

    def may_push(self) -> bool:
        """Whether this user may push here, and nothing is written; False where the answer does not tell.

        Asked is for the end of an upload that never began: who may not push is told that first (distribution 2.8 and
        3, Gitea 1.26). Raises RegistryError where he may not.
        """
        path = f"blobs/uploads/{_NO_UPLOAD}?digest={digest_of(b'')}"
        return b"BLOB_UPLOAD_" in self._ask("PUT", path, "the right to push", {}, b"").body

    def mount_blob(self, digest: str, source: Repository) -> bool:
        """Whether the registry has the blob here too now, without a byte of it sent; `source` is on the same registry.

        Where it does not take it from there, it waits for an upload, which it forgets by itself.
        """
        asked = urlencode({"mount": digest, "from": source.api_path})
        reply = self._ask("POST", f"blobs/uploads/?{asked}", f"the blob {digest} of {source}", {})
        return reply.status == HTTPStatus.CREATED

    def _require_digest(self, content: bytes, reference: str) -> None:
        if is_image_id(reference) and digest_of(content) != reference:
            raise Refused(
                f"{self.repository} answers {digest_of(content)} where {reference} was asked for.",
                "It was altered in the registry or on the way: find out by whom before anything is deployed from it.",
            )

    def _ask(
        self,
        method: str,
        path: str,
        what: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        also: HTTPStatus = HTTPStatus.NOT_FOUND,
    ) -> Reply:
        """A good answer, a 404, or `also`. Once more after an error of the server's, or a connection that was cut."""
        for is_last in (False, True):
            try:
                reply = self._authorized(method, f"/v2/{self.repository.api_path}/{path}", headers, body)
            except FAILURES as error:
                if is_last or not is_cut(error):
                    raise explain_failure(error, self.repository, what, self._seconds) from error
            else:
                if reply.status in {*_GOOD, also}:
                    return reply
                if is_last or reply.status < _SERVER_ERRORS:
                    raise explain_status(reply, self.repository, what)
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError("the last time returns or raises")

    def _authorized(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        reply = self._transport.ask(method, path, {**headers, **self._authorization}, body)
        if reply.status != HTTPStatus.UNAUTHORIZED or reply.elsewhere:  # only the registry may ask who we are
            return reply
        challenge = reply.headers.get("WWW-Authenticate", "")
        self._authorization = {"Authorization": answer_challenge(challenge, self._credentials, self._transport)}
        return self._transport.ask(method, path, {**headers, **self._authorization}, body)
