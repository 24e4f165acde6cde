"""What the instance metadata service offers: tokens, and which versions it speaks."""

from azext_trust.server.gate.route import ANONYMOUS, Route

ROUTES = (
    Route("GET", "/metadata/identity/oauth2/token", "identities:token", ANONYMOUS, own_transactions=True),
    Route("GET", "/metadata/versions", "identities:versions", ANONYMOUS),
)
