"""The menu beside a resource: rows of data; a page that is not built has no row."""

from __future__ import annotations

from dataclasses import dataclass

from azext_trust.portal.place import GROUP, REGISTRY, SUBSCRIPTION, Place


@dataclass(frozen=True)
class Item:
    """One entry.

    Attributes:
        page: the end of the page's path; with the resource in front.
        text: key of its text.
        icon: name of its icon.
        group: key of the heading it stands under, or empty.
        kinds: what kinds of places have it.
    """

    page: str
    text: str
    icon: str
    group: str = ""
    kinds: tuple[str, ...] = (REGISTRY,)


ITEMS = (
    Item("overview", "menu.overview", "overview", kinds=(SUBSCRIPTION, GROUP, REGISTRY)),
    Item("activity", "menu.activity", "history", kinds=(SUBSCRIPTION, GROUP, REGISTRY)),
    Item("iam", "menu.iam", "group", kinds=(SUBSCRIPTION, GROUP, REGISTRY)),
    Item("audit", "menu.audit", "shield", kinds=(SUBSCRIPTION, GROUP, REGISTRY)),
    Item("access-keys", "menu.keys", "key", "menu.settings"),
    Item("repositories", "menu.repositories", "repository", "menu.services"),
    Item("content-trust", "menu.trust", "certificate", "menu.policies"),
    Item("tokens", "menu.tokens", "token", "menu.permissions"),
    Item("scope-maps", "menu.maps", "map", "menu.permissions"),
)  # fmt: skip


def of(place: Place | None) -> list[tuple[str, list[Item]]]:
    """Return the headings of a place's menu, each with its entries; the first heading is empty."""
    found: list[tuple[str, list[Item]]] = []
    for item in ITEMS:
        if place is None or place.kind not in item.kinds:
            continue
        if not found or found[-1][0] != item.group:
            found.append((item.group, []))
        found[-1][1].append(item)
    return found
