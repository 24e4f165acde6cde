"""Pushes small images to a served registry, for scripts/fidelity."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import requests

OCI = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def push(origin: str, authority: Path, registry: str, image: str, secret: tuple[str, str]) -> None:
    """Push an image without layers, another one for each name.

    Args:
        origin: where the cloud is served.
        authority: the certificate to trust.
        registry: the registry's name.
        image: repository and tag, ``a/b:c``.
        secret: name and password of a service principal.
    """
    repository, _, tag = image.partition(":")
    session = requests.Session()
    session.trust_env = False  # else a variable of the environment goes before verify
    session.verify = str(authority)
    session.headers["Host"] = f"{registry}.azurecr.io:{origin.rsplit(':', 1)[1]}"
    asked = {"service": f"{registry}.azurecr.io", "scope": f"repository:{repository}:pull,push"}
    token = session.get(f"{origin}/oauth2/token", params=asked, auth=secret).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    config = json.dumps({"architecture": "amd64", "os": "linux", "author": image}).encode()
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    place = session.post(f"{origin}/v2/{repository}/blobs/uploads/").headers["Location"]
    path = place if place.startswith("/") else "/" + place.split("/", 3)[3]
    joint = "&" if "?" in path else "?"
    session.put(f"{origin}{path}{joint}digest={digest}", data=config).raise_for_status()
    manifest = {"schemaVersion": 2, "mediaType": OCI, "layers": [],
                "config": {"mediaType": CONFIG, "digest": digest, "size": len(config)}}  # fmt: skip
    answer = session.put(f"{origin}/v2/{repository}/manifests/{tag}", json=manifest, headers={"Content-Type": OCI})
    answer.raise_for_status()
