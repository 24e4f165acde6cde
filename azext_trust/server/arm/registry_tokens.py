"""Repository-scoped tokens and their passwords (Tokens REST reference; M10: they never sign)."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

from azext_trust.names import scopes
from azext_trust.server.arm import bodies, errors, long_running, paging, registries
from azext_trust.server.arm.registry_credentials import LIMITS, new_password
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import clock, passwords, resources, scope_maps
from azext_trust.server.store.registries import Registry
from azext_trust.server.store.scope_maps import RegistryToken
from azext_trust.server.store.transaction import Transaction

KIND = f"{bodies.TYPE}/tokens"
NAMES = ("password1", "password2")
_NAME = re.compile(r"[a-zA-Z0-9-]{5,50}")
_STATES = (scope_maps.ENABLED, scope_maps.DISABLED)


def _found(transaction: Transaction, call: Call) -> tuple[RegistryToken, Registry, resources.ResourceGroup]:
    registry, group = registries.found(transaction, call)
    row = scope_maps.token(transaction.session, registry.id, call.params["name"])
    if row is None:
        raise errors.no_resource(KIND, f"{registry.name}/{call.params['name']}", group.name)
    return row, registry, group


def _password(held: dict[str, str]) -> dict[str, object]:
    shown: dict[str, object] = {"creationTime": bodies.offset(held["created"])}
    if held["expiry"]:
        shown["expiry"] = bodies.offset(held["expiry"])
    return shown | {"name": held["name"]}


def _body(transaction: Transaction, row: RegistryToken, registry: Registry, group: str) -> dict[str, object]:
    scope = bodies.registry_scope(registry, group)
    held = scope_maps.scope_map(transaction.session, registry.id, row.scope_map_key)
    credentials: dict[str, object] = {"passwords": [_password(one) for one in row.passwords]}
    if row.certificates:
        credentials["certificates"] = row.certificates
    return {
        "type": KIND, "id": f"{scope}/tokens/{row.name}", "name": row.name,
        "systemData": bodies.system_data(row.created, row.created_by, row.modified, row.modified_by),
        "properties": {
            "creationDate": bodies.offset(row.created), "provisioningState": "Succeeded",
            "scopeMapId": f"{scope}/scopeMaps/{held.name if held else row.scope_map_key}", "credentials": credentials,
            "status": row.status,
        },
    }  # fmt: skip


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return a registry's tokens."""
    registry, group = registries.found(transaction, call)
    rows = scope_maps.tokens(transaction.session, registry.id)
    return paging.reply(call, [_body(transaction, row, registry, group.name) for row in rows])


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one token, its passwords without their text."""
    row, registry, group = _found(transaction, call)
    return bodies.reply(call, _body(transaction, row, registry, group.name))


def put(transaction: Transaction, call: Call) -> Reply:
    """Create a token without passwords, or change its scope map and status."""
    registry, group = registries.found(transaction, call)
    properties = call.json().get("properties")
    if not isinstance(properties, dict) or not properties.get("scopeMapId"):
        raise errors.invalid_content("The required property 'properties.scopeMapId' was not found in the request.")
    row = scope_maps.token(transaction.session, registry.id, call.params["name"])
    before = _summary(row) if row else None
    if row is None:
        row = _new(transaction, call, registry)
    _apply(transaction, row, registry, group.name, properties)
    reply = _saved(transaction, call, row, registry, group.name, before)
    path = f"{bodies.registry_scope(registry, group.name)}/tokens/{row.name}"
    return reply if before else long_running.created(transaction, call, reply, path, "token")


def _new(transaction: Transaction, call: Call, registry: Registry) -> RegistryToken:
    name, now = call.params["name"], transaction.now_text()
    if not _NAME.fullmatch(name):
        raise errors.refuse("bad_child_name", name=name, what="token", more="")
    most = LIMITS[registry.sku]["Tokens"]
    if scope_maps.counts(transaction.session, registry.id)[1] >= most:
        raise errors.refuse("too_many", registry=registry.name, most=most, what="tokens", sku=registry.sku)
    return RegistryToken(
        id=str(uuid.uuid4()), registry_id=registry.id, name=name, name_key=name.lower(), scope_map_key="", created=now,
        created_by=call.caller.name, modified=now, modified_by=call.caller.name,
    )  # fmt: skip


def patch(transaction: Transaction, call: Call) -> Reply:
    """Change a token's scope map, status, or which of its passwords stay."""
    row, registry, group = _found(transaction, call)
    before, properties = _summary(row), call.json().get("properties")
    _apply(transaction, row, registry, group.name, properties if isinstance(properties, dict) else {})
    return _saved(transaction, call, row, registry, group.name, before)


