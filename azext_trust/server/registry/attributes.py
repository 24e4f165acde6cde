"""The data API's ``changeableAttributes``: shown, and changed one by one."""

from __future__ import annotations

from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.registry import errors
from azext_trust.server.store.locks import Locks

_NAMES = {
    "deleteEnabled": "delete_enabled", "writeEnabled": "write_enabled", "readEnabled": "read_enabled",
    "listEnabled": "list_enabled",
}  # fmt: skip


def shown(row: Locks) -> dict[str, object]:
    """Return the attributes as the API shows them."""
    return {name: getattr(row, column) for name, column in _NAMES.items()}


def change(call: RegistryCall, row: Locks) -> dict[str, object]:
    """Bring a request's body into the attributes.

    Returns:
        What was asked for, for the activity entry.

    Raises:
        ServiceError: a value is no boolean.
    """
    body = call.json()
    asked = {name: body[name] for name in _NAMES if body.get(name) is not None}
    for name, value in asked.items():
        if not isinstance(value, bool):
            raise errors.bad_request(f"{name} must be true or false")
        setattr(row, _NAMES[name], value)
    return asked
