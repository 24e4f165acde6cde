"""``POST R/importImage`` (REST reference, Registries - Import Image): takes an import on, and tells how it ended.

The work is the registry service's (``registry/imports.py``); the two meet in the store.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from azext_trust.names import images, scopes
from azext_trust.names.guids import is_guid
from azext_trust.server.arm import bodies, errors, import_errors, long_running, registries
from azext_trust.server.gate.authorise import Authoriser, Denied
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.grants import Holder, Rights
from azext_trust.server.gate.login_servers import login_server
from azext_trust.server.store import clock, imports
from azext_trust.server.store import registries as rows
from azext_trust.server.store.imports import ImportOperation
from azext_trust.server.store.transaction import Transaction

ACTION = f"{bodies.TYPE}/importImage/action"
MOST_TARGETS = 100


def begin(transaction: Transaction, call: Call) -> Reply:
    """Take an import on: 202, and a Location that is polled until it ends."""
    row, _ = registries.found(transaction, call)
    request, sealed = _asked(transaction, call, row)
    operation = ImportOperation(
        id=_id(transaction, call), registry_id=row.id, caller_id=call.caller.id, caller_kind=call.caller.kind,
        caller_name=call.caller.name, correlation_id=call.correlation_id, created=transaction.now_text(),
        began=int(clock.machine().timestamp()), request=request,
    )  # fmt: skip
    if sealed:
        operation.sealed = transaction.vault.encrypt(json.dumps(sealed).encode(), imports.purpose(operation.id))
    transaction.session.add(operation)
    call.change(after=request | {"operation": operation.id})
    call.imports = operation.id
    return _running(call, operation.id, row.location)


def _running(call: Call, operation: str, location: str) -> Reply:
    reply = bodies.reply(call, None, 202)
    path = f"/subscriptions/{call.params['subscription']}/providers/Microsoft.ContainerRegistry/locations"
    place = f"{path}/{location.upper()}/operationResults/{operation}"
    reply.headers["location"] = f"{call.settings.origin}{place}?api-version={call.api_version}"
    # In an embedded cloud the work is done when the answer arrives.
    reply.headers["retry-after"] = "1" if call.settings.threads else "0"
    return reply


def _id(transaction: Transaction, call: Call) -> str:
    """Return the operation's id: the service makes it of the client's request id (azure-cli issue 23142)."""
    asked = call.headers.get("x-ms-client-request-id", "")
    wanted = f"registries-{asked.lower() if is_guid(asked) else uuid.uuid1()}"
    taken = imports.by_id(transaction.session, wanted) is not None
    return f"registries-{uuid.uuid1()}" if taken else wanted


def result(transaction: Transaction, call: Call) -> Reply:
    """Return 202 while an operation runs, 200 once it has succeeded; an import's failure is the answer's own.

    Who began an import may ask, and who may read the registry. Other operations say in ``t`` when they began.
    """
    operation = imports.by_id(transaction.session, call.params["operation"].lower())
    if operation is None and "t" in call.query:
        return long_running.result(transaction, call)
    registry = transaction.session.get(rows.Registry, operation.registry_id) if operation is not None else None
    if operation is None or not _may_ask(transaction, call, operation, registry):
        raise import_errors.no_operation(call.params["operation"])
    if operation.state == imports.RUNNING:
        reply = _running(call, operation.id, call.params["location"])
        reply.body = {"status": "Creating"}
        return reply
    if operation.state == imports.FAILED:
        raise import_errors.ended(operation, str(operation.request["scope"]))
    return bodies.reply(call, None, 200)


def _may_ask(
    transaction: Transaction, call: Call, operation: ImportOperation, registry: rows.Registry | None
) -> bool:  # fmt: skip
    if call.caller.id == operation.caller_id:
        return True
    return registry is not None and Authoriser(transaction, call.caller).allows(
        f"{bodies.TYPE}/read", str(operation.request["scope"])
    )


def _asked(
    transaction: Transaction, call: Call, row: rows.Registry
) -> tuple[dict[str, object], dict[str, str] | None]:  # fmt: skip
    """Return what is asked for, and apart from it the source's user name and password.

    Raises:
        ServiceError: the body is wrong, or the source registry is not there.
        Denied: the caller may not take images from the source registry.
    """
    body = call.json()
    source = body.get("source")
    if not isinstance(source, dict) or not isinstance(source.get("sourceImage"), str):
        raise import_errors.missing(row.name, "Source" if not isinstance(source, dict) else "Source.SourceImage")
    image = str(source["sourceImage"])
    repository, _, reference = _split(row.name, "Source.SourceImage", image)
    mode = str(body.get("mode") or "NoForce").lower()
    if mode not in ("noforce", "force"):
        raise import_errors.invalid(row.name, "Mode", str(body["mode"]))
    targets = _targets(row.name, body, reference)
    origin, sealed = _source(transaction, call, row, source, repository)
    request = {
        "scope": login_server(row, call.settings).scope, "source": origin, "image": image, "targets": targets,
        "force": mode == "force",
    }  # fmt: skip
    return request, sealed


def _split(registry: str, member: str, text: str) -> tuple[str, bool, str]:
    """Return repository, whether a digest follows, and tag or digest (empty when there is none)."""
    repository, at, digest = text.partition("@")
    tag = ""
    if not at:
        repository, _, tag = text.partition(":")
    fine = images.valid_repository(repository) and (images.valid_digest(digest) if at else True)
    if not fine or (tag and not images.valid_tag(tag)) or (not at and text.endswith(":")):
        raise import_errors.invalid(registry, member, text)
    return repository, bool(at), digest or tag


def _targets(registry: str, body: dict[str, Any], reference: str) -> list[list[str]]:
    """Return pairs of repository and tag; the tag is empty where none is to be made."""
    tagged, untagged = body.get("targetTags") or [], body.get("untaggedTargetRepositories") or []
    for name, given in (("TargetTags", tagged), ("UntaggedTargetRepositories", untagged)):
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            raise import_errors.invalid(registry, name, json.dumps(given)[:200])
    if not tagged and not untagged:
        raise import_errors.missing(registry, "TargetTags")
    found = []
    for text in tagged:
        repository, by_digest, tag = _split(registry, "TargetTags", text)
        if by_digest:
            raise import_errors.invalid(registry, "TargetTags", text)
        # Where the tag is left out the source's is taken, else latest.
        found.append([repository, tag or (reference if reference and ":" not in reference else "latest")])
    for text in untagged:
        if not images.valid_repository(text):
            raise import_errors.invalid(registry, "UntaggedTargetRepositories", text)
        found.append([text, ""])
    if len(found) > MOST_TARGETS:
        raise import_errors.invalid(registry, "TargetTags", f"{len(found)} targets")
    return found


def _source(
    transaction: Transaction, call: Call, row: rows.Registry, source: dict[str, Any], repository: str
) -> tuple[dict[str, str], dict[str, str] | None]:
    """Return where the image comes from: a registry of this cloud by its id, or an address."""
    resource, address = source.get("resourceId"), source.get("registryUri")
    if bool(resource) == bool(address):
        raise import_errors.missing(row.name, "Source.RegistryUri")
    if resource:
        return {"registry": _own(transaction, call, str(resource), repository), "resourceId": str(resource)}, None
    if not import_errors.ADDRESS.fullmatch(str(address)):
        raise import_errors.invalid(row.name, "Source.RegistryUri", str(address))
    given = source.get("credentials")
    if not isinstance(given, dict) or not given.get("password"):
        return {"address": str(address)}, None
    return {"address": str(address)}, {
        "username": str(given.get("username") or ""), "password": str(given["password"]),
    }  # fmt: skip


def _own(transaction: Transaction, call: Call, resource: str, repository: str) -> str:
    """Return the id of a registry of this cloud from which the caller may take images (rbac-semantics.md section 11).

    Raises:
        ServiceError: the id is none, or there is no such registry.
        Denied: the caller has neither importImage nor the right to pull there.
    """
    try:
        parts = scopes.ResourceId.parse(resource)
    except ValueError:
        raise import_errors.bad_resource_id(resource) from None
    if (parts.provider.lower(), *(kind.lower() for kind in parts.types)) != (
        "microsoft.containerregistry",
        "registries",
    ):
        raise import_errors.bad_resource_id(resource)
    found = rows.by_scope(transaction.session, scopes.key(resource))
    if Authoriser(transaction, call.caller).allows(ACTION, resource):
        if found is None:
            raise errors.no_resource(bodies.TYPE, parts.names[0], parts.resource_group)
        return found.id
    denied = Denied(f"{bodies.TYPE}/pull/read", resource)
    if found is not None:
        holder = Holder(call.caller.kind, call.caller.id, call.caller.name, call.caller.classic_administrator)
        server = login_server(found, call.settings)
        rights = Rights(transaction, server, holder, server.host)
        if rights.may("pull", repository):
            return found.id
    denied.notes["linked"] = ACTION
    raise denied
