"""What the operator service offers. Whatever changes the world takes the operator key."""

from azext_trust.server.gate.route import OPERATOR, SIGNED_IN, Route

ROUTES = (
    Route("GET", "/operator/status", "world:status", SIGNED_IN),
    Route("GET", "/operator/retirement", "world:retirement", SIGNED_IN),
    Route("PUT", "/operator/retirement", "world:set_retirement", OPERATOR, "aztrust/retirement/write"),
    Route("GET", "/operator/clock", "world:clock", SIGNED_IN),
    Route("PUT", "/operator/clock", "world:set_clock", OPERATOR, "aztrust/clock/write"),
    Route("GET", "/operator/log", "log:entries", OPERATOR),
    Route("GET", "/operator/log/verify", "log:verify", OPERATOR, own_transactions=True),
    Route("GET", "/operator/dump", "dump:world", OPERATOR),
    Route("POST", "/operator/seed", "founding:apply_seed", OPERATOR, "aztrust/seed/apply"),
    Route("POST", "/operator/gc", "world:collect", OPERATOR, "aztrust/blobs/collect", own_transactions=True),
    Route("POST", "/operator/sign-in", "world:sign_in", OPERATOR, "Microsoft.aadiam/signIn"),
    Route("GET", "/operator/signing-keys", "keys:listed", OPERATOR),
    Route("POST", "/operator/signing-keys", "keys:rotate", OPERATOR, "aztrust/signingKeys/rotate"),
    Route("POST", "/operator/access-tokens/revoke", "keys:revoke", OPERATOR, "aztrust/accessTokens/revoke"),
    # The registry stands in the query: the operation itself asks for registries/read on it.
    Route("GET", "/operator/loss", "world:loss", SIGNED_IN),
)
