"""Rows of ``acr token`` and ``acr scope-map``."""

from azext_trust.cli.rows import GROUP, YES, Argument, Command, Example, Group, Rows, optional

_REGISTRY = Argument("registry", ("--registry", "-r"), "The name of the container registry.", required=True)
_TOKEN = Argument("name", ("--name", "-n"), "The name of the token.", required=True)
_MAP = Argument("name", ("--name", "-n"), "The name of the scope map.", required=True)
_SCOPE_MAP = Argument(
    "scope_map", ("--scope-map",), "The name of the scope map with pre-configured repository permissions."
)
# az sends the default with every update: giving a disabled token another scope map enables it again.
_STATUS = Argument(
    "status", ("--status",), "The status of the token.", choices=("disabled", "enabled"), default="enabled"
)
_ACTIONS = "content/delete, content/read, content/write, metadata/read, metadata/write"
_REPOSITORY = Argument("repository", ("--repository",), f"Repository permissions: REPO ACTION [ACTION ...], of {_ACTIONS}.",
                       many="+", repeat=True)  # fmt: skip
_GATEWAY = Argument(
    "gateway", ("--gateway",), "Gateway permissions: GATEWAY ACTION [ACTION ...].", many="+", repeat=True
)
_ENDS = (
    Argument(
        "expiration", ("--expiration",), "UTC time for which the credentials will be valid: 2025-12-31T12:59:59Z."
    ),
    Argument(
        "expiration_in_days", ("--expiration-in-days",), "Number of days for which they will be valid.", number=True
    ),
)
_PASSWORDS = (
    Argument("password1", ("--password1",), "Flag indicating if first password should be meant.", flag=True),
    Argument("password2", ("--password2",), "Flag indicating if second password should be meant.", flag=True),
)
_TOKENS, _MAPS = "acr.token_shape:tokens", "acr.token_shape:scope_maps"


def _changes(word: str) -> tuple[Argument, ...]:
    return (
        Argument(f"{word}_repository", (f"--{word}-repository",), f"Repository permissions to {word}: REPO ACTION [ACTION ...].",
                 many="+", repeat=True),
        Argument(f"{word}_gateway", (f"--{word}-gateway",), f"Gateway permissions to {word}.", many="+", repeat=True),
    )  # fmt: skip


ROWS = Rows(
    groups=(
        Group("acr token", "Manage tokens for an Azure Container Registry."),
        Group("acr token credential", "Manage credentials of a token for an Azure Container Registry."),
        Group("acr scope-map", "Manage scope access maps for Azure Container Registries."),
    ),
    commands=(
        Command("acr token create", "acr.tokens:create", "Create a token associated with a scope map.",
                (_TOKEN, _REGISTRY, GROUP, _SCOPE_MAP, _REPOSITORY, _GATEWAY,
                 _STATUS,
                 Argument("no_passwords", ("--no-passwords",), "Do not generate passwords.", boolean=True, bare="true",
                          default=False), *_ENDS),
                (Example("A token that reads one repository.",
                         "aztrust acr token create -n reader -r myregistry --repository app content/read metadata/read"),),
                details="Repository-scoped tokens can neither push nor pull signed images."),
        Command("acr token show", "acr.tokens:show", "Show details and attributes of a token.", (_TOKEN, _REGISTRY, GROUP),
                table=_TOKENS),
        Command("acr token list", "acr.tokens:listed", "List all tokens for an Azure Container Registry.", (_REGISTRY, GROUP),
                table=_TOKENS),
        Command("acr token update", "acr.tokens:update", "Update a token.", (_TOKEN, _REGISTRY, GROUP, _SCOPE_MAP, _STATUS)),
        Command("acr token delete", "acr.tokens:delete", "Delete a token.", (_TOKEN, _REGISTRY, GROUP, YES)),
        Command("acr token credential generate", "acr.tokens:generate_credentials",
                "Generate or replace one or both passwords of a token.", (_TOKEN, _REGISTRY, GROUP, *_PASSWORDS, *_ENDS)),
        Command("acr token credential delete", "acr.tokens:delete_credentials", "Delete a token credential.",
                (_TOKEN, _REGISTRY, GROUP, *_PASSWORDS)),
        Command("acr scope-map create", "acr.scope_maps:create", "Create a scope map.",
                (_MAP, _REGISTRY, GROUP, _REPOSITORY, _GATEWAY,
                 Argument("description", ("--description",), "Description for the scope map.")), table=_MAPS),
        Command("acr scope-map show", "acr.scope_maps:show", "Show details and attributes of a scope map.",
                (_MAP, _REGISTRY, GROUP), table=_MAPS),
        Command("acr scope-map list", "acr.scope_maps:listed", "List all scope maps.", (_REGISTRY, GROUP), table=_MAPS),
        Command("acr scope-map update", "acr.scope_maps:update", "Update a scope map.",
                (_MAP, _REGISTRY, GROUP, *_changes("add"), *_changes("remove"),
                 optional(Argument("description", ("--description",), "Description for the scope map.")))),
        Command("acr scope-map delete", "acr.scope_maps:delete", "Delete a scope map.", (_MAP, _REGISTRY, GROUP, YES)),
    ),
)  # fmt: skip
