"""Resource providers: what types there are, in which versions and regions, and who is registered with them."""

from __future__ import annotations

from functools import cache

from azext_trust.rbac import operations, roles
from azext_trust.server.arm import bodies, errors, versions
from azext_trust.server.gate.authorise import Authoriser, Denied
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.store import resources
from azext_trust.server.store.transaction import Transaction


@cache
def elsewhere() -> dict[str, str]:
    """Return the namespaces that exist in Azure and are not offered here, lower case -> own spelling.

    Those that the built-in roles name: scripts register them, and define roles over them.
    """
    found: dict[str, str] = {}
    for role in roles.built_in_roles().values():
        for permission in role.permissions:
            for action in (*permission.actions, *permission.data_actions):
                name = action.split("/")[0]
                if "*" not in name and versions.namespace(name) is None:
                    found.setdefault(name.lower(), name)
    return found


def _named(call: Call) -> str:
    """Return the namespace a request names, in its own spelling.

    Raises:
        ServiceError: InvalidResourceNamespace.
    """
    asked = call.params["namespace"]
    found = versions.namespace(asked) or elsewhere().get(asked.lower())
    if found is None:
        raise errors.no_provider(asked)
    return found


def _types(namespace: str) -> list[dict[str, object]]:
    regions = [str(region["displayName"]) for region in versions.regions()]
    known = versions.providers().get(namespace, {}).get("types", {})
    return [
        {
            "resourceType": name, "locations": regions if one["everywhere"] else [],
            "apiVersions": list(reversed(one["apiVersions"])), "capabilities": one["capabilities"],
        }
        for name, one in known.items()
    ]  # fmt: skip


def state(transaction: Transaction, subscription: str, namespace: str) -> str:
    """Return a registration's state: with the providers offered here a subscription is registered until it leaves."""
    data = versions.providers().get(namespace)
    said = resources.registrations(transaction.session, subscription).get(namespace.lower())
    if said or (data and data["policy"] == "RegistrationFree"):
        return "Registered"
    return "Unregistered" if said is False else "Registered" if data else "NotRegistered"


def require_registered(transaction: Transaction, subscription: str, namespace: str) -> None:
    """Go on only if the subscription may use the provider.

    Raises:
        ServiceError: MissingSubscriptionRegistration.
    """
    if state(transaction, subscription, namespace) != "Registered":
        raise errors.refuse("not_registered", namespace=namespace)


def _body(transaction: Transaction, subscription: str, namespace: str) -> dict[str, object]:
    data = versions.providers().get(namespace, {"policy": "RegistrationRequired"})
    body: dict[str, object] = {
        "id": f"/subscriptions/{subscription}/providers/{namespace}", "namespace": namespace
    }  # fmt: skip
    if "applicationId" in data:
        body["authorization"] = {name: data[name] for name in ("applicationId", "roleDefinitionId") if name in data}
    body["resourceTypes"] = _types(namespace)
    body["registrationState"] = state(transaction, subscription, namespace)
    return body | {"registrationPolicy": data["policy"]}


def listed(transaction: Transaction, call: Call) -> Reply:
    """Return the providers."""
    subscription = call.params["subscription"]
    names = [*versions.providers(), *sorted(elsewhere().values())]
    value = [_body(transaction, subscription, name) for name in names]
    return bodies.reply(call, {"value": value})


def tenant_listed(transaction: Transaction, call: Call) -> Reply:
    """Return the providers of the tenant; none is registered there."""
    value = [
        {"namespace": name, "resourceTypes": _types(name), "registrationState": "Registered"}
        for name in versions.providers()
    ]
    return bodies.reply(call, {"value": value})


def show(transaction: Transaction, call: Call) -> Reply:
    """Return one provider."""
    return bodies.reply(call, _body(transaction, call.params["subscription"], _named(call)))


def tenant_show(transaction: Transaction, call: Call) -> Reply:
    """Return one provider of the tenant."""
    name = _named(call)
    body = {"namespace": name, "resourceTypes": _types(name), "registrationState": "Registered"}
    return bodies.reply(call, body)


def register(transaction: Transaction, call: Call) -> Reply:
    """Register the subscription with a provider; it is so at once."""
    return _set(transaction, call, "register", wanted=True)


def unregister(transaction: Transaction, call: Call) -> Reply:
    """End a subscription's registration with a provider."""
    return _set(transaction, call, "unregister", wanted=False)


def _set(transaction: Transaction, call: Call, verb: str, *, wanted: bool) -> Reply:
    subscription, name = call.params["subscription"], _named(call)
    scope = f"/subscriptions/{subscription}"
    action = f"{name}/{verb}/action"
    authoriser = Authoriser(transaction, call.caller)
    if not authoriser.allows(action, scope):
        raise Denied(action, scope, authoriser.decide(action, scope))
    before = state(transaction, subscription, name)
    resources.register(transaction.session, subscription, name, wanted)
    transaction.session.flush()
    call.change(before=before, after=state(transaction, subscription, name))
    return bodies.reply(call, _body(transaction, subscription, name))


def permissions(transaction: Transaction, call: Call) -> Reply:
    """Return what a provider's own application may do in the subscription: nothing, here."""
    _named(call)
    return bodies.reply(call, {"value": []})


def _titled(name: str) -> str:
    return name.rpartition("/")[2]


def operation_list(transaction: Transaction, call: Call) -> Reply:
    """Return all operations of all providers (providerOperations)."""
    names = dict.fromkeys(operation.name.split("/")[0] for operation in operations.operations().values())
    return bodies.reply(call, {"value": [_operations(name) for name in names]})


def operation_show(transaction: Transaction, call: Call) -> Reply:
    """Return the operations of one provider."""
    asked = call.params["namespace"].lower()
    known = {operation.name.split("/")[0] for operation in operations.operations().values()}
    name = next((one for one in known if one.lower() == asked), None)
    if name is None:
        raise errors.refuse("no_provider_operations", namespace=call.params["namespace"])
    return bodies.reply(call, _operations(name))


def _operations(namespace: str) -> dict[str, object]:
    own: list[dict[str, object]] = []
    by_type: dict[str, list[dict[str, object]]] = {}
    for operation in operations.operations().values():
        head, _, rest = operation.name.partition("/")
        if head != namespace:
            continue
        kind, _, verb = rest.rpartition("/")
        kind = kind if verb != "action" else kind.rpartition("/")[0]
        shown: dict[str, object] = {
            "name": operation.name, "displayName": operation.description, "description": operation.description,
            "origin": "user,system", "properties": None, "isDataAction": operation.is_data_action,
        }  # fmt: skip
        (by_type.setdefault(kind, []) if kind else own).append(shown)
    return {
        "id": f"/providers/Microsoft.Authorization/providerOperations/{namespace}",
        "type": "Microsoft.Authorization/providerOperations", "name": namespace,
        "displayName": namespace.replace(".", " ", 1),
        "resourceTypes": [
            {"name": kind, "displayName": _titled(kind), "operations": found} for kind, found in by_type.items()
        ],
        "operations": own,
    }  # fmt: skip


def offered_operations(transaction: Transaction, call: Call) -> Reply:
    """Return the operations of a provider in the short form of its own list (operations API)."""
    name = _named(call)
    value = [
        {
            "name": operation.name, "isDataAction": operation.is_data_action,
            "display": {
                "provider": operation.provider, "resource": operation.name.split("/")[1],
                "operation": operation.description, "description": operation.description,
            },
        }
        for operation in operations.operations().values() if operation.name.split("/")[0] == name
    ]  # fmt: skip
    return bodies.reply(call, {"value": value})
