"""$batch: up to twenty requests in one, each on its own way through the gate (JSON batching)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from azext_trust.server.gate.call import Call, Reply, ServiceError
from azext_trust.server.gate.pipeline import Service, handle
from azext_trust.server.graph import errors, query
from azext_trust.server.store.transaction import Store

MOST = 20


def answer(store: Store, call: Call) -> Reply:
    """Answer every request of a batch; one that depends on a failed one is not tried (424).

    Raises:
        ServiceError: the batch itself is wrong; then nothing of it was done.
    """
    asked = call.json().get("requests")
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST:
        raise errors.bad_batch(f"Number of batch request steps must be between 1 and {MOST}.")
    ids = [_checked(one) for one in asked]
    if len(set(ids)) != len(ids):
        raise errors.bad_batch("Request Id has to be unique in a batch.")
    # The outer request was let in with a token for Graph: so are the inner ones, each with its own right.
    audience = str(call.caller.claims.get("aud", "")).rstrip("/").lower()
    service = Service("graph", frozenset({audience}))
    done: dict[str, dict[str, object]] = {}
    for one in asked:
        done[str(one["id"])] = _step(service, store, call, one, done)
    return query.reply(call, {"responses": list(done.values())})


def _checked(one: object) -> str:
    if not isinstance(one, dict) or not one.get("id") or not one.get("method") or not one.get("url"):
        raise errors.bad_batch("Each request of a batch has an 'id', a 'method' and a 'url'.")
    if "$batch" in str(one["url"]).lower():
        raise errors.bad_batch("A batch cannot hold a batch.")
    return str(one["id"])


def _step(
    service: Service, store: Store, call: Call, one: dict[str, object], done: Mapping[str, dict[str, object]]
) -> dict[str, object]:
    needed = one.get("dependsOn")
    for name in needed if isinstance(needed, list) else ():
        status = done.get(str(name), {}).get("status")
        if not isinstance(status, int) or status >= 400:
            refused = ServiceError(424, "FailedDependency", f"The request '{name}' that this one depends on failed.")
            return _shown(one, errors.render(refused, call))
    return _shown(one, handle(service, store, _inner(call, one)))


def _inner(call: Call, one: dict[str, object]) -> Call:
    path, _, text = str(one["url"]).partition("?")
    path = "/" + path.removeprefix("https://").partition("/v1.0")[2].strip("/") if "/v1.0" in path else path
    given = one.get("headers")
    held = {str(k).lower(): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    held["authorization"] = call.headers.get("authorization", "")
    body = one.get("body")
    return Call(
        method=str(one["method"]).upper(), path=f"/v1.0/{path.strip('/')}",
        query={name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True)}, headers=held,
        body=b"" if body is None else json.dumps(body).encode(), settings=call.settings, raw_query=text,
        client_address=call.client_address,
    )  # fmt: skip


def _shown(one: dict[str, object], reply: Reply) -> dict[str, object]:
    shown: dict[str, object] = {"id": str(one["id"]), "status": reply.status}
    headers = {name.title(): value for name, value in reply.headers.items() if name in ("location", "retry-after")}
    if reply.body is not None:
        headers["Content-Type"] = reply.media or "application/json"
    shown["headers"] = headers
    if isinstance(reply.body, bytes):
        shown["body"] = base64.b64encode(reply.body).decode()
    elif reply.body is not None:
        shown["body"] = reply.body
    return shown
