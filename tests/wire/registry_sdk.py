"""Pushes, lists, locks, reads and deletes through azure-containerregistry; prints ``done`` at the end."""

from __future__ import annotations

import io
import sys

from azure.containerregistry import ContainerRegistryClient
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential

TENANT = "11111111-1111-1111-1111-111111111111"
ENDPOINT = "https://myregistry.azurecr.io"
REPOSITORY = "sdk/web"
OCI = "application/vnd.oci.image.manifest.v1+json"


def client(name: str, secret: str) -> ContainerRegistryClient:
    """Return a client of a service principal."""
    credential = ClientSecretCredential(
        TENANT, name, secret, authority="https://localhost", disable_instance_discovery=True
    )
    return ContainerRegistryClient(ENDPOINT, credential)


def push(registry: ContainerRegistryClient, data: bytes) -> str:
    """Upload a manifest with one blob and return the manifest's digest."""
    config, size = registry.upload_blob(REPOSITORY, io.BytesIO(b"{}"))
    layer, length = registry.upload_blob(REPOSITORY, io.BytesIO(data))
    manifest = {
        "schemaVersion": 2, "mediaType": OCI,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": size},
        "layers": [{"mediaType": "application/octet-stream", "digest": layer, "size": length}],
    }  # fmt: skip
    pushed: str = registry.set_manifest(REPOSITORY, manifest, tag="v1", media_type=OCI)
    assert b"".join(registry.download_blob(REPOSITORY, layer)) == data
    return pushed


def refused(registry: ContainerRegistryClient) -> str:
    """Return the error's name when a repository may not be deleted."""
    try:
        registry.delete_repository(REPOSITORY)
    except (ClientAuthenticationError, HttpResponseError) as error:
        return type(error).__name__
    return "nothing"


def main() -> None:
    """Go through the client's operations."""
    pusher, puller = client(sys.argv[1], sys.argv[2]), client(sys.argv[3], sys.argv[4])
    digest = push(pusher, b"layer" * 2_000_000)
    assert REPOSITORY in list(puller.list_repository_names())
    assert puller.get_manifest(REPOSITORY, "v1").digest == digest
    assert [tag.name for tag in puller.list_tag_properties(REPOSITORY)] == ["v1"]
    assert [one.digest for one in puller.list_manifest_properties(REPOSITORY)] == [digest]
    assert puller.get_repository_properties(REPOSITORY).manifest_count == 1
    assert refused(puller) == "ClientAuthenticationError"
    try:
        pusher.update_tag_properties(REPOSITORY, "v1", can_write=False)
    except ClientAuthenticationError:
        print("AcrPush may not lock")
    pusher.delete_tag(REPOSITORY, "v1")
    pusher.delete_manifest(REPOSITORY, digest)
    try:
        puller.get_repository_properties(REPOSITORY)
    except ResourceNotFoundError:
        print("gone")
    print("done")


if __name__ == "__main__":
    main()
