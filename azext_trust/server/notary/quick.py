"""Metadata that were read before, answered with no transaction and no worker thread (`registry.quick`).

Whoever pulls asks for the same few timestamps again and again. An answer is remembered as of the content's number,
which every publish moves, and of the revision, which the policy and the retirement switch move: when either moves it
is asked for no more. What the server must sign again is remembered until it expires.
"""

from __future__ import annotations

from datetime import datetime

from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.gate.login_servers import Door, RegistryCall
from azext_trust.server.gate.route import Route

SMALL_CHANGE = 1000
"""What an entry takes besides its bytes."""


def answer(call: RegistryCall, row: Route, number: int) -> Reply | None:
    """Return the answer, or None where a worker has to find it.

    Args:
        call: an admitted request.
        row: its row.
        number: the content's present number (`store.moments`).
    """
    if row.operation != "read:show" or call.door is None:
        return None
    found = call.door.memory.get(_key(call, call.here.revision, call.params["file"]), number)
    if found is None:
        return None
    reply, until = found
    return reply if until is None or call.door.now() <= until else None


def remember(call: Call, file: str, reply: Reply, until: datetime | None, moment: tuple[int, int]) -> None:
    """Remember an answer.

    Args:
        call: the request.
        file: what it is the answer for, ``timestamp.json``.
        reply: the answer; its body is bytes.
        until: when it must be found anew, or None.
        moment: revision and content's number of the transaction that it was read in.
    """
    door: Door | None = getattr(call, "door", None)
    if door is None or not isinstance(call, RegistryCall) or not isinstance(reply.body, bytes):
        return
    revision, number = moment
    door.memory.put(_key(call, revision, file), number, (reply, until), len(reply.body) + SMALL_CHANGE)


def _key(call: RegistryCall, revision: int, file: str) -> tuple[str, ...]:
    # The host as the client wrote it decides which names are of this login server.
    return "trust", str(revision), call.here.id, call.origin, call.params["gun"], file
