"""Names of repositories, tags and digests, and GUNs: text in, text out."""

from __future__ import annotations

import re
from dataclasses import dataclass

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


_HOST = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?")


def valid_gun(gun: str) -> bool:
    """Tell whether this is the name of a repository with its registry's host."""
    host, repository = split_gun(gun)
    return _HOST.fullmatch(host) is not None and valid_repository(repository)


@dataclass(frozen=True)
class Image:
    """An image reference: ``host[:port]/repository[:tag][@digest]``.

    Attributes:
        host: the registry's host, with its port.
        repository: the name below the host.
        tag: empty when none is given.
        digest: ``sha256:...``, empty when none is given.
    """

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def gun(self) -> str:
        """The name of the repository's trust data: host and repository (dct-wire-contract.md section 0, rule 2)."""
        return f"{self.host}/{self.repository}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return self.gun + tag + (f"@{self.digest}" if self.digest else "")

    @classmethod
    def parse(cls, text: str) -> Image:
        """Take an image reference apart; the host must be written.

        Raises:
            ValueError: it is no such reference; the text is docker's where docker has one.
        """
        name, _, digest = text.partition("@")
        host, slash, rest = name.partition("/")
        repository, colon, tag = rest.partition(":")
        if not slash or not ("." in host or ":" in host or host == "localhost"):
            raise ValueError(f"'{text}' names no registry: write it as myregistry.azurecr.io/repository:tag")
        if (digest and not valid_digest(digest)) or (colon and not valid_tag(tag)):
            raise ValueError("invalid reference format")
        if not valid_gun(f"{host}/{repository}"):
            raise ValueError("invalid reference format")
        return cls(host, repository, tag, digest)
