"""A request on its way through the gate, who makes it, and the answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl

from azext_trust.server.store import clock
from azext_trust.server.store.errors import BusyError, DiskFullError, StateError


@dataclass(frozen=True)
class Settings:
    """How a cloud is published.

    Attributes:
        state: the cloud directory.
        host: the name under which the cloud publishes itself.
        port: the port it is reached on.
        suffix: login servers are ``<registry>.<suffix>``.
        adfs: publish the login endpoint in the shape that ends in ``/adfs`` (az-wire-contract.md section 0).
        retirement: position to move the retirement switch to at start, or None to leave it.
        seed: path of a seed file, or None for the default seed.
        threads: run operations in worker threads; False runs them in the caller's thread (embedded).
        database: a SQLAlchemy URL for PostgreSQL, or None for SQLite in `state`.
        blobs: the URL of an object store for blobs (``s3://``, ``az://``, ``gs://``), or None for files in `state`.
        quiet: say nothing on stderr when the state is founded.
        imds: answer the instance metadata service's host too: whoever asks is the machine itself.
        version: what the server calls itself.
    """

    state: Path
    host: str = "localhost"
    port: int = 443
    suffix: str = "azurecr.io"
    adfs: bool = False
    retirement: str | None = None
    seed: Path | None = None
    threads: bool = False
    database: str | None = None
    blobs: str | None = None
    quiet: bool = False
    imds: bool = False

    @property
    def origin(self) -> str:
        """The cloud's origin, with the port when it is not 443 and with no slash at the end."""
        return f"https://{self.host}" + ("" if self.port == 443 else f":{self.port}")

    @property
    def login_endpoint(self) -> str:
        """The sign-in origin clients are told."""
        return f"{self.origin}/adfs" if self.adfs else self.origin

    def login_server(self, registry: str) -> str:
        """The login server of a registry: lower case, with the port when it is not 443."""
        return f"{registry.lower()}.{self.suffix}" + ("" if self.port == 443 else f":{self.port}")


@dataclass(frozen=True)
class Caller:
    """Who makes the request, as its token says.

    Attributes:
        id: object id; ``operator`` for the operator key; empty for nobody.
        kind: ``User``, ``ServicePrincipal``, ``Operator`` or ``Anonymous``.
        name: upn of a user, appId of a service principal.
        claims: the token's claims.
        classic_administrator: the user holds the classic administrator flag (M9).
    """

    id: str = ""
    kind: str = "Anonymous"
    name: str = ""
    claims: Mapping[str, object] = field(default_factory=dict)
    classic_administrator: bool = False


@dataclass
class Reply:
    """An answer.

    Attributes:
        body: an object (sent as compact JSON), text, bytes, or None for an empty body.
        status: the HTTP status.
        headers: more headers.
        media: content type; JSON's when the body is an object.
    """

    body: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media: str = ""


class ServiceError(Exception):
    """A refusal or failure in the service's own words.

    Args:
        status: HTTP status.
        code: the service's error code.
        message: the service's text.
        headers: more headers of the answer.
        extra: more members of the error object (``details``, ``target``, AADSTS numbers).
    """

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, **extra: object
    ) -> None:
        super().__init__(f"({code}) {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.extra = extra


def status_of(problem: StateError) -> int:
    """Return the HTTP status (RFC 9110, RFC 4918) for a state that cannot be used: 507 full, 503 try again, 500."""
    return 507 if isinstance(problem, DiskFullError) else 503 if isinstance(problem, BusyError) else 500


RETRY = {"retry-after": "5"}
"""Sent with a 503."""


def _check_text(value: object) -> None:
    """Refuse half a surrogate pair (RFC 8259 section 8.2): no answer could repeat it in UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise MalformedBody(f"The body holds a character that is none: {error.reason}.") from None


MOST_FIELDS = 200
"""No form has more fields than this."""


class MalformedBody(Exception):
    """The body is not what its content type says; each service has its own words for it."""


@dataclass
class Call:
    """A request.

    Attributes:
        method: upper case.
        path: repeated slashes collapsed, percent-encoding kept.
        params: values of the route's placeholders, decoded.
        query: query members, names in lower case, last one wins.
        headers: names in lower case.
        body: the whole body.
        settings: how the cloud is published.
        challenge: the claims (JSON) that a new access token must meet, when this one was revoked.
        now: tells the cloud's present (UTC), also where there is no transaction: in the answer that carries an error.
        imports: the id of an import that this request began; the work goes on after the answer.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    settings: Settings
    raw_query: str = ""
    client_address: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = field(default_factory=Caller)
    details: dict[str, object] = field(default_factory=dict)
    challenge: str = ""
    now: Callable[[], datetime] = clock.machine
    imports: str = ""

    @cached_property
    def request_id(self) -> str:
        """The id made here, told to the client; most answers tell none."""
        return str(uuid.uuid4())

    @property
    def correlation_id(self) -> str:
        """The id that the answer, the log and the client's own log share: the client's, else `request_id`."""
        return self.headers.get("x-ms-correlation-request-id") or self.request_id

    @property
    def api_version(self) -> str:
        """The ``api-version`` asked for, or empty."""
        return self.query.get("api-version", "")

    def json(self) -> dict[str, object]:
        """Return the body as a JSON object; an empty body is an empty object.

        Raises:
            MalformedBody: it is no JSON object.
        """
        if not self.body.strip():
            return {}
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise MalformedBody(str(error)) from error
        if not isinstance(value, dict):
            raise MalformedBody("The request body must be a JSON object.")
        if b"\\u" in self.body:
            _check_text(value)
        return value

    def form(self) -> dict[str, str]:
        """Return the body as form fields (``application/x-www-form-urlencoded``), last one wins."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except (UnicodeDecodeError, ValueError) as error:
            raise MalformedBody(str(error)) from error

    def change(self, *, before: object = None, after: object = None, **more: object) -> None:
        """Say what changed, for the activity entry. Never pass a secret or trust metadata."""
        self.details |= {"before": before, "after": after, **more}
