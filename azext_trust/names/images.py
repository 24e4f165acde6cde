"""Names of repositories, tags and digests, and GUNs: text in, text out."""

from __future__ import annotations

import re

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+")
LENGTHS = {"sha256": 64, "sha512": 128}
"""The digest algorithms that are offered, with their lengths in hexadecimal digits."""
LONGEST_REPOSITORY = 255


def valid_repository(name: str) -> bool:
    """Tell whether this is a repository's name (OCI Distribution 1.1, section Pulling manifests)."""
    return len(name) <= LONGEST_REPOSITORY and _REPOSITORY.fullmatch(name) is not None


def valid_tag(text: str) -> bool:
    """Tell whether this is a tag (OCI Distribution 1.1, section Pulling manifests)."""
    return _TAG.fullmatch(text) is not None


def looks_like_digest(text: str) -> bool:
    """Tell whether this has a digest's form, of whatever algorithm (OCI Image 1.1, section Digests)."""
    return _DIGEST.fullmatch(text) is not None


def valid_digest(text: str) -> bool:
    """Tell whether this is a digest of an algorithm that is offered: lower-case hexadecimal of the right length."""
    algorithm, _, encoded = text.partition(":")
    return len(encoded) == LENGTHS.get(algorithm) and all(letter in "0123456789abcdef" for letter in encoded)


def split_gun(gun: str) -> tuple[str, str]:
    """Return the host (with its port) and the repository of a GUN such as ``myregistry.azurecr.io/team/web``."""
    host, _, repository = gun.partition("/")
    return host, repository
