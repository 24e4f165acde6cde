"""Rows of ``ad``."""

from azext_trust.cli.rows import GENERIC_UPDATE, Argument, Command, Example, Group, Rows, required

_FILTER = Argument("filter_text", ("--filter",), "OData filter, e.g. \"startswith(displayName,'a')\".")
_DISPLAY = Argument("display_name", ("--display-name",), "Object's display name or its prefix.")
_USER = Argument("id", ("--id", "--upn-or-object-id"), "The object ID or principal name of the user.", required=True)
_GROUP = Argument("group", ("--group", "-g"), "Group's object id or display name.", required=True)
_MEMBER = Argument(
    "member_id", ("--member-id",), "The object ID of the user, group, or service principal.", required=True
)
_OWNER = Argument("owner_object_id", ("--owner-object-id",), "Owner's object id.", required=True)
_APP = Argument("id", ("--id",), "Identifier uri, application id, or object id.", required=True)
_SP = Argument("id", ("--id",), "Service principal name, or object id.", required=True)
_ALL = Argument("all", ("--all",), "List all entities.", flag=True)
_SECURITY = Argument("security_enabled_only", ("--security-enabled-only",), "Security groups only.", boolean=True,
                     bare="true", default=False)  # fmt: skip
_FORCE = Argument("force_change", ("--force-change-password-next-sign-in",),
                  "The user must change the password on the next sign-in.", boolean=True, bare="true")  # fmt: skip
_NICKNAME = Argument("mail_nickname", ("--mail-nickname",), "Mail alias.")
_PASSWORD = Argument("password", ("--password",), "The user's password.")
_KEY = Argument("key_id", ("--key-id",), "Credential key id.", required=True)
_CERT = Argument("cert", ("--cert",), "Operate on certificate credentials.", flag=True)
_URIS = Argument("identifier_uris", ("--identifier-uris",), "Space-separated App ID URIs.", many="*")
_AUDIENCE = Argument("sign_in_audience", ("--sign-in-audience",), "Who may sign in with the application.", choices=(
    "AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"))  # fmt: skip
_MINE = Argument("show_mine", ("--show-mine",), "List entities owned by the current user.", flag=True)
_MANIFEST = (
    _URIS, _AUDIENCE,
    Argument("is_fallback_public_client", ("--is-fallback-public-client",),
             "The fallback application type is public client.", boolean=True, bare="true"),
    Argument("service_management_reference", ("--service-management-reference",),
             "References application or service contact information."),
    Argument("requested_access_token_version", ("--requested-access-token-version",),
             "The access token version expected by this resource: 1 or 2.", number=True),
    Argument("key_value", ("--key-value",), "The value for the key credentials associated with the application."),
    Argument("key_type", ("--key-type",), "The type of the key credentials.", choices=("AsymmetricX509Cert", "Password",
             "Symmetric")),
    Argument("key_usage", ("--key-usage",), "The usage of the key credentials.", choices=("Sign", "Verify")),
    Argument("key_display_name", ("--key-display-name",), "Friendly name for the key."),
    Argument("start_date", ("--start-date",), "When the key credentials begin to be valid. Default: now."),
    Argument("end_date", ("--end-date",), "When they end. Default: one year after the start."),
    Argument("web_home_page_url", ("--web-home-page-url",), "Home page or landing page of the application."),
    Argument("web_redirect_uris", ("--web-redirect-uris",), "Where tokens and codes are sent to.", many="*"),
    Argument("enable_id_token_issuance", ("--enable-id-token-issuance",),
             "The application can request an ID token using the implicit flow.", boolean=True, bare="true"),
    Argument("enable_access_token_issuance", ("--enable-access-token-issuance",),
             "The application can request an access token using the implicit flow.", boolean=True, bare="true"),
    Argument("public_client_redirect_uris", ("--public-client-redirect-uris",),
             "Where public clients have tokens and codes sent to.", many="*"),
    Argument("app_roles", ("--app-roles",), "JSON, or a file of it: roles assigned to the application."),
    Argument("optional_claims", ("--optional-claims",), "JSON, or a file of it: optional claims in tokens."),
    Argument("required_resource_accesses", ("--required-resource-accesses",),
             "JSON, or a file of it: resources the application needs."),
)  # fmt: skip
_RESET = (
    Argument("append", ("--append",), "Append the new credential instead of overwriting.", flag=True),
    Argument("display_name", ("--display-name",), "Friendly name for the credential."),
    Argument("end_date", ("--end-date",), "When it ends, e.g. 2027-12-31 or 2027-12-31T11:59:59+00:00."),
    Argument(
        "years", ("--years",), "Number of years for which the credentials will be valid. Default: 1.", number=True
    ),
    Argument("create_cert", ("--create-cert",), "Create a self-signed certificate and use it.", flag=True),
    Argument("cert", ("--cert",), "Certificate (PEM) or @FILE of it to use."),
)
_FEDERATED = Argument("federated_credential_id", ("--federated-credential-id",), "ID or name of the federated credential.",
                      required=True)  # fmt: skip
