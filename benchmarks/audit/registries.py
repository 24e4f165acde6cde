"""A cloud directory of many registries with signed tags, filled as a twin is: page by page."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azext_trust.clients.operator import Operator
from azext_trust.cloud.connect import local
from azext_trust.names import scopes
from azext_trust.rbac import roles
from azext_trust.tuf import certificates, keys

SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
SEED = f"""
tenant: {{id: 11111111-1111-1111-1111-111111111111, domain: contoso.com}}
subscription: {{id: {SUBSCRIPTION}, name: Lab}}
users: [{{name: owner@contoso.com, password: Own-the-cloud-1, roles: [{{role: Owner}}]}}]
"""
Row = dict[str, Any]
_PEOPLE = 200


def fill(folder: Path, registries: int, tags: int) -> None:
    """Make a cloud directory of registries with one repository each, whose tags are signed; every fifth tag is not."""
    folder.mkdir(parents=True, mode=0o700)
    seed = folder / "seed.yaml"
    seed.write_text(SEED)
    connection = local(str(folder))
    connection.seed = seed
    operator = Operator(connection)
    try:
        run = operator.call("POST", "observe/begin", {"source": "benchmark"})["run"]
        for kind, rows in _pages(registries, tags):
            for at in range(0, len(rows), 200):
                page = {"run": run, "step": f"all {kind}", "kind": kind, "rows": rows[at : at + 200], "done": True}
                operator.call("POST", "observe/page", page)
        operator.call("POST", "observe/finish", {"run": run})
    finally:
        operator.close()


def _pages(registries: int, tags: int) -> list[tuple[str, list[Row]]]:
    places = [scopes.registry_id(SUBSCRIPTION, f"rg{n // 10}", f"registry{n}") for n in range(registries)]
    return [
        ("resource-group", [{"subscription": SUBSCRIPTION, "name": f"rg{n}"} for n in range(registries // 10 + 1)]),
        ("principal", [{"id": _guid(f"user {n}"), "kind": "User", "displayName": f"user{n}",
                        "upn": f"user{n}@contoso.com"} for n in range(_PEOPLE)]),
        ("registry", [{"id": one, "sku": "Premium", "admin": n % 50 == 0, "trust": True, "location": "westeurope",
                       "loginServer": f"registry{n}.azurecr.io"} for n, one in enumerate(places)]),
        ("assignment", [row for n, one in enumerate(places) for row in _assigned(n, one)]),
        ("trust", [_trust(n, one, tags) for n, one in enumerate(places)]),
    ]  # fmt: skip


def _assigned(n: int, scope: str) -> list[Row]:
    given = (
        ("AcrPush", n),
        ("AcrImageSigner", n),
        ("AcrPull", n + 1),
        ("AcrImageSigner", n + 2 if n % 7 == 0 else n + 1),
    )
    return [
        {"id": _guid(f"{n} {at}"), "scope": scope, "principalId": _guid(f"user {who % _PEOPLE}"),
         "roleId": roles.built_in_by_name(role).id, "principalType": "User"}  # type: ignore[union-attr]
        for at, (role, who) in enumerate(given)
    ]  # fmt: skip


def _trust(n: int, registry: str, tags: int) -> Row:
    gun = f"registry{n}.azurecr.io/team/app"
    digests = {f"v{tag}": hashlib.sha256(f"{n} {tag}".encode()).hexdigest() for tag in range(tags + tags // 5)}
    signed = dict(list(digests.items())[:tags])
    held = {role: base64.b64encode(json.dumps(said).encode()).decode() for role, said in _roles(n, gun, signed).items()}
    return {"registry": registry, "gun": gun, "repository": "team/app", "metadata": held,
            "images": {"tags": digests, "manifests": sorted(digests.values())}}  # fmt: skip


def _roles(n: int, gun: str, signed: dict[str, str]) -> dict[str, Row]:
    """Return a repository's metadata as docker makes it, but for the signatures, which audits do not look at."""
    base = {role: keys.generate().public for role in ("targets", "snapshot", "timestamp")}
    base["root"] = certificates.make(keys.generate(), gun, datetime.now(UTC))
    who, own = f"user{n % _PEOPLE}", keys.generate().public
    declared = [{"name": f"targets/{name}", "keyids": [own.id], "threshold": 1, "paths": [""]}
                for name in ("releases", who)]  # fmt: skip
    files = {tag: {"hashes": {"sha256": base64.b64encode(bytes.fromhex(digest)).decode()}, "length": 528}
             for tag, digest in signed.items()}  # fmt: skip
    targets = {"delegations": {"keys": {}, "roles": []}, "targets": files}
    return {
        "root": _document("Root", keys={key.id: key.to_dict() for key in base.values()}, consistent_snapshot=False,
                          roles={role: {"keyids": [key.id], "threshold": 1} for role, key in base.items()}),
        "targets": _document("Targets", delegations={"keys": {own.id: own.to_dict()}, "roles": declared}, targets={}),
        "targets/releases": _document("Targets", **targets), f"targets/{who}": _document("Targets", **targets),
        "snapshot": _document("Snapshot", meta={}), "timestamp": _document("Timestamp", meta={}),
    }  # fmt: skip


def _document(kind: str, **said: Any) -> Row:
    signature = {"keyid": "0" * 64, "method": "ecdsa", "sig": "A" * 88}
    signed = {"_type": kind, "expires": "2029-11-20T12:00:00.123456789Z", "version": 3, **said}
    return {"signed": signed, "signatures": [signature]}


def _id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _guid(text: str) -> str:
    found = _id(text)
    return f"{found[:8]}-{found[8:12]}-4{found[13:16]}-8{found[17:20]}-{found[20:32]}"
