"""Rows of ``role``."""

from azext_trust.cli.rows import GROUP, YES, Argument, Command, Example, Group, Rows, optional, required

_SCOPE = Argument("scope", ("--scope",), "Scope at which the role assignment or definition applies to, for example a "
                  "registry's id.")  # fmt: skip
_ROLE = Argument("role", ("--role",), "Role name or id.")
_ASSIGNEE = Argument("assignee", ("--assignee",), "User name, appId, servicePrincipalName or object id.")
_OBJECT_ID = Argument("assignee_object_id", ("--assignee-object-id",), "The assignee's object id; Graph is not asked.")
_INHERITED = Argument("include_inherited", ("--include-inherited",), "Include assignments applied on parent scopes.",
                      flag=True)  # fmt: skip
_NAME = Argument("name", ("--name", "-n"), "Role name or GUID.")
_DEFINITION = Argument("role_definition", ("--role-definition",), "JSON of the role, or a path to a file of it.",
                       required=True)  # fmt: skip
_REGISTRY = (
    "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.ContainerRegistry/registries/myregistry"
)

_ASSIGNMENT = (
    Command(
        "role assignment create", "role.assignments:create",
        "Create a new role assignment for a user, group, or service principal.",
        (
            required(_ROLE), required(_SCOPE), _ASSIGNEE, _OBJECT_ID,
            Argument("assignee_principal_type", ("--assignee-principal-type",), "Use with --assignee-object-id.",
                     choices=("User", "Group", "ServicePrincipal", "ForeignGroup")),
            Argument("condition", ("--condition",), "Condition under which the user can be granted permission."),
            Argument("condition_version", ("--condition-version",), "Version of the condition syntax; 2.0."),
            Argument("description", ("--description",), "Description of role assignment."),
            Argument("assignment_name", ("--name", "-n"), "A GUID for the role assignment."),
        ),
        (
            Example("Let a user sign images of one registry.", f"aztrust role assignment create --scope {_REGISTRY} "
                    "--role AcrImageSigner --assignee alain@contoso.com"),
        ),
    ),
    Command(
        "role assignment list", "role.assignments:listed", "List role assignments.",
        (
            Argument("all", ("--all",), "Show all assignments under the current subscription.", flag=True),
            _ASSIGNEE, _OBJECT_ID, _ROLE, _SCOPE, GROUP, _INHERITED,
            Argument("include_groups", ("--include-groups",),
                     "Include extra assignments to the groups of which the user is a member.", flag=True),
            Argument("fill_principal_name", ("--fill-principal-name",), "Ask Graph for the principals' names.",
                     boolean=True, default=True),
            Argument("fill_role_definition_name", ("--fill-role-definition-name",), "Add the roles' names.",
                     boolean=True, default=True),
        ),
        (Example("List who has been granted what, in the whole subscription.", "aztrust role assignment list --all -o table"),),
        table="[].{Principal: principalName, Role: roleDefinitionName, Scope: scope}",
    ),
    Command(
        "role assignment delete", "role.assignments:delete", "Delete role assignments.",
        (Argument("ids", ("--ids",), "Space-separated role assignment ids.", many="+"), _ASSIGNEE, _OBJECT_ID, _ROLE,
         _SCOPE, GROUP, _INHERITED, YES),
        (Example("Take the right to sign away.", f"aztrust role assignment delete --scope {_REGISTRY} "
                 "--role AcrImageSigner --assignee alain@contoso.com"),),
    ),
    Command(
        "role assignment update", "role.assignments:update", "Update an existing role assignment.",
        (Argument("role_assignment", ("--role-assignment",), "The assignment as JSON, or a path to a file of it.",
                  required=True),),
        (Example("Change description or condition.", "aztrust role assignment update --role-assignment assignment.json"),),
    ),
)  # fmt: skip

ROWS = Rows(
    groups=(
        Group("role", "Manage Azure role-based access control (Azure RBAC)."),
        Group("role assignment", "Manage role assignments."),
        Group("role definition", "Manage role definitions."),
    ),
    commands=(
        *_ASSIGNMENT,
        Command(
            "role definition list", "role.definitions:listed", "List role definitions.",
            (_NAME, _SCOPE, GROUP,
             Argument("custom_role_only", ("--custom-role-only",), "Custom roles only.", boolean=True, bare="true")),
            (Example("Show what AcrImageSigner allows.", "aztrust role definition list -n AcrImageSigner"),),
            table="[].{Name: roleName, Type: type, Description: description}",
        ),
        Command("role definition show", "role.definitions:show", "Show a role definition.",
                (Argument("id", ("--id",), "Fully qualified role definition id."), optional(_NAME), _SCOPE)),
        Command("role definition create", "role.definitions:create", "Create a custom role definition.", (_DEFINITION,),
                (Example("Create a role that only signs.", "aztrust role definition create --role-definition '{\"Name\": "
                         "\"Signer\", \"Actions\": [\"Microsoft.ContainerRegistry/registries/sign/write\"], "
                         "\"AssignableScopes\": [\"/subscriptions/SUBSCRIPTION\"]}'"),)),
        Command("role definition update", "role.definitions:update", "Update a role definition.", (_DEFINITION,)),
        Command("role definition delete", "role.definitions:delete", "Delete a role definition.",
                (required(_NAME), _SCOPE, GROUP, Argument("custom_role_only", ("--custom-role-only",),
                 "Custom roles only.", boolean=True, bare="true"), YES)),
    ),
)  # fmt: skip
