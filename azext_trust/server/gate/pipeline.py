"""The way of every request: match, authenticate, authorise, one transaction, activity entry, error shape."""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any, Protocol, cast

from sqlalchemy.exc import DataError

from azext_trust.server.gate import route as routes
from azext_trust.server.gate.authenticate import NotAuthenticated, holder, operator
from azext_trust.server.gate.authorise import Attributes, Authoriser, Denied
from azext_trust.server.gate.call import Call, Caller, MalformedBody, Reply, ServiceError
from azext_trust.server.gate.route import Route, RouteTable
from azext_trust.server.store import clock, facts
from azext_trust.server.store.activity import Activity
from azext_trust.server.store.errors import StateError
from azext_trust.server.store.transaction import Store, Transaction

logger = logging.getLogger("aztrust.server")

Operation = Callable[[Transaction, Call], Reply]
MOST = 4 * 1024 * 1024
"""Largest body that is taken whole, in bytes: a manifest's limit (OCI Distribution 1.1, Pushing manifests)."""
Admission = Callable[[Transaction, Any, Route], None]
"""Lets a request pass or raises; what `holder` and roles decide, where a service knows its callers otherwise."""


class Errors(Protocol):
    """What each service's ``errors.py`` offers the gate: the only place with the real service's codes and texts."""

    def render(self, error: ServiceError, call: Call) -> Reply:
        """The answer that carries an error."""
        ...

    def unauthenticated(self, problem: str, call: Call) -> ServiceError:
        """The token is missing or not good here."""
        ...

    def forbidden(self, denied: Denied, call: Call) -> ServiceError:
        """The caller lacks a permission."""
        ...

    def not_found(self, call: Call) -> ServiceError:
        """There is no such path."""
        ...

    def method_not_allowed(self, call: Call) -> ServiceError:
        """The path exists with another method."""
        ...

    def malformed(self, message: str, call: Call) -> ServiceError:
        """The body cannot be read."""
        ...

    def unavailable(self, problem: StateError, call: Call) -> ServiceError:
        """The state cannot be read or written; the problem's text names the cure."""
        ...

    def unexpected(self, call: Call) -> ServiceError:
        """A fault of ours."""
        ...


class Service:
    """One protocol behind the gate.

    Args:
        name: the service's folder under ``server/``.
        audiences: resources whose tokens are good here, lower case, with no slash at the end.
        admit: the service's own admission, or None for bearer tokens of the directory.
    """

    def __init__(self, name: str, audiences: frozenset[str], admit: Admission | None = None) -> None:
        self.name = name
        self.admit = admit
        # What happens inside a registry changes no setting and no role.
        self.moves = facts.REVISION if admit is None else facts.CONTENT
        self.package = f"azext_trust.server.{name}"
        self.audiences = audiences
        self.table = RouteTable(self._module("routes").ROUTES)
        self.errors = cast(Errors, self._module("errors"))
        self.most: int = getattr(self.errors, "MOST", MOST)
        # Some services check the request before anything else (ARM: api-version); others have nothing to add.
        # Login servers answer some requests from what they remember, without a worker thread.
        self.quick: Callable[[Any, Route, int], Reply | None] | None = None
        self.before: Callable[[Call, Route], None] = getattr(self.errors, "before", lambda call, row: None)
        # What a service asks of every request beside: how paths may be spelled, and what else can stop an admitted one.
        checks = self._module("checks") if importlib.util.find_spec(f"{self.package}.checks") else None
        self.rewrite: Callable[[str], str] = getattr(checks, "rewrite", lambda path: path)
        self.admitted: Callable[[Transaction, Call, Route, str], None] = getattr(
            checks, "admitted", lambda transaction, call, row, scope: None
        )

    def _module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.package}.{name}")

    def function(self, dotted: str) -> Callable[..., object]:
        """Return the function a row names, importing its module when first asked."""
        module, _, name = dotted.partition(":")
        return cast(Callable[..., object], getattr(self._module(module), name))


def handle(service: Service, store: Store, call: Call) -> Reply:
    """Answer a request; every failure leaves in the service's own shape."""
    call.now = lambda: present(store)
    return cast(Reply, guarded(service, call, lambda: _handle(service, store, call)))


def guarded(service: Service, call: Call, work: Callable[[], object]) -> object:
    """Do a piece of work; every failure becomes an answer in the service's own shape."""
    try:
        return work()
    except ServiceError as error:
        return service.errors.render(error, call)
    except MalformedBody as error:
        return service.errors.render(service.errors.malformed(str(error), call), call)
    except DataError as error:
        # PostgreSQL's texts hold no NUL, for instance.
        message = f"A value cannot be stored: {error.orig}"
        return service.errors.render(service.errors.malformed(message, call), call)
    except StateError as problem:
        logger.error("%s Correlation id %s.", problem, call.correlation_id)
        return service.errors.render(service.errors.unavailable(problem, call), call)
    except Exception:
        logger.exception("unexpected failure, correlation id %s", call.correlation_id)
        return service.errors.render(service.errors.unexpected(call), call)


