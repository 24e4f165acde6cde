"""What the Notary server offers (dct-wire-contract.md section 4). A row's action is the token scope it needs.

``|`` names what does as well: a token cut for ``*`` carries what its holder may do (section 0, rule 3).
Changes are logged at the registry, whose log they are looked for in; the GUN is in the details.
"""

from azext_trust.server.gate.route import Route

_R = "Microsoft.ContainerRegistry/registries"
_TUF = "/v2/{gun:path}/_trust/tuf"
_PULL, _PUSH = "repository:{gun}:pull", "repository:{gun}:push,pull"
_ROTATE, _DELETE = "repository:{gun}:*|push", "repository:{gun}:*|delete"
_CATALOG = "registry:catalog:*"
_PUBLISH, _KEYS = f"{_R}/trustedCollections/write", f"{_R}/trustedCollections/keys/write"
_ELSEWHERE = "/v2/{gun:path}/_trust/{rest:path}"

ROUTES = (
    Route("GET", f"{_TUF}/timestamp.key", "keys:timestamp", _PUSH, _KEYS, "{registry}"),
    Route("GET", f"{_TUF}/snapshot.key", "keys:snapshot", _PUSH, _KEYS, "{registry}"),
    Route("POST", f"{_TUF}/timestamp.key", "keys:rotate_timestamp", _ROTATE, _KEYS, "{registry}"),
    Route("POST", f"{_TUF}/snapshot.key", "keys:rotate_snapshot", _ROTATE, _KEYS, "{registry}"),
    Route("GET", f"{_TUF}/{{file:path}}", "read:show", _PULL, own_transactions=True),
    Route("POST", f"{_TUF}/", "update:publish", _PUSH, _PUBLISH, "{registry}", own_transactions=True),
    Route("DELETE", f"{_TUF}/", "update:remove", _DELETE, f"{_R}/trustedCollections/delete", "{registry}"),
    Route("GET", "/v2/{gun:path}/_trust/changefeed", "changefeed:of_repository", _PULL),
    Route("GET", "/v2/_trust/changefeed", "changefeed:of_registry", _CATALOG),
    # The reference asks for the catalogue before it says that there is nothing.
    Route("GET", _ELSEWHERE, "read:nothing", _CATALOG),
    Route("HEAD", _ELSEWHERE, "read:nothing", _CATALOG),
    Route("POST", _ELSEWHERE, "read:nothing", _CATALOG),
    Route("PUT", _ELSEWHERE, "read:nothing", _CATALOG, _PUBLISH, "{registry}"),
    Route("DELETE", _ELSEWHERE, "read:nothing", _CATALOG, _PUBLISH, "{registry}"),
)  # fmt: skip
