"""What is about a manifest: signatures, attestations, bills of material (OCI Distribution 1.1, Listing Referrers)."""

from __future__ import annotations

from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors, manifest_form
from azext_trust.server.store import manifests, repositories
from azext_trust.server.store.transaction import Transaction


def listed(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return an index of the manifests whose subject a digest is; empty when there is none, never 404."""
    wanted = call.query.get("artifacttype")
    repository = repositories.by_name(transaction.session, call.here.id, call.params["name"])
    found: list[manifests.Manifest] = []
    if repository is not None:
        if not repository.read_enabled:
            raise errors.disallowed()
        found = manifests.referrers(transaction.session, repository.key, call.params["digest"], wanted)
    body = {"schemaVersion": 2, "mediaType": manifest_form.OCI_INDEX, "manifests": [_descriptor(one) for one in found]}
    headers = dict(errors.HEADERS) | ({"oci-filters-applied": "artifactType"} if wanted else {})
    return Reply(body, 200, headers, manifest_form.OCI_INDEX)


def _descriptor(one: manifests.Manifest) -> dict[str, object]:
    shown: dict[str, object] = {"mediaType": one.media_type, "digest": one.digest, "size": one.size}
    if one.artifact_type:
        shown["artifactType"] = one.artifact_type
    return shown | ({"annotations": one.annotations} if one.annotations else {})
