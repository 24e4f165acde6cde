"""Rows of ``acr`` that speak to the login server: login, repositories, manifests, import."""

from azext_trust.cli.rows import GROUP, YES, Argument, Command, Example, Group, Rows, optional

NAME = Argument("name", ("--name", "-n"), "The name of the container registry.", required=True)
_ACCESS = (
    Argument("username", ("--username", "-u"), "The username used to log into a container registry."),
    Argument("password", ("--password", "-p"), "The password used to log into a container registry."),
    Argument(
        "suffix", ("--suffix",), "The tenant suffix in the registry login server, of a registry that may not be read."
    ),
)
_REPOSITORY = Argument("repository", ("--repository",), "The name of the repository.", required=True)
_IMAGE = Argument("image", ("--image", "-t"), "The name of the image: 'name:tag' or 'name@digest'.")
_TOP = Argument("top", ("--top",), "Limit the number of items in the results.", number=True)
_ORDER = Argument("orderby", ("--orderby",), "Order the items in the results.", choices=("time_asc", "time_desc"))
_DETAIL = Argument("detail", ("--detail",), "Show detailed information.", flag=True)
_LOCKS = tuple(
    Argument(f"{word}_enabled", (f"--{word}-enabled",), f"Indicates whether {word} operation is allowed.", boolean=True)
    for word in ("delete", "list", "read", "write")
)
_REGISTRY = Argument("registry", ("--registry", "-r"), "The name of the container registry.")
_IN_REPOSITORY = (
    Argument("repo_id", (), "A fully qualified repository: myregistry.azurecr.io/hello-world.", many="*"),
    _REGISTRY, Argument("name", ("--name", "-n"), "The name of the repository."),
)  # fmt: skip
_OF_MANIFEST = (
    Argument("manifest_id", (), "A fully qualified manifest: myregistry.azurecr.io/hello-world:latest.", many="*"),
    _REGISTRY, Argument("name", ("--name", "-n"), "The name of the artifact: 'name:tag' or 'name@digest'."),
)  # fmt: skip

_REFERRERS = "manifests[].{Digest: digest, ArtifactType: artifactType, MediaType: mediaType, Size: size}"

_LOGIN = (
    Command("acr login", "acr.login:login", "Log in to an Azure Container Registry through the Docker CLI.",
            (NAME, GROUP, *_ACCESS, Argument("expose_token", ("--expose-token", "-t"),
                                             "Expose refresh token instead of automatically logging in through Docker CLI.",
                                             flag=True)),
            (Example("Log in to a registry.", "aztrust acr login -n myregistry"),
             Example("Get a token, without docker.", "aztrust acr login -n myregistry --expose-token")),
            details="After a change of roles sign in again: the token carries what was allowed when it was issued."),
    Command("acr import", "acr.imports:run", "Import an image to an Azure Container Registry from another registry.",
            (NAME, GROUP, Argument("source", ("--source",), "Source image: [registry.azurecr.io/]repository[:tag] or "
                                   "[registry.azurecr.io/]repository@digest.", required=True),
             Argument("registry", ("--registry", "-r"), "The source registry: its name, login server or resource ID."),
             Argument("username", ("--username", "-u"), "The username of the source container registry."),
             Argument("password", ("--password", "-p"), "The password of the source container registry."),
             Argument("target_tags", ("--image", "-t"), "The name and tag of the image in the target registry.",
                      repeat=True),
             Argument("repository", ("--repository",), "The repository name to do a manifest-only copy for images.",
                      repeat=True),
             Argument("force", ("--force",), "Overwrite the existing tag of the image to be imported.", flag=True),
             Argument("no_wait", ("--no-wait",), "Do not wait for the operation to finish.", flag=True)),
            (Example("Import an image of another registry of the subscription.",
                     "aztrust acr import -n myregistry --source other.azurecr.io/app:v1"),),
            details="Signatures of Docker Content Trust stay behind, as in Azure."),
)  # fmt: skip