_PARAMETERS = Argument("parameters", ("--parameters",), "JSON: name, issuer, subject, audiences; or @FILE of it.",
                       required=True)  # fmt: skip
_TABLE = "[].{DisplayName: displayName, Id: id, AppId: appId, CreatedDateTime: createdDateTime}"

_USERS = (
    Command("ad user create", "ad.users:create", "Create a user.",
            (required(_DISPLAY), required(_PASSWORD),
             Argument("user_principal_name", ("--user-principal-name",), "someuser@contoso.com", required=True),
             _FORCE, _NICKNAME, Argument("immutable_id", ("--immutable-id",), "Associates an on-premises account.")),
            (Example("Create a user.", "aztrust ad user create --display-name Alain --password SECRET "
                     "--user-principal-name alain@contoso.com"),)),
    Command("ad user list", "ad.users:listed", "List users.",
            (_DISPLAY, _FILTER, Argument("upn", ("--upn",), "User principal name, e.g. john.doe@contoso.com."))),
    Command("ad user show", "ad.users:show", "Get the details of a user.", (_USER,)),
    Command("ad user update", "ad.users:update", "Update a user.",
            (_USER, Argument("account_enabled", ("--account-enabled",), "Enable the user account.", boolean=True,
                             bare="true"), _DISPLAY, _FORCE, _NICKNAME, _PASSWORD)),
    Command("ad user delete", "ad.users:delete", "Delete a user.", (_USER,)),
    Command("ad user get-member-groups", "ad.users:member_groups", "Get groups of which the user is a member.",
            (_USER, _SECURITY)),
    Command("ad signed-in-user show", "ad.users:signed_in", "Get the details for the currently logged-in user."),
)  # fmt: skip

_GROUPS = (
    Command("ad group create", "ad.groups:create", "Create a group.",
            (required(_DISPLAY), required(_NICKNAME), Argument("description", ("--description",), "Group description."),
             Argument("force", ("--force",), "Always create a new group.", boolean=True, bare="true", default=False))),
    Command("ad group list", "ad.groups:listed", "List groups in the directory.", (_DISPLAY, _FILTER)),
    Command("ad group show", "ad.groups:show", "Get the details of a group.", (_GROUP,)),
    Command("ad group delete", "ad.groups:delete", "Delete a group.", (_GROUP,)),
    Command("ad group get-member-groups", "ad.groups:member_groups",
            "Get a collection of object IDs of groups of which the specified group is a member.", (_GROUP, _SECURITY)),
    Command("ad group member add", "ad.groups:add_member", "Add a member to a group.", (_GROUP, _MEMBER),
            (Example("Let a group's members sign: put a user into it.",
                     "aztrust ad group member add -g signers --member-id OBJECT_ID"),)),
    Command("ad group member remove", "ad.groups:remove_member", "Remove a member from a group.", (_GROUP, _MEMBER)),
    Command("ad group member list", "ad.groups:members", "Get the members of a group.", (_GROUP,)),
    Command("ad group member check", "ad.groups:check_member", "Check if a member is in a group.", (_GROUP, _MEMBER)),
    Command("ad group owner add", "ad.groups:add_owner", "Add a group owner.", (_GROUP, _OWNER)),
    Command("ad group owner remove", "ad.groups:remove_owner", "Remove a group owner.", (_GROUP, _OWNER)),
    Command("ad group owner list", "ad.groups:owners", "List group owners.", (_GROUP,)),
)  # fmt: skip

