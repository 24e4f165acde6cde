"""Calls of ``importImage``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from azext_trust.server.gate.call import Reply
from tests.unit.server.registry.conftest import REGISTRY, VERSION, Login

OWNER = ("owner@contoso.com", "Owner-pass-1")


def begin(login: Login, body: dict[str, Any], who: tuple[str, str] = OWNER, registry: str = REGISTRY) -> Reply:
    """Ask for an import."""
    return login.cloud.call("POST", f"{registry}/importImage?{VERSION}", body, login.cloud.sign_in(*who))


def ended(login: Login, begun: Reply, who: tuple[str, str] = OWNER) -> Reply:
    """Ask how it ended."""
    assert begun.status == 202, begun
    place = urlsplit(begun.headers["location"])
    return ended_at(login, f"{place.path}?{place.query}", who)


def ended_at(login: Login, place: str, who: tuple[str, str] = OWNER) -> Reply:
    """Ask at a place how it ended."""
    return login.cloud.call("GET", place, token=login.cloud.sign_in(*who))


def run(login: Login, source: dict[str, Any], *tags: str, **more: Any) -> Reply:
    """Import, and return how it ended."""
    return ended(login, begin(login, {"source": source, "targetTags": list(tags), **more}))


def tags_of(login: Login, repository: str) -> list[str]:
    """Return a repository's tags, none when it is not there."""
    answer = login.call("GET", f"/v2/{repository}/tags/list", login.owner(repository))
    return list(answer.json["tags"]) if answer.status == 200 else []
