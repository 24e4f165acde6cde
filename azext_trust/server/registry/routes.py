"""What a login server offers. The action of a row is the token scope it needs (az-wire-contract.md section 7).

``|`` names what does as well. Rows asked most often stand first.
"""

from azext_trust.server.gate.route import ANONYMOUS, SIGNED_IN, Route

_R = "Microsoft.ContainerRegistry/registries"
_PULL, _PUSH, _DELETE = "repository:{name}:pull", "repository:{name}:pull,push", "repository:{name}:delete"
_READ, _WRITE = "repository:{name}:metadata_read", "repository:{name}:metadata_write"
_LIST = "repository:{name}:pull|metadata_read"
_CATALOG, _DELETED = "registry:catalog:*", "repository:{name}:deleted_read"
_MANIFEST, _BLOB = "/v2/{name:path}/manifests/{reference}", "/v2/{name:path}/blobs/{digest}"
_UPLOADS, _UPLOAD = "/v2/{name:path}/blobs/uploads", "/v2/{name:path}/blobs/uploads/{upload}"

ROUTES = (
    Route("GET", _MANIFEST, "manifests:show", _PULL),
    Route("HEAD", _MANIFEST, "manifests:show", _PULL),
    Route("POST", _UPLOADS, "uploads:begin", _PUSH, own_transactions=True, streams=True),
    Route("PATCH", _UPLOAD, "uploads:append", _PUSH, "push", own_transactions=True, streams=True),
    Route("PUT", _UPLOAD, "uploads:finish", _PUSH, "push", own_transactions=True, streams=True),
    Route("GET", _UPLOAD, "uploads:status", _PUSH, own_transactions=True),
    Route("DELETE", _UPLOAD, "uploads:cancel", _PUSH, "push", own_transactions=True),
    Route("GET", _BLOB, "blobs:show", _PULL, own_transactions=True),
    Route("HEAD", _BLOB, "blobs:show", _PULL, own_transactions=True),
    Route("DELETE", _BLOB, "blobs:delete", _DELETE, f"{_R}/artifacts/delete", "{registry}"),
    Route("PUT", _MANIFEST, "manifests:put", _PUSH, f"{_R}/push/write", "{registry}", own_transactions=True),
    Route("DELETE", _MANIFEST, "manifests:delete", _DELETE, f"{_R}/artifacts/delete", "{registry}"),
    Route("GET", "/v2/{name:path}/tags/list", "tags:listed", _LIST),
    Route("GET", "/v2/{name:path}/referrers/{digest}", "referrers:listed", _PULL),
    Route("GET", "/v2/_catalog", "catalog:docker", _CATALOG),
    Route("GET", "/v2", "catalog:ping", SIGNED_IN),
    Route("HEAD", "/v2", "catalog:ping", SIGNED_IN),
    Route("POST", "/oauth2/exchange", "tokens:exchange", ANONYMOUS, own_transactions=True),
    Route("POST", "/oauth2/token", "tokens:issue", ANONYMOUS, own_transactions=True),
    Route("GET", "/oauth2/token", "tokens:issue_for_name", ANONYMOUS, own_transactions=True),
    Route("GET", "/acr/v1/_catalog", "catalog:acr", _CATALOG),
    Route("GET", "/acr/v1/_deleted/_catalog", "deleted:catalog", "registry:deleted_catalog:*"),
    Route("GET", "/acr/v1/_deleted/{name:path}/_manifests", "deleted:list_manifests", _DELETED),
    Route("GET", "/acr/v1/_deleted/{name:path}/_tags", "deleted:list_tags", _DELETED),
    Route("POST", "/acr/v1/_deleted/{name:path}/_manifests/{digest}", "deleted:restore",
          "repository:{name}:deleted_restore", f"{_R}/deleted/restore/action", "{registry}"),
    Route("GET", "/acr/v1/{name:path}/_tags", "acr_tags:listed", _READ),
    Route("GET", "/acr/v1/{name:path}/_tags/{tag}", "acr_tags:show", _READ),
    Route("PATCH", "/acr/v1/{name:path}/_tags/{tag}", "acr_tags:update", _WRITE, f"{_R}/metadata/write", "{registry}"),
    Route("DELETE", "/acr/v1/{name:path}/_tags/{tag}", "acr_tags:delete", f"{_DELETE}|metadata_write",
          f"{_R}/artifacts/delete", "{registry}"),
    Route("GET", "/acr/v1/{name:path}/_manifests", "acr_manifests:listed", _READ),
    Route("GET", "/acr/v1/{name:path}/_manifests/{digest}", "acr_manifests:show", _READ),
    Route("PATCH", "/acr/v1/{name:path}/_manifests/{digest}", "acr_manifests:update", f"{_WRITE}|quarantine_write",
          f"{_R}/metadata/write", "{registry}"),
    # Artifact streaming is not offered here.
    Route("GET", "/acr/v1/{name:path}/_streaming", "acr_repositories:unoffered", _LIST),
    Route("GET", "/acr/v1/{name:path}/_streaming/{digest}", "acr_repositories:unoffered", _LIST),
    Route("GET", "/acr/v1/{name:path}/_operations/{operation}", "acr_repositories:unoffered", _LIST),
    Route("GET", "/acr/v1/{name:path}", "acr_repositories:show", _READ),
    Route("PATCH", "/acr/v1/{name:path}", "acr_repositories:update", _WRITE, f"{_R}/metadata/write", "{registry}"),
    Route("DELETE", "/acr/v1/{name:path}", "acr_repositories:delete", _DELETE, f"{_R}/artifacts/delete", "{registry}"),
)  # fmt: skip
