"""What the security token service offers: discovery, keys, tokens, the sign-in pages.

All but the last of OpenID Connect is open to anybody: who somebody is, is found out here.
"""

from azext_trust.server.gate.route import ANONYMOUS, SIGNED_IN, Route

ROUTES = (
    Route("GET", "/common/discovery/instance", "discovery:instance", ANONYMOUS),
    Route("GET", "/common/userrealm/{name}", "discovery:user_realm", ANONYMOUS),
    Route("GET", "/error", "authorize:explain", ANONYMOUS),
    Route("GET", "/oidc/userinfo", "userinfo:show", SIGNED_IN),
    Route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", "discovery:configuration", ANONYMOUS),
    Route("GET", "/{tenant}/.well-known/openid-configuration", "discovery:configuration_v1", ANONYMOUS),
    Route("GET", "/adfs/{tenant}/v2.0/.well-known/openid-configuration", "discovery:configuration_adfs", ANONYMOUS),
    Route("GET", "/adfs/{tenant}/.well-known/openid-configuration", "discovery:configuration_adfs", ANONYMOUS),
    Route("GET", "/{tenant}/discovery/v2.0/keys", "discovery:keys", ANONYMOUS),
    Route("GET", "/{tenant}/discovery/keys", "discovery:keys", ANONYMOUS),
    Route("POST", "/{tenant}/oauth2/v2.0/token", "token:issue", ANONYMOUS, own_transactions=True),
    Route("POST", "/{tenant}/oauth2/token", "token:issue", ANONYMOUS, own_transactions=True),
    Route("POST", "/{tenant}/oauth2/v2.0/devicecode", "device:begin", ANONYMOUS, own_transactions=True),
    Route("POST", "/{tenant}/oauth2/devicecode", "device:begin", ANONYMOUS, own_transactions=True),
    Route("GET", "/{tenant}/oauth2/deviceauth", "device:page", ANONYMOUS),
    Route("POST", "/{tenant}/oauth2/deviceauth", "device:confirm", ANONYMOUS, own_transactions=True),
    Route("GET", "/{tenant}/oauth2/v2.0/authorize", "authorize:page", ANONYMOUS),
    Route("GET", "/{tenant}/oauth2/authorize", "authorize:page", ANONYMOUS),
    Route("POST", "/{tenant}/oauth2/v2.0/authorize", "authorize:sign_in", ANONYMOUS, own_transactions=True),
    Route("POST", "/{tenant}/oauth2/authorize", "authorize:sign_in", ANONYMOUS, own_transactions=True),
    Route("GET", "/{tenant}/oauth2/v2.0/logout", "authorize:signed_out", ANONYMOUS),
    Route("GET", "/{tenant}/oauth2/logout", "authorize:signed_out", ANONYMOUS),
)
