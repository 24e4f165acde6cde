"""Repositories and their tags, with what is signed (M13)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from azext_trust.portal import paging
from azext_trust.portal.images import images_of
from azext_trust.portal.overview_page import registry_of, resource, trusted
from azext_trust.portal.visit import Visit
from azext_trust.signing.looking import Distrusted


def listed(visit: Visit) -> Response:
    """Show the repositories of a registry, a page at a time, in the registry's own order."""
    found = registry_of(visit)
    server = str(found["properties"]["loginServer"])
    rows = images_of(visit.connection, visit.now).repositories(server, visit.query("after"), paging.SIZE + 1)
    return resource(
        visit, "repositories", "repositories", page_title="menu.repositories", rows=rows[: paging.SIZE], server=server,
        first=_first(visit), next=_next(visit, [str(row) for row in rows]),
    )  # fmt: skip


def show(visit: Visit) -> Response:
    """Show the tags of a repository."""
    found, name = registry_of(visit), visit.query("name")
    server = str(found["properties"]["loginServer"])
    try:
        tags = images_of(visit.connection, visit.now).tags(server, name, visit.query("after"), paging.SIZE + 1)
        problem = ""
    except Distrusted as error:
        # Somebody, or something, tampered with the trust data: that is told, and no tag is called signed.
        tags, problem = [], str(error)
    return resource(
        visit, "repository", "repositories", page_title="menu.repositories", repository=name, trusted=trusted(found),
        rows=tags[: paging.SIZE], server=server, problem=problem, first=_first(visit),
        next=_next(visit, [tag.name for tag in tags]),
    )  # fmt: skip


def _first(visit: Visit) -> str:
    return paging.link(visit, "") if visit.query("after") else ""


def _next(visit: Visit, names: Sequence[str]) -> str:
    return paging.link(visit, names[paging.SIZE - 1]) if len(names) > paging.SIZE else ""
