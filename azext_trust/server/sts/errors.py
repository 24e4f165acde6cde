"""Entra's refusals: AADSTS codes and texts (az-wire-contract.md section 2)."""

from __future__ import annotations

from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.call import RETRY, Call, Reply, ServiceError, status_of
from azext_trust.server.store.errors import StateError


class SignInError(ServiceError):
    """A refused sign-in.

    Args:
        status: HTTP status.
        error: the OAuth error, ``invalid_grant``.
        number: the AADSTS number.
        text: what stands after ``AADSTS<number>:``.
    """

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        super().__init__(status, error, f"AADSTS{number}: {text}")
        self.number = number


def render(error: ServiceError, call: Call) -> Reply:
    """Return an error in the token endpoint's shape (RFC 6749 section 5.2, with Entra's members)."""
    moment = call.now().strftime("%Y-%m-%d %H:%M:%SZ")
    trail = f" Trace ID: {call.request_id} Correlation ID: {correlation(call)} Timestamp: {moment}"
    body: dict[str, object] = {
        "error": error.code,
        "error_description": error.message + trail,
        "error_codes": [error.number] if isinstance(error, SignInError) else [],
        "timestamp": moment,
        "trace_id": call.request_id,
        "correlation_id": correlation(call),
    }
    return Reply(body, error.status, {**HEADERS, "x-ms-request-id": call.request_id, **error.headers})


