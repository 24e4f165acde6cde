"""Tokens of managed identities (how-to-use-vm-token: Get a token using HTTP)."""

from __future__ import annotations

from azext_trust.server.gate import minting, resources
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.minting import IDENTITY_SECONDS, Wanted
from azext_trust.server.imds import errors
from azext_trust.server.store import principals
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.principals import DirectoryObject
from azext_trust.server.store.transaction import Store, Transaction

_ID_NAMES = ("mi_res_id", "msi_res_id")
"""The resource id's names: MSAL and the machine's service say msi_res_id, the documentation mi_res_id."""


def token(store: Store, call: Call) -> Reply:
    """Return an access token of the identity that the query names, or of the only one there is."""
    resource = call.query.get("resource", "")
    if not resource:
        raise errors.no_resource()
    with store.write(moves="") as transaction:
        identity = _chosen(transaction, call)
        if resources.find(transaction, call.settings, resource) is None:
            raise errors.no_such_resource(resource, minting.tenant_name(transaction))
        client = str(identity.app_id)
        wanted = Wanted(proof="2", capabilities=("CP1",), identity=resource_id(identity), seconds=IDENTITY_SECONDS)
        made = minting.access_token(transaction, call.settings, identity, client, resource, wanted)
        details: dict[str, object] = {"callerName": client, "way": "managed identity", "client": client}
        transaction.record(
            Activity("Microsoft.aadiam/signIn", "/", "Allowed", identity.id, call.correlation_id, details)
        )
        begins = minting.issue_time(transaction, identity)
    return Reply(
        {
            "access_token": made, "client_id": client, "expires_in": str(IDENTITY_SECONDS),
            "expires_on": str(begins + IDENTITY_SECONDS), "ext_expires_in": str(IDENTITY_SECONDS),
            "not_before": str(begins), "resource": resource, "token_type": "Bearer",
        },
        headers={"cache-control": "no-store"},
    )  # fmt: skip


def _chosen(transaction: Transaction, call: Call) -> DirectoryObject:
    known = [row for row in principals.managed_identities(transaction.session) if row.enabled and row.app_id]
    asked = {name: call.query[name].lower() for name in ("client_id", "object_id", *_ID_NAMES) if call.query.get(name)}
    fitting = [row for row in known if all(_fits(row, name, value) for name, value in asked.items())]
    if not fitting:
        raise errors.no_identity()
    if len(fitting) > 1:
        raise errors.several()
    return fitting[0]


def _fits(row: DirectoryObject, name: str, value: str) -> bool:
    held = {"client_id": row.app_id, "object_id": row.id}.get(name) or resource_id(row)
    return held.lower() == value.rstrip("/")


def resource_id(row: DirectoryObject) -> str:
    """Return the resource id of a managed identity, from its service principal's alternative names; else empty."""
    names = row.properties.get("alternativeNames")
    return next((str(name) for name in names if str(name).startswith("/")), "") if isinstance(names, list) else ""


def versions(transaction: Transaction, call: Call) -> Reply:
    """Return the versions that are understood."""
    return Reply({"apiVersions": list(errors.VERSIONS)})
