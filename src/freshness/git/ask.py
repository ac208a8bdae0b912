"""Asks the forge's Git server where its branches, tags and pull requests stand now: one request, nothing is fetched."""

import pygit2

from freshness.core.agreement import References
from freshness.git.address import ForgeAddress
from freshness.git.checkout import make_bare
from freshness.git.transfer import KEPT, exchange
from freshness.process.private_folder import private_folder

NOTHING = f"{KEPT}/nothing"
"""A reference that no server has: asking for it ends after the server's list of those that it has."""
PEELED = "^{}"
"""What the server adds to a tag's name for the commit that the tag object names (gitprotocol-pack)."""


def ask_references(checkout: pygit2.Repository | None, address: ForgeAddress) -> References:
    """Every reference of the server and the commit it stands at now; an annotated tag is peeled to its commit.

    `checkout` is only where credentials are found; nothing in it changes. Raises `RepositoryError` where the server
    cannot be asked.
    """
    doing = "asking for branches and pull requests"
    with private_folder(address.places) as folder:
        own = make_bare(folder)
        remote = exchange(own, address, [NOTHING], depth=0, doing=doing, checkout=checkout, instead="")
        heads = {head.name: str(head.oid) for head in remote.list_heads(connect=False) if head.name is not None}
    peeled = {name.removesuffix(PEELED): commit for name, commit in heads.items() if name.endswith(PEELED)}
    return {name: commit for name, commit in (heads | peeled).items() if not name.endswith(PEELED)}
