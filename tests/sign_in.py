"""What tests of sign-in share: a browser, a clock to move, certificates and assertions."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from azext_trust.server.gate.call import Reply
from azext_trust.server.store import clock, facts, principals
from azext_trust.server.store.transaction import Store
from tests.conftest import TENANT, Client

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
ARM = "https://management.core.windows.net//.default"
ALL = f"{ARM} openid profile offline_access"
TOKEN_ENDPOINT = f"https://localhost/{TENANT}/oauth2/v2.0/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def claims_of(token: object) -> dict[str, Any]:
    """Return a token's claims; its signature is not looked at."""
    found: dict[str, Any] = jwt.decode(str(token), options={"verify_signature": False})
    return found


def advance(cloud: Client, seconds: float) -> None:
    """Move the cloud's clock on."""
    with cloud.app.store.write() as transaction:
        before = float(facts.get(transaction.session, facts.CLOCK_OFFSET, "0"))
        facts.put(transaction.session, facts.CLOCK_OFFSET, str(before + seconds))


def user_id(cloud: Client, name: str) -> str:
    """Return a user's object id."""
    with cloud.app.store.read() as transaction:
        found = principals.user_by_upn(transaction.session, name)
        assert found is not None
        return found.id


def change_user(cloud: Client, name: str, **values: object) -> None:
    """Change a user's row."""
    with cloud.app.store.write() as transaction:
        found = principals.user_by_upn(transaction.session, name)
        assert found is not None
        for key, value in values.items():
            setattr(found, key, value)


def change_application(cloud: Client, app_id: str, **properties: object) -> None:
    """Change what Graph shows of an application."""
    with cloud.app.store.write() as transaction:
        found = principals.application_by_app_id(transaction.session, app_id)
        assert found is not None
        found.properties = {**found.properties, **properties}


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, days: int = 365) -> Certificate:
        """Make one, signed by itself."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "builder")])
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=days))
        )  # fmt: skip
        return cls(key, built.sign(key, hashes.SHA256()))

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        """Key and certificate in PEM, as az wants its file."""
        form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key = self.key.private_bytes(serialization.Encoding.PEM, form, none)
        return (key + self.certificate.public_bytes(serialization.Encoding.PEM)).decode()

    def register(self, store: Store, app_id: str) -> None:
        """Make it a credential of an application."""
        with store.write() as transaction:
            owner = principals.application_by_app_id(transaction.session, app_id)
            assert owner is not None
            transaction.session.add(
                principals.Credential(
                    id=str(uuid.uuid4()), owner_id=owner.id, kind="certificate",
                    start=clock.to_text(self.certificate.not_valid_before_utc),
                    end=clock.to_text(self.certificate.not_valid_after_utc),
                    properties={"der": base64.b64encode(self.der).decode()},
                )
            )  # fmt: skip

    def assertion(self, client_id: str, *, padding: bool = True, header: str = "x5t", **claims: object) -> str:
        """Return a client assertion as MSAL makes it: padded thumbprint, times with fractions, no `nbf`."""
        algorithm = hashlib.sha1 if header == "x5t" else hashlib.sha256
        thumbprint = base64.urlsafe_b64encode(algorithm(self.der).digest()).decode()
        body: dict[str, object] = {
            "aud": TOKEN_ENDPOINT, "iss": client_id, "sub": client_id, "exp": time.time() + 600.5,
            "iat": time.time() + 0.25, "jti": str(uuid.uuid4()), **claims,
        }  # fmt: skip
        known = {name: value for name, value in body.items() if value is not None}
        headers = {header: thumbprint if padding else thumbprint.rstrip("=")}
        return jwt.encode(known, self.key, "RS256", headers=headers)


def shown(assertion: str) -> dict[str, str]:
    """Return the form fields that show an assertion."""
    return {"client_assertion": assertion, "client_assertion_type": ASSERTION_TYPE}


@dataclass
class Browser:
    """A browser: it keeps cookies and fills forms in."""

    cloud: Client
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, address: str, **headers: str) -> Reply:
        """Open a page."""
        return self._kept(self.cloud.call("GET", address, **self._cookie(), **headers))

    def submit(self, address: str, page: Reply, **typed: str) -> Reply:
        """Fill in a page's form and send it, as a browser on the same page does."""
        form = {**fields_of(page), **typed}
        more = {"origin": "https://localhost", "content_type": "application/x-www-form-urlencoded"}
        return self._kept(self.cloud.call("POST", address, urlencode(form).encode(), **self._cookie(), **more))

    def _cookie(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _kept(self, reply: Reply) -> Reply:
        found = re.match(r"([^=;]+)=([^;]*)", reply.headers.get("set-cookie", ""))
        if found:
            self.cookies[found[1]] = found[2]
        return reply


def fields_of(page: Reply) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', str(page.body))
    return {unescape(name): unescape(value) for name, value in found}


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a code verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Asked:
    """An authorization request, and the way through its page."""

    cloud: Client
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    fields: dict[str, str] = field(default_factory=dict)

    def address(self, **more: str | None) -> str:
        """Return the address that is opened in the browser; None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "client_id": AZURE_CLI, "response_type": "code", "redirect_uri": "http://localhost:8400", "scope": ALL,
            "state": "a state", "response_mode": "form_post", "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256", "nonce": "a nonce", **self.fields, **more,
        }  # fmt: skip
        known = {name: value for name, value in asked.items() if value is not None}
        return f"/{TENANT}/oauth2/v2.0/authorize?{urlencode(known)}"

    def code(self, name: str = "alain@contoso.com", password: str = "Alain-pass-1", **more: str | None) -> str:
        """Sign in on the page and return the code that the application receives."""
        browser = Browser(self.cloud)
        page = browser.get(self.address(**more))
        answer = browser.submit(self.address().split("?")[0], page, username=name, password=password)
        return fields_of(answer)["code"]

    def redeem(self, code: str, **more: str) -> Reply:
        """Exchange a code for tokens."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost:8400",
                "code_verifier": self.verifier, "scope": ALL, **more}  # fmt: skip
        return self.cloud.token_request(**{name: value for name, value in form.items() if value})
