"""What the operator service offers. Whatever changes the world takes the operator key."""

from azext_trust.server.gate.route import ANONYMOUS, OPERATOR, SIGNED_IN, Route

ROUTES = (
    Route("GET", "/operator/status", "world:status", SIGNED_IN),
    Route("GET", "/operator/retirement", "world:retirement", SIGNED_IN),
    Route("PUT", "/operator/retirement", "world:set_retirement", OPERATOR, "aztrust/retirement/write"),
    Route("GET", "/operator/clock", "world:clock", SIGNED_IN),
    Route("PUT", "/operator/clock", "world:set_clock", OPERATOR, "aztrust/clock/write"),
    Route("GET", "/operator/log", "log:entries", OPERATOR),
    Route("GET", "/operator/log/verify", "log:verify", OPERATOR, own_transactions=True),
    Route("GET", "/operator/options", "world:shown_options", SIGNED_IN),
    Route("PUT", "/operator/options", "world:set_options", OPERATOR, "aztrust/options/write"),
    Route("GET", "/operator/dump", "dump:world", OPERATOR),
    Route("GET", "/operator/seed", "seed_dump:show", OPERATOR),
    Route("POST", "/operator/seed", "founding:apply_seed", OPERATOR, "aztrust/seed/apply"),
    Route("POST", "/operator/gc", "layers:collect", OPERATOR, "aztrust/blobs/collect", own_transactions=True),
    Route("POST", "/operator/sign-in", "world:sign_in", OPERATOR, "Microsoft.aadiam/signIn"),
    Route("GET", "/operator/signing-keys", "keys:listed", OPERATOR),
    Route("POST", "/operator/signing-keys", "keys:rotate", OPERATOR, "aztrust/signingKeys/rotate"),
    Route("POST", "/operator/access-tokens/revoke", "keys:revoke", OPERATOR, "aztrust/accessTokens/revoke"),
    # The registry stands in the query: the operation itself asks for registries/read on it.
    Route("GET", "/operator/loss", "world:loss", SIGNED_IN),
    # A twin: a live cloud's facts brought into this store, page by page.
    Route("GET", "/operator/observe", "observe:state", OPERATOR),
    Route("GET", "/operator/observe/names", "observe:names", OPERATOR),
    Route("POST", "/operator/observe/begin", "observe:begin", OPERATOR, "aztrust/twin/begin"),
    Route("POST", "/operator/observe/page", "observe:take", OPERATOR, "aztrust/twin/page"),
    Route("POST", "/operator/observe/finish", "observe:finish", OPERATOR, "aztrust/twin/finish"),
    # Audits: each shows what its caller may read (audit_sight).
    Route("GET", "/operator/openapi.json", "audit:document", ANONYMOUS),
    *(Route("GET", f"/operator/audit/{name}", "audit:ask", SIGNED_IN)
      for name in ("who-can", "can", "why", "what-can", "least", "explain", "report")),
    *(Route("POST", f"/operator/audit/{name}", "audit:ask", SIGNED_IN) for name in ("what-if", "replay", "assert")),
)  # fmt: skip
