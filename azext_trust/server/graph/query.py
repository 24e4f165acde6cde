"""OData of Graph's lists: options, pages, selection (OData 4.01 part 2; Entra's advanced query rules)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.graph import errors, filter_syntax, filter_test, search

Body = dict[str, object]
PAGE, MOST = 100, 999


def reply(call: Call, body: object, status: int = 200, **more: str) -> Reply:
    """Return an answer with Graph's headers."""
    return Reply(body, status, {**errors.headers(call), **more}, errors.MEDIA)


def context(call: Call, what: str) -> str:
    """Return the @odata.context of a collection or entity."""
    chosen = [name.strip() for name in call.query.get("$select", "").split(",") if name.strip()]
    if chosen and "(" not in what and what[:1].islower():
        head, slash, tail = what.partition("/")
        what = f"{head}({','.join(chosen)}){slash}{tail}"
    return f"{call.settings.origin}/v1.0/$metadata#{what}"


@dataclass(frozen=True)
class Options:
    """What a list is asked for.

    Attributes:
        filter: the $filter's tree, or None.
        search: the $search, or None.
        size: rows a page.
        counted: whether the answer says how many there are.
        order: members to sort by, each with whether it descends.
    """

    filter: filter_syntax.Node | None
    search: search.Search | None
    size: int
    counted: bool
    order: tuple[tuple[str, bool], ...]

    def fits(self, row: Body) -> bool:
        """Tell whether an object is asked for."""
        if self.filter is not None and not filter_test.fits(self.filter, row):
            return False
        return self.search is None or self.search.fits(row)


def options(call: Call, *, advanced: bool = True) -> Options:
    """Read the options of a list.

    Args:
        call: the request.
        advanced: whether Entra's rule holds that some queries need ``ConsistencyLevel: eventual``.

    Raises:
        ServiceError: an option cannot be read, or needs the header.
    """
    eventual = call.headers.get("consistencylevel", "").lower() == "eventual"
    text, searched = call.query.get("$filter", "").strip(), call.query.get("$search", "").strip()
    tree = filter_syntax.parse(text) if text else None
    order = tuple(_order(part) for part in call.query.get("$orderby", "").split(",") if part.strip())
    if advanced and not eventual:
        if searched:
            raise errors.search_needs_header()
        used = sorted(filter_syntax.features(tree)) if tree is not None else []
        if used:
            raise errors.needs_header(used[0])
        if tree is not None and order:
            raise errors.unsupported("Sorting not supported for current query.")
    counted = call.query.get("$count", "").lower() == "true"
    found = search.parse(searched) if searched else None
    return Options(tree, found, _number(call, "$top", PAGE), counted, order)


def _order(part: str) -> tuple[str, bool]:
    name, _, way = part.strip().partition(" ")
    if way.strip().lower() not in ("", "asc", "desc"):
        raise errors.bad_request(f"Invalid value '{part.strip()}' for $orderby query option found.")
    return name, way.strip().lower() == "desc"


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isdigit() or not 1 <= int(text[:9]) <= MOST:
        raise errors.bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {MOST} inclusive.")
    return int(text)


def token(call: Call) -> list[str]:
    """Return where a page begins: what `next_link` was given, empty for the first page.

    Raises:
        ServiceError: the token is not one of ours.
    """
    text = call.query.get("$skiptoken", "")
    if not text:
        return []
    try:
        found = json.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        found = None
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        raise errors.expired_token()
    return found


def next_link(call: Call, place: list[str]) -> str:
    """Return the address of the next page."""
    made = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    kept = [(k, v) for k, v in parse_qsl(call.raw_query) if k.lower() != "$skiptoken"]
    query = urlencode([*kept, ("$skiptoken", made)], safe="$", quote_via=quote)
    return f"{call.settings.origin}{call.path}?{query}"


def page(call: Call, what: str, rows: list[Body], following: list[str] | None, count: int | None) -> Reply:
    """Return the answer that holds a page."""
    body: Body = {"@odata.context": context(call, what)}
    if count is not None:
        body["@odata.count"] = count
    if following is not None:
        body["@odata.nextLink"] = next_link(call, following)
    body["value"] = [selected(call, row) for row in rows]
    return reply(call, body)


def listing(call: Call, what: str, rows: Iterable[Body], *, advanced: bool = False) -> Reply:
    """Return a page of a short collection that is at hand, filtered, ordered and cut as the query says."""
    asked = options(call, advanced=advanced)
    found = [row for row in rows if asked.fits(row)]
    for name, down in reversed(asked.order):
        found = sorted(found, key=_key(name), reverse=down)
    start = token(call)
    at = int(start[0]) if start and start[0].isdigit() else 0
    more = [str(at + asked.size)] if len(found) > at + asked.size else None
    return page(call, what, found[at : at + asked.size], more, len(found) if asked.counted else None)


def _key(name: str) -> Callable[[Body], str]:
    return lambda row: str(filter_test.value_at(row, name) or "").lower()


def selected(call: Call, row: Body) -> Body:
    """Return what $select names of an object; @-members and expanded ones stay."""
    names = [name.strip().lower() for name in call.query.get("$select", "").split(",") if name.strip()]
    if not names or "*" in names:
        return row
    names += [name.partition("(")[0].strip().lower() for name in call.query.get("$expand", "").split(",")]
    return {name: value for name, value in row.items() if name.lower() in names or name.startswith("@")}


_PLACES = {
    "users": "User", "groups": "Group", "applications": "Application", "servicePrincipals": "ServicePrincipal",
}  # fmt: skip
"""Names of kinds in the place of a new object (seen)."""


def entity(call: Call, what: str, row: Body, status: int = 200) -> Reply:
    """Return one object with its context; a new one with its place."""
    body = {"@odata.context": context(call, f"{what}/$entity"), **selected(call, row)}
    if status != 201:
        return reply(call, body, status)
    tenant = f"{call.settings.origin}/v2/{call.caller.claims.get('tid', '')}"
    kind = _PLACES.get(what)
    place = f"directoryObjects/{row['id']}/Microsoft.DirectoryServices.{kind}" if kind else None
    if what.endswith("/federatedIdentityCredentials"):
        place = f"federatedIdentityCredentials/{row['id']}"
    return reply(call, body, status, **({"location": f"{tenant}/{place}"} if place else {}))


def texts(call: Call, value: list[str]) -> Reply:
    """Return a collection of texts, ids."""
    return reply(call, {"@odata.context": context(call, "Collection(Edm.String)"), "value": value})