def present(store: Store) -> datetime:
    """Return the cloud's present, or the machine's where the state cannot tell."""
    try:
        return store.now()
    except Exception:  # an error's timestamp must not keep the error from being told
        return clock.machine()


def _handle(service: Service, store: Store, call: Call) -> Reply:
    return cast(Reply, perform(service, store, call, found(service, call)))


def found(service: Service, call: Call) -> Route:
    """Return the row of a request; the call then knows its placeholders.

    Raises:
        ServiceError: there is no such path, or it takes another method.
    """
    call.path = service.rewrite(call.path)
    row, call_params, elsewhere = service.table.match(call.method, call.path)
    if row is None:
        raise service.errors.method_not_allowed(call) if elsewhere else service.errors.not_found(call)
    call.params = call_params
    return row


def perform(service: Service, store: Store, call: Call, row: Route, *, admitted: bool = False) -> object:
    """Admit a request and do what its row says: all of it in one transaction, with its activity entry.

    Args:
        service: whose row it is.
        store: the state.
        call: the request.
        row: its row.
        admitted: the caller was let in already.

    Returns:
        The answer; of a row that `streams` perhaps a `stream.Receiver` for the body.

    Raises:
        ServiceError: a refusal, in the service's own words; it is in the activity log.
    """
    scope = row.scope_of(call.path, dict(call.params))
    try:
        if row.own_transactions:
            if not admitted:
                with store.read() as transaction:
                    _admit(service, transaction, call, row, scope)
            return service.function(row.operation)(store, call)
        with store.write(moves=service.moves) if row.activity else store.read() as transaction:
            if not admitted:
                _admit(service, transaction, call, row, scope)
            reply = cast(Operation, service.function(row.operation))(transaction, call)
            if row.activity:
                transaction.record(entry(call, row.activity, scope, "Allowed", status=reply.status))
            return reply
    except NotAuthenticated as refused:
        raise service.errors.unauthenticated(refused.problem, call) from None
    except Denied as denied:
        with store.write(moves="") as transaction:  # a refusal changes nothing that anybody remembers
            transaction.record(entry(call, denied.action, denied.scope, "Denied", **_reasons(denied)))
        raise service.errors.forbidden(denied, call) from None


def _admit(service: Service, transaction: Transaction, call: Call, row: Route, scope: str) -> None:
    if service.admit is not None:
        service.admit(transaction, call, row)
        return
    if row.action == routes.ANONYMOUS:
        service.before(call, row)
        return
    # The operator key, which has no dots as a token has, opens whatever a signed-in caller may ask for there.
    keyed = service.name == "operator" and "." not in call.headers.get("authorization", "")
    if row.action == routes.OPERATOR or keyed:
        call.caller = operator(transaction, call)
    else:
        call.caller = holder(transaction, call, service.audiences)
    service.before(call, row)
    if row.action not in routes.ACCESS_RULES:
        attributes = None
        if row.attributes:
            attributes = cast(Callable[[Transaction, Call], Attributes], service.function(row.attributes))(
                transaction, call
            )
        _require(service, transaction, call, row, scope, attributes)
    service.admitted(transaction, call, row, scope)


def _require(
    service: Service, transaction: Transaction, call: Call, row: Route, scope: str, attributes: Attributes | None
) -> None:
    try:
        Authoriser(transaction, call.caller).require(row.action, scope, attributes)
    except Denied:
        if not row.otherwise or not service.function(row.otherwise)(transaction, call):
            raise


def _reasons(denied: Denied) -> dict[str, object]:
    """Return why it was refused: the missing action, a deny assignment, and the five nearest misses."""
    reasons: dict[str, object] = {"missing": denied.action, **denied.notes}
    if denied.decision is not None:
        if denied.decision.denied_by is not None:
            reasons["denyAssignment"] = denied.decision.denied_by.id
        reasons["nearest"] = [
            {
                "kind": miss.kind, "assignment": miss.assignment.id if miss.assignment else None,
                "role": miss.role.name if miss.role else None,
                "scope": miss.assignment.scope if miss.assignment else None, "detail": miss.detail,
            }
            for miss in denied.decision.misses[:5]
        ]  # fmt: skip
    return reasons


def entry(call: Call, operation: str, scope: str, outcome: str, **more: object) -> Activity:
    """Return the activity entry of a call: who did what, where, how it ended."""
    caller: Caller = call.caller
    details: dict[str, object] = {
        "callerName": caller.name, "callerType": caller.kind, "method": call.method, "path": call.path,
        "clientRequestId": call.headers.get("x-ms-client-request-id", ""), **call.details, **more,
    }  # fmt: skip
    return Activity(operation, scope, outcome, caller.id or "anonymous", call.correlation_id, details)