def _apply(
    transaction: Transaction, row: RegistryToken, registry: Registry, group: str, given: dict[str, object]
) -> None:
    if given.get("scopeMapId"):
        row.scope_map_key = _scope_map(transaction, registry, group, str(given["scopeMapId"]))
    if given.get("status") is not None:
        status = str(given["status"]).lower()
        if status not in _STATES:
            raise errors.bad_policy("properties", "status", given["status"], ", ".join(_STATES))
        row.status = status
    credentials = given.get("credentials")
    if isinstance(credentials, dict) and isinstance(credentials.get("passwords"), list):
        # The list names those that stay; a password's text comes from generateCredentials alone.
        stay = {str(one.get("name")) for one in credentials["passwords"] if isinstance(one, dict)}
        row.passwords = [one for one in row.passwords if one["name"] in stay]


def _scope_map(transaction: Transaction, registry: Registry, group: str, given: str) -> str:
    prefix = scopes.key(f"{bodies.registry_scope(registry, group)}/scopeMaps/")
    key = scopes.key(given)
    name = key.removeprefix(prefix + "/")
    if name == key or scope_maps.scope_map(transaction.session, registry.id, name) is None:
        raise errors.refuse("bad_scope_map_id", id=given, registry=registry.name)
    return name


def _summary(row: RegistryToken) -> dict[str, object]:
    held = [{"name": one["name"], "expiry": one["expiry"]} for one in row.passwords]
    return {"name": row.name, "scopeMap": row.scope_map_key, "status": row.status, "passwords": held}


def _saved(
    transaction: Transaction, call: Call, row: RegistryToken, registry: Registry, group: str,
    before: dict[str, object] | None,
) -> Reply:  # fmt: skip
    row.modified, row.modified_by = transaction.now_text(), call.caller.name
    transaction.session.add(row)
    transaction.session.flush()
    call.change(before=before, after=_summary(row))
    return bodies.reply(call, _body(transaction, row, registry, group), 200 if before else 201)


def delete(transaction: Transaction, call: Call) -> Reply:
    """Delete a token; one that is not there is 204."""
    registry, _ = registries.found(transaction, call)
    row = scope_maps.token(transaction.session, registry.id, call.params["name"])
    if row is None:
        return bodies.reply(call, None, 204)
    call.change(before=_summary(row))
    transaction.session.delete(row)
    place = f"/subscriptions/{registry.subscription_id}/providers/Microsoft.ContainerRegistry/locations"
    return long_running.deleted(transaction, call, f"{place}/{registry.location}/operationResults", "tokens")


def generate(transaction: Transaction, call: Call) -> Reply:
    """Make passwords of a token, both or the one named; they are shown this once, and kept as hashes."""
    registry, group = registries.found(transaction, call)
    asked = call.json()
    row = _of_id(transaction, registry, group.name, str(asked.get("tokenId") or ""))
    wanted = NAMES if asked.get("name") is None else (str(asked["name"]).lower(),)
    if not set(wanted) <= set(NAMES):
        raise errors.refuse("bad_token_password", reason=f"The password name '{asked['name']}' is not one of "
                            f"{', '.join(NAMES)}.")  # fmt: skip
    now, expiry = transaction.now_text(), _expiry(transaction, asked.get("expiry"))
    made = {name: new_password() for name in wanted}
    fresh = [
        {"name": name, "hashed": passwords.hash_secret(text), "created": now, "expiry": expiry}
        for name, text in made.items()
    ]
    before = _summary(row)
    kept = [one for one in row.passwords if one["name"] not in made]
    row.passwords = sorted([*kept, *fresh], key=lambda one: one["name"])
    transaction.session.flush()
    call.change(before=before, after=_summary(row))
    shown = [
        {**_password(one), **({"value": made[one["name"]]} if one["name"] in made else {})} for one in row.passwords
    ]
    return bodies.reply(call, {"username": row.name, "passwords": shown})


def _of_id(transaction: Transaction, registry: Registry, group: str, given: str) -> RegistryToken:
    prefix = scopes.key(f"{bodies.registry_scope(registry, group)}/tokens/") + "/"
    key = scopes.key(given)
    row = (
        scope_maps.token(transaction.session, registry.id, key.removeprefix(prefix)) if key.startswith(prefix) else None
    )
    if row is None:
        raise errors.refuse("bad_token_id", id=given, registry=registry.name)
    return row


def _expiry(transaction: Transaction, given: object) -> str:
    """Return when passwords end (`clock.to_text` form), empty for never."""
    if given is None:
        return ""
    try:
        found = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
    except ValueError:
        raise errors.refuse("bad_token_password", reason=f"The expiry '{given}' is no date and time.") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found <= transaction.now():
        raise errors.refuse("bad_token_password", reason=f"The expiry '{given}' has passed already.")
    return clock.to_text(found)