_REPOSITORIES = (
    Command("acr repository list", "acr.repositories:listed", "List repositories in an Azure Container Registry.",
            (NAME, GROUP, _TOP, *_ACCESS), (Example("List repositories.", "aztrust acr repository list -n myregistry"),)),
    Command("acr repository list-deleted", "acr.repositories:listed_deleted", "List soft-deleted repositories.",
            (NAME, *_ACCESS)),
    Command("acr repository show-tags", "acr.repositories:show_tags", "Show tags for a repository.",
            (NAME, GROUP, _REPOSITORY, _TOP, _ORDER, _DETAIL, *_ACCESS),
            (Example("Show the tags, signed or not.", "aztrust acr repository show-tags -n myregistry --repository app "
                     "--detail --query '[].{tag:name,signed:signed}' -o table"),)),
    Command("acr repository show-manifests", "acr.repositories:show_manifests", "Show manifests of a repository.",
            (NAME, GROUP, _REPOSITORY, _TOP, _ORDER, _DETAIL, *_ACCESS)),
    Command("acr repository show", "acr.repositories:show", "Get the attributes of a repository or image.",
            (NAME, GROUP, optional(_REPOSITORY), _IMAGE, *_ACCESS)),
    Command("acr repository update", "acr.repositories:update", "Update the attributes of a repository or image.",
            (NAME, GROUP, optional(_REPOSITORY), _IMAGE, *_LOCKS, *_ACCESS),
            (Example("Lock an image.", "aztrust acr repository update -n myregistry --image app:v1 --write-enabled false"),)),
    Command("acr repository untag", "acr.repositories:untag", "Untag an image.",
            (NAME, GROUP, Argument("image", ("--image", "-t"), "The name of the image.", required=True), *_ACCESS)),
    Command("acr repository delete", "acr.repositories:delete", "Delete a repository or image.",
            (NAME, GROUP, optional(_REPOSITORY), _IMAGE, YES, *_ACCESS)),
)  # fmt: skip

_MANIFESTS = (
    Command("acr manifest list", "acr.manifests:listed", "List the manifests in a repository.",
            (*_IN_REPOSITORY, _TOP, _ORDER, *_ACCESS)),
    Command("acr manifest list-metadata", "acr.manifests:list_metadata", "List the metadata of the manifests in a repository.",
            (*_IN_REPOSITORY, _TOP, _ORDER, *_ACCESS)),
    Command("acr manifest list-deleted", "acr.manifests:list_deleted", "List the soft-deleted manifests in a repository.",
            (*_IN_REPOSITORY, *_ACCESS)),
    Command("acr manifest list-deleted-tags", "acr.manifests:list_deleted_tags", "List the soft-deleted tags in a repository.",
            (Argument("perm_repo_id", (), "A fully qualified repository, perhaps with a tag.", many="*"), _REGISTRY,
             Argument("name", ("--name", "-n"), "The name of the repository, perhaps with a tag."), *_ACCESS)),
    Command("acr manifest list-referrers", "acr.manifests:list_referrers", "List the referrers to a manifest.",
            (*_OF_MANIFEST, Argument("artifact_type", ("--artifact-type",), "Filter referrers by artifact type."),
             Argument("recursive", ("--recursive",), "Recursively include referrer artifacts.", flag=True), *_ACCESS),
            table=_REFERRERS),
    Command("acr manifest show", "acr.manifests:show", "Get a manifest.",
            (*_OF_MANIFEST, Argument("raw", ("--raw",), "Output the manifest to the byte.", flag=True), *_ACCESS)),
    Command("acr manifest show-metadata", "acr.manifests:show_metadata", "Get the metadata of an artifact.",
            (*_OF_MANIFEST, *_ACCESS)),
    Command("acr manifest update-metadata", "acr.manifests:update_metadata", "Update the manifest metadata of an artifact.",
            (*_OF_MANIFEST, *_LOCKS, *_ACCESS)),
    Command("acr manifest delete", "acr.manifests:delete", "Delete a manifest.", (*_OF_MANIFEST, YES, *_ACCESS)),
    Command("acr manifest restore", "acr.manifests:restore", "Restore a soft-deleted artifact and tag.",
            (*_OF_MANIFEST, Argument("digest", ("--digest", "-d"), "The digest of the manifest such as sha256@abc123."),
             Argument("force", ("--force", "-f"), "Overwrite the existing tag if the tag is in use.", flag=True), YES,
             *_ACCESS)),
)  # fmt: skip

ROWS = Rows(
    groups=(
        Group("acr repository", "Manage repositories (image names) for Azure Container Registries."),
        Group("acr manifest", "Manage artifact manifests in Azure Container Registries."),
    ),
    commands=(*_LOGIN, *_REPOSITORIES, *_MANIFESTS),
)