HEADERS = {
    "cache-control": "no-store, no-cache", "pragma": "no-cache", "expires": "-1", "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}  # fmt: skip


def correlation(call: Call) -> str:
    """Return the id that client and service share."""
    return call.headers.get("client-request-id") or call.request_id


def unauthenticated(problem: str, call: Call) -> ServiceError:
    """No row here asks for a token."""
    return ServiceError(401, "invalid_token", "AADSTS50027: JWT token is invalid or malformed.")


def forbidden(denied: Denied, call: Call) -> ServiceError:
    """No row here asks for an action."""
    return ServiceError(403, "access_denied", f"AADSTS65004: {denied.action} was declined.")


def not_found(call: Call) -> ServiceError:
    """There is no such endpoint."""
    return SignInError(404, "invalid_request", 900561, f"The endpoint {call.path} does not exist.")


def method_not_allowed(call: Call) -> ServiceError:
    """The endpoint takes another method."""
    return SignInError(
        405, "invalid_request", 900561, f"The endpoint only accepts other requests. Received a {call.method} request."
    )


def malformed(message: str, call: Call) -> ServiceError:
    """The form cannot be read."""
    return SignInError(400, "invalid_request", 90014, f"The request body is malformed: {message}")


def unavailable(problem: StateError, call: Call) -> ServiceError:
    """The state cannot be used; AADSTS90033 is Entra's word for a failure that passes."""
    status = status_of(problem)
    refused = SignInError(status, "temporarily_unavailable" if status == 503 else "server_error", 90033, str(problem))
    refused.headers |= RETRY if status == 503 else {}
    return refused


def unexpected(call: Call) -> ServiceError:
    """A fault of ours."""
    return SignInError(500, "server_error", 90033, "A transient error has occurred. Please try again.")


def missing(parameter: str) -> SignInError:
    """A form field is missing."""
    return SignInError(
        400, "invalid_request", 900144, f"The request body must contain the following parameter: '{parameter}'."
    )


def no_such_tenant(tenant: str) -> SignInError:
    """The tenant is not ours."""
    return SignInError(
        400, "invalid_tenant", 90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )  # fmt: skip


def no_such_client(client: str, tenant: str) -> SignInError:
    """The application is not registered here."""
    return SignInError(
        400, "unauthorized_client", 700016,
        f"Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    )  # fmt: skip


def no_service_principal(client: str, tenant: str) -> SignInError:
    """The application has no service principal, or a disabled one."""
    return SignInError(
        401, "invalid_client", 7000229, f"The client application {client} is missing service principal in the tenant "
        f"{tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119",
    )  # fmt: skip


def disabled_application(client: str) -> SignInError:
    """The service principal is switched off."""
    return SignInError(401, "unauthorized_client", 7000112, f"Application '{client}' is disabled.")


def no_such_resource(resource: str, tenant: str) -> SignInError:
    """No service of this name."""
    return SignInError(
        400, "invalid_resource", 500011,
        f"The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You might have sent your authentication request to the wrong tenant.",
    )  # fmt: skip


def wrong_password() -> SignInError:
    """User name or password is wrong."""
    return SignInError(400, "invalid_grant", 50126, "Error validating credentials due to invalid username or password.")


def no_such_user(name: str, tenant: str) -> SignInError:
    """The user is not in the directory."""
    return SignInError(
        400, "invalid_grant", 50034, f"The user account {name} does not exist in the {tenant} directory. To sign into "
        "this application, the account must be added to the directory.",
    )  # fmt: skip


def disabled_user() -> SignInError:
    """The user may not sign in."""
    return SignInError(400, "invalid_grant", 50057, "The user account is disabled.")


def wrong_secret(client: str) -> SignInError:
    """The client secret is wrong."""
    return SignInError(
        401, "invalid_client", 7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        f"the client secret ID, for a secret added to app '{client}'.",
    )  # fmt: skip


def expired_secret(client: str) -> SignInError:
    """The client secret was right once."""
    return SignInError(
        401, "invalid_client", 7000222,
        f"The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys "
        "for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
        "https://aka.ms/certCreds.",
    )  # fmt: skip


def unknown_certificate(thumbprint: str) -> SignInError:
    """The assertion's certificate is not registered, or its signature is wrong."""
    return SignInError(
        401, "invalid_client", 700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}']",
    )  # fmt: skip


def bad_assertion(reason: str) -> SignInError:
    """The assertion is no JWT for us."""
    return SignInError(401, "invalid_client", 50027, f"JWT token is invalid or malformed. {reason}".strip())


def no_federated_record(issuer: object, subject: object, audience: object) -> SignInError:
    """No federated credential fits the assertion."""
    return SignInError(
        401, "invalid_client", 70021,
        f"No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. "
        f"Assertion Subject: '{subject}'. Assertion Audience: '{audience}'. "
        "https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
    )  # fmt: skip


def dead_refresh_token(issued: str) -> SignInError:
    """The refresh token is unknown, spent, ended or too old."""
    return SignInError(
        400, "invalid_grant", 700082, "The refresh token has expired due to inactivity. The token was issued on "
        f"{issued or 'an unknown day'} and was inactive for 90.00:00:00.",
    )  # fmt: skip


def dead_code() -> SignInError:
    """The authorization code is unknown or too old."""
    return SignInError(400, "invalid_grant", 70008, "The provided authorization code or refresh token has expired.")


def spent_code() -> SignInError:
    """The authorization code was used before."""
    return SignInError(
        400, "invalid_grant", 54005,
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing "
        "refresh token.",
    )  # fmt: skip


def wrong_verifier() -> SignInError:
    """PKCE fails (RFC 7636 section 4.6)."""
    return SignInError(
        400, "invalid_grant", 501481,
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    )  # fmt: skip


def wrong_redirect(address: str, client: str) -> SignInError:
    """The application does not have this redirect address."""
    return SignInError(
        400, "invalid_request", 50011,
        f"The redirect URI '{address}' specified in the request does not match the redirect URIs configured for the "
        f"application '{client}'. Make sure the redirect URI sent in the request matches one added to your application "
        "in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to "
        "troubleshoot this error.",
    )  # fmt: skip


def unsupported_grant(grant: str) -> SignInError:
    """No such grant type."""
    return SignInError(400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")


def pending() -> SignInError:
    """The person has not confirmed the device code yet (RFC 8628 section 3.5)."""
    return SignInError(
        400, "authorization_pending", 70016,
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    )  # fmt: skip


def expired_device() -> SignInError:
    """The device code is too old."""
    return SignInError(
        400, "expired_token", 70020,
        "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
    )  # fmt: skip


def bad_device() -> SignInError:
    """The device code is unknown."""
    return SignInError(
        400, "bad_verification_code", 90014, "The provided value for the input parameter 'device_code' is not valid."
    )
