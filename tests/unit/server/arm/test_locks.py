"""Management locks stop what they stop in Azure (M12)."""

from __future__ import annotations

import pytest

from tests.desk import LAB, REGISTRY, SUB, Desk

TRUST = {"properties": {"policies": {"trustPolicy": {"type": "Notary", "status": "enabled"}}}}
STOPPED_BY_READ_ONLY = [
    ("PATCH", REGISTRY, TRUST),
    ("PATCH", REGISTRY, {"tags": {"a": "b"}}),
    ("PUT", f"{REGISTRY}/scopeMaps/pulling", {"properties": {"actions": ["repositories/*/content/read"]}}),
    ("POST", f"{REGISTRY}/listCredentials", {}),
    ("POST", f"{REGISTRY}/generateCredentials", {"tokenId": "x"}),
    ("DELETE", REGISTRY, None),
    ("PUT", f"{REGISTRY}/providers/Microsoft.Authorization/roleAssignments/33333333-0000-0000-0000-000000000000", {}),
]


def lock(desk: Desk, scope: str, level: str, name: str = "stop") -> str:
    """Put a lock, and return its path."""
    path = f"{scope}/providers/Microsoft.Authorization/locks/{name}"
    desk("PUT", path, {"properties": {"level": level, "notes": "why"}}, status=201)
    return path


@pytest.mark.parametrize(("method", "path", "body"), STOPPED_BY_READ_ONLY)
@pytest.mark.parametrize("scope", [SUB, LAB, REGISTRY])
def test_read_only_stops_writes_below(owner: Desk, scope: str, method: str, path: str, body: object) -> None:
    """M12: a ReadOnly lock at any level above stops every change, the content trust policy and POSTs included."""
    lock(owner, scope, "ReadOnly")
    reply = owner.reply(method, path, body)
    assert reply.status == 409
    assert isinstance(reply.body, dict)
    error = reply.body["error"]
    assert error["code"] == "ScopeLocked"
    assert (
        "because following scope(s) are locked: '" + scope + "'. Please remove the lock and try again."
        in error["message"]
    )


def test_can_not_delete_stops_deletion_alone(owner: Desk) -> None:
    """M12: CanNotDelete lets changes pass, and stops deletions of the resource and of the group around it."""
    path = lock(owner, REGISTRY, "CanNotDelete")
    assert owner("PATCH", REGISTRY, TRUST)["properties"]["policies"]["trustPolicy"]["status"] == "enabled"
    assert owner.code("DELETE", REGISTRY) == (409, "ScopeLocked")
    assert owner.code("DELETE", LAB) == (409, "ScopeLocked")
    owner("DELETE", path)
    owner("DELETE", REGISTRY)


def test_a_lock_stops_nobody_from_removing_it(owner: Desk) -> None:
    """M12: a ReadOnly lock can be lowered and removed."""
    path = lock(owner, SUB, "ReadOnly")
    assert owner("PUT", path, {"properties": {"level": "CanNotDelete"}})["properties"]["level"] == "CanNotDelete"
    owner("DELETE", path)
    owner("DELETE", path, status=204)
    owner("PATCH", REGISTRY, {"tags": {}})


def test_body_and_lists(owner: Desk) -> None:
    """M12: the body is what ARM sends; a list shows what lies below too, atScope() does not."""
    lock(owner, REGISTRY, "CanNotDelete", "a")
    lock(owner, LAB, "ReadOnly", "b")
    listed = owner("GET", f"{LAB}/providers/Microsoft.Authorization/locks")["value"]
    assert [row["name"] for row in listed] == ["b", "a"]
    assert listed[0] == {
        "properties": {"level": "ReadOnly", "notes": "why"},
        "id": f"{LAB}/providers/Microsoft.Authorization/locks/b", "type": "Microsoft.Authorization/locks", "name": "b",
    }  # fmt: skip
    assert len(owner("GET", f"{LAB}/providers/Microsoft.Authorization/locks?$filter=atScope()")["value"]) == 1


def test_refusals(owner: Desk, reader: Desk) -> None:
    """M12: wrong level, missing scope, missing lock, missing right."""
    path = f"{REGISTRY}/providers/Microsoft.Authorization/locks/x"
    assert owner.code("PUT", path, {"properties": {"level": "Never"}})[0] == 400
    assert owner.code("PUT", path.replace("myregistry", "nothing"), {"properties": {"level": "ReadOnly"}}) == (
        404, "ResourceNotFound",
    )  # fmt: skip
    assert owner.code("GET", path)[0] == 404
    assert reader.code("PUT", path, {"properties": {"level": "ReadOnly"}}) == (403, "AuthorizationFailed")
