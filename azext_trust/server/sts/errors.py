"""Entra's refusals: AADSTS codes and texts, as a table.

Sources: az-wire-contract.md section 2; answers quoted in public issues of azure-cli, azure/login and MSAL (2021 to 2026);
https://learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

from dataclasses import dataclass

from azext_trust.server.gate.authorise import Denied
from azext_trust.server.gate.call import RETRY, Call, Reply, ServiceError, status_of
from azext_trust.server.store.errors import StateError


@dataclass(frozen=True)
class Kind:
    """One refusal.

    Attributes:
        status: HTTP status.
        error: the OAuth error (RFC 6749 section 5.2), ``invalid_grant``.
        number: the AADSTS number.
        text: what stands after ``AADSTS<number>:``, a format string.
    """

    status: int
    error: str
    number: int
    text: str


_GRAPH_HINT = (
    "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id "
    "'{client}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the "
    "corresponding service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&"
    "tabs=http to build a query request URL, such as 'https://graph.microsoft.com/beta/applications/{client}']"
)
_WRONG_TENANT = (
    "This can happen if the application has not been installed by the administrator of the tenant or consented to by "
    "any user in the tenant. You {might} have sent your authentication request to the wrong tenant."
)
_FEDERATION = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)

KINDS = {
    # The request
    "not_found": Kind(404, "invalid_request", 900561, "The endpoint {path} does not exist."),
    "method": Kind(405, "invalid_request", 900561,
                   "The endpoint only accepts {allowed} requests. Received a {method} request."),
    "malformed": Kind(400, "invalid_request", 9002313, "Invalid request. Request is malformed or invalid."),
    "missing": Kind(400, "invalid_request", 900144,
                    "The request body must contain the following parameter: '{parameter}'."),
    "unexpected": Kind(500, "server_error", 90033, "A transient error has occurred. Please try again."),
    "unsupported_grant": Kind(400, "unsupported_grant_type", 70003,
                              "The app requested an unsupported grant type '{grant}'."),
    # The tenant
    "no_such_tenant": Kind(400, "invalid_tenant", 90002,
                           "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are "
                           "signing into the correct cloud. Check with your subscription administrator, this may happen "
                           "if there are no active subscriptions for the tenant."),
    "no_tenant_name": Kind(400, "invalid_request", 900023,
                           "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external "
                           "domain."),
    "no_tenant_told": Kind(400, "invalid_request", 50059, "No tenant-identifying information found in either the request "
                           "or implied by any provided credentials."),
    "not_common": Kind(400, "invalid_request", 9001023,
                       "The grant type is not supported over the /common or /consumers endpoints. Please use the "
                       "/organizations or tenant-specific endpoint."),
    "no_instance": Kind(400, "invalid_instance", 50049, "Unknown or invalid instance."),
    # The client
    "no_such_client": Kind(400, "unauthorized_client", 700016,
                           "Application with identifier '{client}' was not found in the directory '{tenant}'. "
                           + _WRONG_TENANT.format(might="may")),
    "no_service_principal": Kind(401, "invalid_client", 7000229,
                                 "The client application {client} is missing service principal in the tenant {tenant}. "
                                 "See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"),
    "disabled_application": Kind(400, "unauthorized_client", 7000112, "Application '{client}'({name}) is disabled."),
    "public_client": Kind(401, "invalid_client", 700025,
                          "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
    "no_credential": Kind(401, "invalid_client", 7000218, "The request body must contain the following parameter: "
                          "'client_assertion' or 'client_secret'."),
    "wrong_secret": Kind(401, "invalid_client", 7000215,
                         "Invalid client secret provided. Ensure the secret being sent in the request is the client "
                         "secret value, not the client secret ID, for a secret added to app '{client}'."),
    "expired_secret": Kind(401, "invalid_client", 7000222,
                           "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to "
                           "create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate "
                           "credentials for added security: https://aka.ms/certCreds."),
    # Assertions
    "bad_assertion": Kind(401, "invalid_client", 50027, "JWT token is invalid or malformed."),
    "no_thumbprint": Kind(401, "invalid_client", 50027,
                          "Invalid JWT token. No certificate thumbprint specified in token header."),
    "unknown_certificate": Kind(401, "invalid_client", 700027,
                                "The certificate with identifier used to sign the client assertion is not registered on "
                                "application. [Reason - The key was not found., Thumbprint of key used by client: "
                                "'{thumbprint}', " + _GRAPH_HINT),
    "expired_certificate": Kind(401, "invalid_client", 700027,
                                "Client assertion contains an invalid signature. [Reason - The key used is expired., "
                                "Thumbprint of key used by client: '{thumbprint}', Found key 'Start={start}, "
                                "End={end}', " + _GRAPH_HINT),
    "wrong_signature": Kind(401, "invalid_client", 700027,
                            "Client assertion contains an invalid signature. [Reason - Key was found, but use of the key "
                            "to verify the signature failed., Thumbprint of key used by client: '{thumbprint}', Found "
                            "key 'Start={start}, End={end}', " + _GRAPH_HINT),
    "wrong_subject": Kind(401, "invalid_client", 700021,
                          "Client assertion application identifier doesn't match 'client_id' parameter. Review the "
                          "documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."),
    "wrong_assertion_audience": Kind(401, "invalid_client", 700023,
                                     "Client assertion audience claim does not match Realm issuer. Review the "
                                     "documentation at "
                                     "https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."),
    "assertion_time": Kind(401, "invalid_client", 700024,
                           "Client assertion is not within its valid time range. Current time: {now}, assertion valid "
                           "from {start}, expiry time of assertion {end}. Review the documentation at "
                           "https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."),
    "no_federation": Kind(401, "invalid_client", 70025, "The client '{client}'({name}) has no configured federated "
                          "identity credentials."),
    "federated_issuer": Kind(401, "invalid_client", 700211,
                             "No matching federated identity record found for presented assertion issuer '{value}'. "
                             + _FEDERATION),
    "federated_audience": Kind(401, "invalid_client", 700212,
                               "No matching federated identity record found for presented assertion audience '{value}'. "
                               + _FEDERATION),
    "federated_subject": Kind(401, "invalid_client", 700213,
                              "No matching federated identity record found for presented assertion subject '{value}'. "
                              + _FEDERATION),
    "federated_case": Kind(401, "invalid_client", 7002138,
                           "No matching federated identity record found for presented assertion subject '{value}'. The "
                           "subject matches with case-insensitive comparison, but not with case-sensitive comparison. "
                           + _FEDERATION),
    "federated_signature": Kind(401, "invalid_client", 700027, "Client assertion failed signature validation."),
    "federated_unreachable": Kind(400, "invalid_request", 90061, "Request to External OIDC endpoint failed."),
    # Resource and scope
    "no_such_resource": Kind(400, "invalid_resource", 500011,
                             "The resource principal named {resource} was not found in the tenant named {tenant}. "
                             + _WRONG_TENANT.format(might="might")),
    "scope_malformed": Kind(400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not "
                            "valid. The scope {scope} is not valid."),
    "scope_mixed": Kind(400, "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid. "
                        "The scope {scope} is not valid. .default scope can't be combined with resource-specific scopes."),
    "scope_several": Kind(400, "invalid_request", 28000, "Provided value for the input parameter scope is not valid "
                          "because it contains more than one resource. Scope {scope} is not valid."),
    "scope_not_default": Kind(400, "invalid_scope", 1002012,
                              "The provided value for scope {scope} is not valid. Client credential flows must have a "
                              "scope value with /.default suffixed to the resource identifier (application ID URI)."),
    # Users
    "no_such_user": Kind(400, "invalid_grant", 50034,
                         "The user account {{EUII Hidden}} does not exist in the {tenant} directory. To sign into this "
                         "application, the account must be added to the directory."),
    "locked": Kind(400, "invalid_grant", 50053, "The account is locked, you've tried to sign in too many times with an "
                   "incorrect user ID or password."),
    "wrong_password": Kind(400, "invalid_grant", 50126,
                           "Error validating credentials due to invalid username or password."),
    "password_expired": Kind(400, "invalid_grant", 50055, "The password is expired."),
    "disabled_user": Kind(400, "invalid_grant", 50057, "The user account is disabled."),
    "silent": Kind(400, "login_required", 50058, "A silent sign-in request was sent but no user is signed in."),
    "declined": Kind(400, "access_denied", 65004, "User declined to consent to access the app."),
    # Grants
    "bad_grant": Kind(400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid."),
    "other_client": Kind(400, "invalid_grant", 70000, "The provided value for the input parameter '{parameter}' is not "
                         "valid."),
    "expired_refresh_token": Kind(400, "invalid_grant", 700082,
                                  "The refresh token has expired due to inactivity. The token was issued on {issued} and "
                                  "was inactive for 90.00:00:00."),
    "revoked": Kind(400, "invalid_grant", 50173,
                    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user "
                    "might have changed or reset their password. The grant was issued on '{issued}' and the "
                    "TokensValidFrom date (before which tokens are not valid) for this user is '{valid_from}'."),
    "expired_code": Kind(400, "invalid_grant", 70008, "The provided authorization code or refresh token has expired due "
                         "to inactivity. Send a new interactive authorization request for this user and resource."),
    "spent_code": Kind(400, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed, please retry with "
                       "a new valid code or use an existing refresh token."),
    "wrong_verifier": Kind(400, "invalid_grant", 501481,
                           "The Code_Verifier does not match the code_challenge supplied in the authorization request."),
    "challenge_size": Kind(400, "invalid_request", 501491, "Invalid size of Code_Challenge parameter."),
    "bad_parameter": Kind(400, "invalid_request", 90100, "{parameter} parameter is empty or not valid."),
    "no_redirect": Kind(400, "invalid_request", 900971, "No reply address provided."),
    "wrong_redirect": Kind(400, "invalid_request", 50011,
                           "The redirect URI '{address}' specified in the request does not match the redirect URIs "
                           "configured for the application '{client}'. Make sure the redirect URI sent in the request "
                           "matches one added to your application in the Azure portal. Navigate to "
                           "https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error."),
    "other_redirect": Kind(400, "invalid_grant", 500112, "The reply address '{address}' does not match the reply address "
                           "'{expected}' provided when requesting Authorization code."),
    "response_type": Kind(400, "unsupported_response_type", 700054,
                          "response_type '{value}' is not enabled for the application."),
    "response_mode": Kind(400, "invalid_request", 70007, "'{value}' is not a supported value of 'response_mode' when "
                          "requesting a token."),
    "spa_needs_origin": Kind(400, "invalid_request", 9002327, "Tokens issued for the 'Single-Page Application' "
                             "client-type may only be redeemed via cross-origin requests."),
    "spa_needs_pkce": Kind(400, "invalid_request", 9002325,
                           "Proof Key for Code Exchange is required for cross-origin authorization code redemption."),
    # Device codes
    "pending": Kind(400, "authorization_pending", 70016,
                    "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    "device_declined": Kind(400, "authorization_declined", 65004, "User declined to consent to access the app."),
    "expired_device": Kind(400, "expired_token", 70020, "The provided value for the input parameter 'device_code' is not "
                           "valid. This device code has expired."),
    "bad_device": Kind(400, "bad_verification_code", 70000, "The provided value for the input parameter 'device_code' is "
                       "not valid."),
}  # fmt: skip
"""Every refusal by a name of ours."""


class SignInError(ServiceError):
    """A refused sign-in.

    Args:
        kind: which.
        text: its text with the values filled in.

    `recorded` is set when the refusal stands in the activity log already.
    """

    def __init__(self, kind: Kind, text: str) -> None:
        super().__init__(kind.status, kind.error, f"AADSTS{kind.number}: {text}")
        self.number = kind.number
        self.recorded = False


def refuse(name: str, /, **values: object) -> SignInError:
    """Return a refusal of the table.

    Args:
        name: its name in `KINDS`.
        values: what its text names; cut short, so that an answer is no mirror for what was sent.
    """
    kind = KINDS[name]
    return SignInError(kind, kind.text.format(**{key: str(value)[:256] for key, value in values.items()}))


HEADERS = {
    "cache-control": "no-store, no-cache", "pragma": "no-cache", "expires": "-1", "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    # Single-page applications redeem their codes from other origins; no cookie is read at these endpoints.
    "access-control-allow-origin": "*",
}  # fmt: skip


def render(error: ServiceError, call: Call) -> Reply:
    """Return an error in the token endpoint's shape (RFC 6749 section 5.2, with Entra's members)."""
    moment = _moment(call)
    number = error.number if isinstance(error, SignInError) else 0
    body: dict[str, object] = {
        "error": error.code,
        "error_description": described(error, call, moment),
        "error_codes": [number] if number else [],
        "timestamp": moment,
        "trace_id": call.request_id,
        "correlation_id": correlation(call),
    }
    if number:
        body["error_uri"] = f"{call.settings.origin}/error?code={number}"
    return Reply(body, error.status, {**HEADERS, "x-ms-request-id": call.request_id, **error.headers})


def described(error: ServiceError, call: Call, moment: str = "") -> str:
    """Return an error's text with the trail that support asks for."""
    moment = moment or _moment(call)
    return f"{error.message} Trace ID: {call.request_id} Correlation ID: {correlation(call)} Timestamp: {moment}"


