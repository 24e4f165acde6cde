"""What a manifest says: its type, what it refers to, its subject. JSON in, values out; nothing is looked up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from azext_trust.names import images

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT = "application/vnd.cncf.oras.artifact.manifest.v1+json"
IMAGES, INDEXES, ARTIFACTS = (DOCKER, OCI), (DOCKER_LIST, OCI_INDEX), (OCI_ARTIFACT, ORAS_ARTIFACT)
TYPES = frozenset((*IMAGES, *INDEXES, *ARTIFACTS))
CONFIGS = frozenset({"application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"})
"""Configs that say an image's architecture and operating system."""


class FormError(Exception):
    """The manifest does not follow its specification; the message says where."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference to content (OCI Image 1.1, Content Descriptors).

    Attributes:
        media_type: of the content.
        digest: of the content.
        size: in bytes.
        elsewhere: it may lie at addresses of its own and need not be in the repository.
        platform: ``{"os", "architecture"}`` of a manifest in an index.
    """

    media_type: str
    digest: str
    size: int
    elsewhere: bool = False
    platform: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """What a manifest says.

    Attributes:
        media_type: its own.
        config: an image's config, or None.
        blobs: config, layers and artifact blobs.
        manifests: an index's manifests.
        subject: digest of what it is about, or None.
        artifact_type: its own, or its config's type.
        annotations: its own.
    """

    media_type: str
    config: Descriptor | None
    blobs: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]
    subject: str | None
    artifact_type: str | None
    annotations: dict[str, str]

    @property
    def image_size(self) -> int:
        """Bytes of all it refers to directly."""
        return sum(one.size for one in (*self.blobs, *self.manifests))


def read(content: bytes, content_type: str) -> Form:
    """Read a manifest.

    Args:
        content: as pushed.
        content_type: the request's, with or without parameters; empty when it has none.

    Raises:
        FormError: it is no manifest of a type that is taken.
    """
    body = json_object(content)
    media_type = _media_type(body, content_type.partition(";")[0].strip())
    if media_type in ARTIFACTS:
        blobs = _descriptors(body, "blobs")
        return Form(media_type, None, blobs, (), _subject(body), _text(body, "artifactType"), _annotations(body))
    if body.get("schemaVersion") != 2:
        raise FormError("schemaVersion is not 2")
    if media_type in INDEXES:
        found = _descriptors(body, "manifests")
        return Form(media_type, None, (), found, _subject(body), _text(body, "artifactType"), _annotations(body))
    config = _descriptor(body.get("config"), "config")
    layers = _descriptors(body, "layers")
    artifact_type = _text(body, "artifactType") or config.media_type
    return Form(media_type, config, (config, *layers), (), _subject(body), artifact_type, _annotations(body))


def json_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        FormError: it is none.
    """
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FormError(f"it is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise FormError("it is no JSON object")
    return body


def _media_type(body: dict[str, Any], sent: str) -> str:
    written = body.get("mediaType")
    media_type = sent or written
    if written is not None and written != media_type:
        raise FormError(f"mediaType is {written}, but it was sent as {media_type}")
    if media_type not in TYPES:
        raise FormError(f"manifests of type {media_type} are not taken")
    return str(media_type)


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise FormError(f"{name} is no string")
    return value or None


def _annotations(body: dict[str, Any]) -> dict[str, str]:
    found = body.get("annotations") or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise FormError("annotations is no object of strings")
    return found


def _subject(body: dict[str, Any]) -> str | None:
    return _descriptor(body["subject"], "subject").digest if body.get("subject") is not None else None


def _descriptors(body: dict[str, Any], name: str) -> tuple[Descriptor, ...]:
    found = body.get(name)
    # Programs in Go write an empty list as null; only an artifact may leave it out.
    if found is None and (name == "blobs" or name in body):
        return ()
    if not isinstance(found, list):
        raise FormError(f"{name} is no list")
    return tuple(_descriptor(one, f"{name}[{at}]") for at, one in enumerate(found))


def _descriptor(found: object, where: str) -> Descriptor:
    if not isinstance(found, dict):
        raise FormError(f"{where} is no descriptor")
    digest, size, media_type = found.get("digest"), found.get("size"), found.get("mediaType")
    if not isinstance(digest, str) or not images.looks_like_digest(digest):
        raise FormError(f"{where} has no digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise FormError(f"{where} has no size")
    if not isinstance(media_type, str) or not media_type:
        raise FormError(f"{where} has no mediaType")
    platform = found.get("platform")
    return Descriptor(media_type, digest, size, bool(found.get("urls")), platform if isinstance(platform, dict) else {})
