"""Every route of every service with everybody who may not use it: the real refusal, nothing leaks, nothing changes.

The rows come from the routing tables: a new one is tested when it is written (M6, M12, M29).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azext_trust.server.app import SERVICES
from azext_trust.server.gate.admission import need_of
from azext_trust.server.gate.route import ANONYMOUS, OPERATOR, SIGNED_IN
from tests.adversary import route_matrix
from tests.adversary.route_matrix import MARK, PLAIN, STRANGERS, Case, World, cases, code_of
from tests.unit.server.registry.conftest import Answer

UNKNOWN = {
    "anonymous": "AuthenticationFailed", "wrong audience": "InvalidAuthenticationTokenAudience",
    "expired": "ExpiredAuthenticationToken", "tampered": "InvalidAuthenticationToken",
    "other tenant": "InvalidAuthenticationTokenTenant",
}  # fmt: skip
"""Resource Manager's codes; the other services have one for all."""
READING = {"pull", "metadata_read", "deleted_read"}
"""What Reader may do in a registry, beside asking for the catalogue."""
OWN = "/v1.0/me"
"""Where anybody changes themselves, or ends the sessions that the rest of the rows is asked with."""
ALLOWED_BY_DEFAULT = ("may_create_group", "may_register", "may_add_principal")
"""Entra's default user permissions: the answer is about the request's body then."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One cloud for all: nothing here changes it."""
    made = route_matrix.opened(tmp_path_factory.mktemp("matrix"))
    yield made
    made.client.app.store.close()


def is_error(case: Case, answer: Answer, status: int, code: str) -> bool:
    """Tell whether an answer is an error; HEAD has no body to tell its code."""
    return answer.status == status and (case.row.method == "HEAD" or code_of(answer) == code)


def refused_unknown(case: Case, who: str, answer: Answer) -> str:
    """Return what is wrong with the answer to somebody who is not known, or nothing."""
    if MARK.encode() in answer.body:
        return "leaks"
    if case.row.action == ANONYMOUS:
        return "" if answer.status < 500 else "fails"
    if case.service == "arm":
        good = is_error(case, answer, 401, UNKNOWN[who])
    elif case.service == "graph":
        good = is_error(case, answer, 401, "InvalidAuthenticationToken")
    elif case.service in ("registry", "notary"):
        good = is_error(case, answer, 401, "UNAUTHORIZED") and "www-authenticate" in answer.headers
    else:
        good = answer.status == 401
    return "" if good else "is not the real 401"


def refused_plain(case: Case, who: str, answer: Answer) -> str:
    """Return what is wrong with the answer to somebody who is known and has no right to it, or nothing."""
    status, row = answer.status, case.row
    if status >= 500:
        return "fails"
    if who != "reader" and case.service != "graph" and MARK.encode() in answer.body:
        return "leaks"
    if row.action == ANONYMOUS:
        return ""
    if row.action == OPERATOR:
        return "" if status == 401 else "is open"
    if row.action == SIGNED_IN:
        return "" if not row.activity or status in (403, 404) else "changes something"
    if case.service == "arm":
        return refused_by_arm(case, who, answer)
    if case.service == "graph":
        return refused_by_graph(case, answer)
    scope = need_of(row.action, {"name": "team/web", "gun": "x"}).scope
    if who == "reader" and (scope.kind == "registry" or set(scope.actions) <= READING):
        return ""
    return "" if is_error(case, answer, 401, "UNAUTHORIZED") else "is not the real 401"


def refused_by_arm(case: Case, who: str, answer: Answer) -> str:
    """Return what is wrong with Resource Manager's answer: Reader reads, the others do not even that."""
    if who == "reader" and case.row.action.lower().endswith("/read") and not above(case):
        return "" if answer.status not in (401, 403) else "does not let Reader read"
    return "" if is_error(case, answer, 403, "AuthorizationFailed") else "is not the real 403"


def above(case: Case) -> bool:
    """Tell whether a path is above the subscription, where Reader has no role."""
    return case.path.lower().startswith("/providers/microsoft.management")


def refused_by_graph(case: Case, answer: Answer) -> str:
    """Return what is wrong with Graph's answer: a plain user reads the directory and changes nothing of others'."""
    if not case.row.activity:
        return "" if answer.status not in (401, 403) else "does not let a user read"
    if case.row.otherwise.rpartition(":")[2] in ALLOWED_BY_DEFAULT:
        return "" if answer.status in (400, 403) else "changes something"
    return "" if is_error(case, answer, 403, "Authorization_RequestDenied") else "is not the real 403"


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("service", SERVICES)
def test_who_is_not_known(world: World, service: str, who: str) -> None:
    """M6, M12: no token, or one that is good elsewhere, was good, or was made: the service's own 401."""
    token, before = STRANGERS[who](world, service), world.rows()
    answers = [(case, world.send(case, token)) for case in cases(service)]
    wrong = [f"{case} {verdict}: {a.status} {a.body[:200]!r}" for case, a in answers
             if (verdict := refused_unknown(case, who, a))]  # fmt: skip
    assert wrong == []
    assert world.rows() == before


@pytest.mark.parametrize("who", PLAIN)
@pytest.mark.parametrize("service", SERVICES)
def test_who_has_no_right(world: World, service: str, who: str) -> None:
    """M12, M20: a good token of somebody whom no role lets: the service's own refusal."""
    token, before = world.token(who, route_matrix.resource_of(service)), world.rows()
    wrong = []
    for case in cases(service):
        if case.row.activity and case.path.startswith(OWN):
            continue
        if case.service in ("registry", "notary") and case.row.action not in (ANONYMOUS, SIGNED_IN):
            scope = need_of(case.row.action, {"name": "team/web", "gun": f"{route_matrix.HOST}/team/web"}).scope
            token = world.registry_token(who, f"{scope.kind}:{scope.name}:{','.join(scope.actions)}")
        answer = world.send(case, token)
        if verdict := refused_plain(case, who, answer):
            wrong.append(f"{case} {verdict}: {answer.status} {answer.body[:200]!r}")
    assert wrong == []
    assert world.rows() == before