def _moment(call: Call) -> str:
    return call.now().strftime("%Y-%m-%d %H:%M:%SZ")


def correlation(call: Call) -> str:
    """Return the id that client and service share."""
    return call.headers.get("client-request-id", "")[:64] or call.request_id


def meaning(code: str) -> str:
    """Return what an AADSTS number stands for, or empty."""
    found = [kind.text for kind in KINDS.values() if str(kind.number) == code]
    return found[0].replace("{{", "{").replace("}}", "}") if found else ""


def unauthenticated(problem: str, call: Call) -> ServiceError:
    """No row here asks for a token."""
    return refuse("bad_assertion")


def forbidden(denied: Denied, call: Call) -> ServiceError:
    """No row here asks for an action."""
    return refuse("declined")


def not_found(call: Call) -> ServiceError:
    """There is no such endpoint."""
    return refuse("not_found", path=call.path)


def method_not_allowed(call: Call) -> ServiceError:
    """The endpoint takes another method."""
    return refuse("method", method=call.method, allowed="GET" if call.method == "POST" else "POST, OPTIONS")


def malformed(message: str, call: Call) -> ServiceError:
    """The form cannot be read."""
    return refuse("malformed")


def unavailable(problem: StateError, call: Call) -> ServiceError:
    """The state cannot be used; AADSTS90033 is Entra's word for a failure that passes."""
    status = status_of(problem)
    error = "temporarily_unavailable" if status == 503 else "server_error"
    refused = SignInError(Kind(status, error, KINDS["unexpected"].number, ""), str(problem))
    refused.headers |= RETRY if status == 503 else {}
    return refused


def unexpected(call: Call) -> ServiceError:
    """A fault of ours."""
    return refuse("unexpected")
