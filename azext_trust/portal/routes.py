"""What pages there are: method, path, and the function that makes the answer. A table; it holds no code."""

from typing import NamedTuple


class Page(NamedTuple):
    """One row: ``{scope:path}`` is the resource that the page is about."""

    method: str
    path: str
    function: str


_AT = "/resource{scope:path}"

PAGES = (
    Page("GET", "/", "registries_pages:home"),
    Page("GET", "/registries", "registries_pages:listed"),
    Page("GET", "/registries/create", "create_page:form"),
    Page("POST", "/registries/create", "create_page:create"),
    Page("GET", "/settings", "settings_page:show"),
    Page("POST", "/settings", "settings_page:save"),
    Page("GET", _AT + "/overview", "overview_page:show"),
    Page("GET", _AT + "/update", "update_page:form"),
    Page("POST", _AT + "/update", "update_page:save"),
    Page("GET", _AT + "/access-keys", "keys_page:show"),
    Page("POST", _AT + "/access-keys", "keys_page:change"),
    Page("GET", _AT + "/repositories", "repositories_pages:listed"),
    Page("GET", _AT + "/repository", "repositories_pages:show"),
    Page("GET", _AT + "/content-trust", "content_trust_page:show"),
    Page("POST", _AT + "/content-trust", "content_trust_page:save"),
    Page("GET", _AT + "/tokens", "tokens_pages:tokens"),
    Page("GET", _AT + "/scope-maps", "tokens_pages:maps"),
    Page("GET", _AT + "/tokens/add", "token_forms:token_form"),
    Page("POST", _AT + "/tokens/add", "token_forms:create_token"),
    Page("GET", _AT + "/token", "token_forms:token"),
    Page("POST", _AT + "/token", "token_forms:change_token"),
    Page("GET", _AT + "/scope-maps/add", "token_forms:map_form"),
    Page("POST", _AT + "/scope-maps/add", "token_forms:create_map"),
    Page("GET", _AT + "/activity", "activity_page:show"),
    # Audit
    Page("GET", _AT + "/audit", "audit_report:show"),
    Page("GET", _AT + "/audit/report.html", "audit_report:download"),
    Page("GET", _AT + "/audit/who-can", "audit_who_can:show"),
    Page("GET", _AT + "/audit/why", "audit_why:show"),
    Page("GET", _AT + "/audit/expiry", "audit_expiry:show"),
    # Access control (IAM)
    Page("GET", _AT + "/iam", "access_pages:check"),
    Page("GET", _AT + "/iam/assignments", "access_pages:assignments"),
    Page("GET", _AT + "/iam/remove", "access_pages:confirm"),
    Page("POST", _AT + "/iam/remove", "access_pages:remove"),
    Page("GET", _AT + "/iam/roles", "roles_pages:listed"),
    Page("GET", _AT + "/iam/role", "roles_pages:show"),
    Page("GET", _AT + "/iam/denies", "roles_pages:denies"),
    Page("GET", _AT + "/iam/add", "assign_pages:step"),
    Page("GET", _AT + "/iam/add/candidates", "assign_pages:candidates"),
    Page("POST", _AT + "/iam/add", "assign_pages:assign"),
)
