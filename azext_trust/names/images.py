"""Image references, repository names (GUNs) of trust data, and digests."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_HOST = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?"
)
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MAX_NAME = 255
"""Longest repository name (distribution reference.go)."""


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
        if digest and not _DIGEST.fullmatch(digest):
            raise ValueError("invalid reference format")
        host, slash, rest = name.partition("/")
        repository, colon, tag = rest.partition(":")
        if not slash or not _HOST.fullmatch(host) or not ("." in host or ":" in host or host == "localhost"):
            raise ValueError(f"'{text}' names no registry: write it as myregistry.azurecr.io/repository:tag")
        if not valid_repository(repository) or (colon and not valid_tag(tag)):
            raise ValueError("invalid reference format")
        return cls(host, repository, tag, digest)


def valid_repository(text: str) -> bool:
    """Tell whether this can be a repository's name, without a host."""
    return len(text) <= MAX_NAME and _REPOSITORY.fullmatch(text) is not None


def valid_tag(text: str) -> bool:
    """Tell whether this can be a tag: up to 128 letters, digits, dots, dashes and underscores."""
    return _TAG.fullmatch(text) is not None


def valid_digest(text: str) -> bool:
    """Tell whether this is a SHA-256 digest as registries write it."""
    return _DIGEST.fullmatch(text) is not None


def split_gun(gun: str) -> tuple[str, str]:
    """Return host and repository of a trust data's name.

    Raises:
        ValueError: it has no host, or the rest is no repository's name.
    """
    host, slash, repository = gun.partition("/")
    if not slash or not _HOST.fullmatch(host) or not valid_repository(repository):
        raise ValueError(f"'{gun}' is no name of a repository with its registry")
    return host, repository
