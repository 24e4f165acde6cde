"""Layers that nothing needs any more; apart from the rest of the operator service, which signs every command in."""

from __future__ import annotations

from dataclasses import asdict

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.operator import errors
from azext_trust.server.store import collection
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.transaction import Store


def collect(store: Store, call: Call) -> Reply:
    """Apply the registries' retention policies and delete blobs that nobody needs: ``{"graceSeconds": n}``, optional."""
    try:
        grace = float(str(call.json().get("graceSeconds", collection.GRACE_SECONDS)))
    except ValueError as error:
        raise errors.bad_value("graceSeconds", f"The grace period cannot be {error}.") from None
    swept = asdict(collection.sweep(store, grace))
    with store.write() as transaction:
        transaction.record(
            Activity("aztrust/blobs/collect", "/", "Allowed", "operator", call.correlation_id, dict(swept))
        )
    return Reply(swept)