_APPLICATIONS = (
    Command("ad app create", "ad.applications:create", "Create an application.", (required(_DISPLAY), *_MANIFEST)),
    Command("ad app list", "ad.applications:listed", "List applications.",
            (_DISPLAY, _FILTER, _ALL, _MINE, Argument("app_id", ("--app-id",), "Application id."),
             Argument("identifier_uri", ("--identifier-uri",), "Identifier uri.")), table=_TABLE),
    Command("ad app show", "ad.applications:show", "Get the details of an application.", (_APP,)),
    Command("ad app update", "ad.applications:update", "Update an application.",
            (_APP, _DISPLAY, *_MANIFEST, *GENERIC_UPDATE)),
    Command("ad app delete", "ad.applications:delete", "Delete an application.", (_APP,)),
    Command("ad app credential list", "ad.credentials:of_application",
            "List an application's password or certificate credentials.", (_APP, _CERT)),
    Command("ad app credential reset", "ad.credentials:reset_application",
            "Reset an application's password or certificate credentials.", (_APP, *_RESET)),
    Command("ad app credential delete", "ad.credentials:delete_application",
            "Delete an application's password or certificate credentials.", (_APP, _KEY, _CERT)),
    Command("ad app federated-credential list", "ad.federated:listed", "List federated identity credentials.", (_APP,)),
    Command("ad app federated-credential create", "ad.federated:create", "Create a federated identity credential.",
            (_APP, _PARAMETERS)),
    Command("ad app federated-credential show", "ad.federated:show", "Show a federated identity credential.",
            (_APP, _FEDERATED)),
    Command("ad app federated-credential update", "ad.federated:update", "Update a federated identity credential.",
            (_APP, _FEDERATED, _PARAMETERS)),
    Command("ad app federated-credential delete", "ad.federated:delete", "Delete a federated identity credential.",
            (_APP, _FEDERATED)),
)  # fmt: skip

_PRINCIPALS = (
    Command("ad sp create", "ad.service_principals:create", "Create a service principal.", (_APP,)),
    Command(
        "ad sp create-for-rbac", "ad.for_rbac:create",
        "Create an application and its associated service principal, optionally with role assignments.",
        (
            Argument("display_name", ("--display-name", "--name", "-n"), "Display name of the service principal."),
            Argument("role", ("--role",), "Role of the service principal."),
            Argument("scopes", ("--scopes",), "Space-separated list of scopes of the role assignment.", many="+"),
            Argument("years", ("--years",), "Number of years for which the credentials will be valid. Default: 1.",
                     number=True),
            Argument("create_password", ("--create-password",), "Create a password credential.", boolean=True,
                     bare="true", default=True),
            Argument("create_cert", ("--create-cert",), "Create a self-signed certificate and use it.", flag=True),
            Argument("cert", ("--cert",), "Certificate (PEM) or @FILE of it to use."),
            Argument("json_auth", ("--json-auth", "--sdk-auth"), "Output with the cloud's endpoints, for SDKs.",
                     boolean=True, bare="true", default=False),
        ),
        (Example("Create a pipeline's principal that may push and sign.", "aztrust ad sp create-for-rbac -n pipeline "
                 "--role AcrPush --scopes REGISTRY_ID"),),
    ),
    Command("ad sp list", "ad.service_principals:listed", "List service principals.",
            (_DISPLAY, _FILTER, _ALL, _MINE, Argument("spn", ("--spn",), "Service principal name.")), table=_TABLE),
    Command("ad sp show", "ad.service_principals:show", "Get the details of a service principal.", (_SP,),
            (Example("Get the object id of an application's service principal.",
                     "aztrust ad sp show --id APP_ID --query id -o tsv"),)),
    Command("ad sp delete", "ad.service_principals:delete", "Delete a service principal.", (_SP,)),
    Command("ad sp credential list", "ad.credentials:of_principal",
            "List a service principal's password or certificate credentials.", (_SP, _CERT)),
    Command("ad sp credential reset", "ad.credentials:reset_principal",
            "Reset a service principal's password or certificate credentials.", (_SP, *_RESET)),
    Command("ad sp credential delete", "ad.credentials:delete_principal",
            "Delete a service principal's password or certificate credentials.", (_SP, _KEY, _CERT)),
)  # fmt: skip

ROWS = Rows(
    groups=(
        Group("ad", "Manage Microsoft Entra ID entities needed for Azure role-based access control."),
        Group("ad user", "Manage users."),
        Group("ad signed-in-user", "Show the current signed-in user."),
        Group("ad group", "Manage groups."),
        Group("ad group member", "Manage group members."),
        Group("ad group owner", "Manage group owners."),
        Group("ad app", "Manage applications."),
        Group("ad app credential", "Manage an application's password or certificate credentials."),
        Group("ad app federated-credential", "Manage application federated identity credentials."),
        Group("ad sp", "Manage service principals."),
        Group("ad sp credential", "Manage a service principal's password or certificate credentials."),
    ),
    commands=(*_USERS, *_GROUPS, *_APPLICATIONS, *_PRINCIPALS),
)
