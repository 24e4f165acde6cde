"""$expand: an object's members, owners and groups within the answer; Entra gives at most twenty."""

from __future__ import annotations

import re
from collections.abc import Callable

from azext_trust.server.gate.call import Call
from azext_trust.server.graph import errors
from azext_trust.server.graph.filter_test import Body
from azext_trust.server.store import directory_lists, principals
from azext_trust.server.store.directory_lists import Asked, Clause
from azext_trust.server.store.transaction import Transaction

MOST = 20
_PART = re.compile(r"(\w+)(?:\((.*)\))?")
_WAYS: dict[str, Callable[[str], Clause]] = {
    "members": directory_lists.members, "owners": directory_lists.owners, "memberof": directory_lists.groups_of,
    "transitivememberof": directory_lists.all_groups_of, "transitivemembers": directory_lists.all_members,
    "ownedobjects": directory_lists.owned,
}  # fmt: skip


def add(transaction: Transaction, call: Call, object_id: str, body: Body) -> Body:
    """Return an object with what $expand names.

    Raises:
        ServiceError: the object has no such relation, or it is not offered.
    """
    text = call.query.get("$expand", "").strip()
    for part in re.split(r",(?![^()]*\))", text) if text else []:
        found = _PART.fullmatch(part.strip())
        way = _WAYS.get(found[1].lower()) if found else None
        if found is None or way is None:
            raise errors.bad_request(f"Could not find a property named '{part.strip()}' to expand.")
        body = {**body, found[1]: _related(transaction, way(object_id), found[2] or "")}
    return body


def _related(transaction: Transaction, where: Clause, inner: str) -> list[Body]:
    from azext_trust.server.graph import members

    wanted = dict(part.split("=", 1) for part in inner.split(";") if "=" in part)
    names = [name.strip().lower() for name in wanted.get("$select", "").split(",") if name.strip()]
    asked = Asked(principals.DirectoryObject, [where])
    rows = [
        row
        for row, _ in zip(directory_lists.rows_after(transaction.session, asked, None, MOST), range(MOST), strict=False)
    ]
    bodies = members.typed(transaction, rows)
    if not names:
        return bodies
    return [{k: v for k, v in body.items() if k.startswith("@") or k.lower() in names} for body in bodies]
