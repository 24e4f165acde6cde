"""Answers that need nobody but what is remembered: no transaction, no worker thread.

Pulls ask for the same few manifests again and again. What is remembered is as of a number that every push, lock and
deletion moves; who asks was let in just before.
"""

from __future__ import annotations

from azext_trust.names import images
from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.gate.route import Route
from azext_trust.server.registry import errors, manifests, uploads


def answer(call: RegistryCall, row: Route, number: int) -> Reply | None:
    """Return the answer, or None where a worker has to find it.

    Args:
        call: an admitted request.
        row: its row.
        number: the content's present number (`store.moments`).
    """
    if row.operation == "catalog:ping":
        return Reply({}, 200, dict(errors.HEADERS))
    if row.operation == "uploads:begin" and not call.raw_query:
        return uploads.begun(call) if images.valid_repository(call.params["name"]) else None
    if row.operation != "manifests:show" or call.door is None:
        return None
    name, reference = call.params["name"], call.params["reference"]
    found = call.door.memory.get(("manifest", call.here.id, name, reference), number)
    if found is None or not manifests.readable(call, found) or call.here.enabled("quarantinePolicy"):
        return None
    return manifests.reply(call, found)
