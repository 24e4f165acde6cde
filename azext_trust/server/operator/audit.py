"""Audit answers over the cloud's own facts: what the caller may read of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from azext_trust import __version__
from azext_trust.rbac.questions import catalog
from azext_trust.rbac.questions.answers import Answer, AskError, NotThere
from azext_trust.rbac.questions.asked import Asked
from azext_trust.rbac.questions.changes import ChangeError
from azext_trust.server.gate import warm
from azext_trust.server.gate.call import Call, Reply
from azext_trust.server.operator import audit_openapi, errors
from azext_trust.server.operator.audit_tenant import StoreTenant
from azext_trust.server.store.transaction import Transaction

MOST_CHANGES = 1000


def ask(transaction: Transaction, call: Call) -> Reply:
    """Answer the question that the path names, with the words of the query, or of the body (POST).

    Raises:
        ServiceError: the question cannot be asked so, or what it is about does not exist.
    """
    name = call.path.rstrip("/").rsplit("/", 1)[1]
    asked = _asked(name, call)
    if name == "explain" and not asked.assignee and not asked.correlation_id:
        asked = _with(asked, assignee=call.caller.id)
    try:
        return Reply(answered(transaction, call, name, asked).document())
    except ChangeError as error:
        raise errors.bad_value(f"changes[{error.at}].{error.key}", str(error)) from None
    except NotThere as error:
        raise errors.not_there(str(error)) from None
    except AskError as error:
        raise errors.bad_value(name, str(error)) from None


def answered(transaction: Transaction, call: Call, name: str, asked: Asked) -> Answer:
    """Return the answer to a question, over the warm index where there is one."""
    with warm.whole(transaction) as index:
        return catalog.ask(name, StoreTenant(transaction, call, index), asked)


def document(transaction: Transaction, call: Call) -> Reply:
    """Return the description of this service (OpenAPI 3.1)."""
    return Reply(audit_openapi.document(call.settings.origin, __version__))


# From the request to the question

_TEXTS = {one.name: one for one in fields(Asked) if one.type == "str"}
_CAMEL = {re.sub("_([a-z])", lambda found: found[1].upper(), name): name for name in _TEXTS}
_FLAGS = {"indirect", "charts"}


def _asked(name: str, call: Call) -> Asked:
    given: dict[str, object] = {**call.query}
    lower = {camel.lower(): camel for camel in (*_CAMEL, *_FLAGS)}
    given = {lower.get(key, key): value for key, value in given.items()}
    if call.method == "POST":
        given |= call.json()
    known = audit_openapi.members(name)
    for key in given:
        if key not in known:
            raise errors.bad_value(str(key), f"'{key}' is not taken here: {', '.join(sorted(known))}.")
    made: dict[str, Any] = {}
    for key, value in given.items():
        made[_CAMEL.get(key, key)] = _value(key, value)
    return Asked(**made)


def _value(key: str, value: object) -> object:
    if key in _FLAGS:
        if str(value).lower() not in ("true", "false"):
            raise errors.bad_value(key, f"'{key}' is true or false.")
        return str(value).lower() == "true"
    if key == "changes":
        if not isinstance(value, list) or len(value) > MOST_CHANGES:
            raise errors.bad_value(key, f"'{key}' is a list of at most {MOST_CHANGES} changes.")
        return value
    if key == "rules":
        return _rules(value)
    if key == "baseline":
        if not isinstance(value, list):
            raise errors.bad_value(key, f"'{key}' is a list of texts.")
        return frozenset(str(one).lower() for one in value)
    if not isinstance(value, str) or len(value) > 2048:
        raise errors.bad_value(key, f"'{key}' is a text of at most 2048 characters.")
    return value


def _rules(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise errors.bad_value("rules", "'rules' is an object: rule to limit.")
    for rule, limit in value.items():
        if not isinstance(limit, bool) and not (isinstance(limit, int) and 0 <= limit < 10**9):
            raise errors.bad_value("rules", f"the limit of '{rule}' is a whole number, or true.")
    return {str(rule): limit for rule, limit in value.items() if limit is not False}


def _with(asked: Asked, **more: Any) -> Asked:
    from dataclasses import replace

    return replace(asked, **more)
