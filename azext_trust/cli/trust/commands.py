"""Rows of ``trust``."""

from azext_trust.cli.rows import GROUP, YES, Argument, Command, Example, Group, Rows

_REGISTRY = Argument("registry", ("--registry", "-r"), "The registry's name: images and repositories may then be named "
                     "without it.")  # fmt: skip
ACCESS = (
    _REGISTRY, GROUP,
    Argument("username", ("--username", "-u"), "User name of a token, the admin account or a service principal; "
             "otherwise the signed-in account asks."),
    Argument("password", ("--password", "-p"), "Its password."),
)  # fmt: skip
_IMAGES = (
    Argument("images", (), "Images with their registry: myregistry.azurecr.io/app:v1.", many="*"),
    Argument("image", ("--image", "-t"), "An image of --registry: app:v1. May be given several times.", repeat=True),
)
_REPOSITORY = Argument("repository", (), "The repository: myregistry.azurecr.io/app, or app with --registry.",
                       required=True)  # fmt: skip
_SOME = Argument("repositories", (), "Repositories: myregistry.azurecr.io/app, or app with --registry.", many="+",
                 required=True)  # fmt: skip
_ANY = Argument("repositories", (), "Repositories: myregistry.azurecr.io/app, or app with --registry.", many="*")
_KEY_ID = Argument("key", (), "The key's ID, or its first digits, at least 7.", required=True)
_PUBLIC = Argument("key", ("--key", "-k"), "Path to a public key or certificate in PEM. May be given several times.",
                   repeat=True)  # fmt: skip
_KEY_TABLE = '[].{ROLE: role, REPOSITORY: repository, "KEY ID": keyId, ENCRYPTED: encrypted}'
_RESOLVED = "{IMAGE: image, DIGEST: digest, ROLE: role, SIGNERS: join(', ', signers)}"
_IMAGE = "myregistry.azurecr.io/app:v1"
_APP = "myregistry.azurecr.io/app"

_ON_IMAGES = (
    Command(
        "trust sign", "trust.images:sign", "Sign tags of images that are in the registry. Docker is not needed.",
        (*_IMAGES,
         Argument("digest", ("--digest",), "Sign for this digest instead of the one the registry has: sha256:..."),
         Argument("length", ("--length",), "Size of the manifest in bytes, with --digest.", number=True),
         Argument("signer", ("--signer",), "Begin an unsigned repository with this signer, as docker trust sign does."),
         *ACCESS),
        (Example("Sign a tag.", f"aztrust trust sign {_IMAGE}"),
         Example("Sign several tags in one step.", "aztrust trust sign -r myregistry --image app:v1 --image app:latest")),
        "[].{IMAGE: image, DIGEST: digest, ROLES: join(', ', roles)}",
        "Keys are docker's own, in ~/.docker/trust/private (DOCKER_CONFIG). Passphrases come from docker's environment "
        "variables, else they are asked for. It takes AcrPush and AcrImageSigner.",
    ),
    Command("trust inspect", "trust.images:inspect", "Show what is signed by whom, as docker trust inspect does.",
            (*_IMAGES, Argument("plain", ("--pretty",), "Print the information in a human friendly format.", flag=True),
             *ACCESS),
            (Example("Show the signed tags.", f"aztrust trust inspect {_APP} -o table"),), "trust.pretty:tags"),
    Command("trust resolve", "trust.images:resolve", "Show the digest that a signed tag stands for, to pull by it.",
            (*_IMAGES, *ACCESS),
            (Example("Pull what is signed.", f"docker pull $(aztrust trust resolve {_IMAGE} --query reference -o tsv)"),),
            _RESOLVED),
    Command("trust verify", "trust.images:verify",
            "Verify that tags are signed, and for just what the registry has under them.",
            (*_IMAGES, Argument("digest", ("--digest",), "Compare with this digest instead of the registry's."), *ACCESS),
            (Example("Verify a tag; the exit code is 1 when it is not signed.", f"aztrust trust verify {_IMAGE}"),),
            f"[].{_RESOLVED}"),
    Command("trust revoke", "trust.images:revoke", "Take the signature of a tag away, or all of a repository.",
            (*_IMAGES, YES, *ACCESS), (Example("Revoke a tag.", f"aztrust trust revoke {_IMAGE}"),)),
    Command("trust delete", "trust.images:delete",
            "Delete all trust data of one repository on the server, as notary delete --remote does.",
            (_REPOSITORY, YES, *ACCESS), details="It takes AcrDelete besides the right to sign, and no key."),
    Command("trust status", "trust.standing:status",
            "Show how repositories stand: signed or not, until when, by whom, and which of their keys are here.",
            (_ANY, *ACCESS), (Example("Show all repositories of a registry.", "aztrust trust status -r myregistry -o table"),),
            "trust.pretty:stands", "Without a name: all that are cached here."),
)  # fmt: skip

_KEYS = (
    Command("trust key generate", "trust.keys:generate", "Make a signer's key pair.",
            (Argument("name", (), "The signer's name.", required=True),
             Argument("directory", ("--dir",), "Where the public key is written; the current directory unless given.")),
            (Example("Make a key for alice; alice.pub is for trust signer add.", "aztrust trust key generate alice"),)),
    Command("trust key load", "trust.keys:load", "Take a private key from a file into the key store.",
            (Argument("file", (), "The private key in PEM, encrypted or not.", required=True),
             Argument("name", ("--name",), "Name for the loaded key.", default="signer")),
            details="docker trust key load says that it imported an encrypted key, and stores nothing; this does."),
    Command("trust key list", "trust.keys:listed", "List the private keys of the key store.", table=_KEY_TABLE),
    Command("trust key remove", "trust.keys:remove", "Delete a private key from the key store.", (_KEY_ID, YES)),
    Command("trust key passwd", "trust.keys:passwd", "Keep a private key under another passphrase.",
            (_KEY_ID, Argument("new_passphrase_file", ("--new-passphrase-file",),
                               "File that holds the new passphrase; asked for unless given."))),
    Command("trust key backup", "trust.keys:backup", "Write private keys to an archive that only its owner may read.",
            (Argument("keys", (), "IDs of the keys; all unless given.", many="*"),
             Argument("file", ("--file", "-f"), "The archive; docker_private_keys_backup.tar.gz unless given.")),
            (Example("Back all keys up.", "aztrust trust key backup -f ~/keys.tar.gz"),)),
    Command("trust key restore", "trust.keys:restore", "Put the private keys of an archive back, after each was checked.",
            (Argument("file", ("--file", "-f"), "The archive, also one that tar made.", required=True),),
            (Example("Restore.", "aztrust trust key restore -f ~/keys.tar.gz"),)),
    Command("trust key rotate", "trust.keys:rotate", "Give a role of a repository a new key, as notary key rotate does.",
            (_REPOSITORY, Argument("role", (), "root, targets, snapshot or timestamp.", required=True),
             Argument("server_managed", ("--server-managed",), "The server makes and keeps the key (snapshot, timestamp).",
                      flag=True),
             Argument("key", ("--key", "-k"), "ID of a key in the store to rotate to, instead of a new one."), YES, *ACCESS),
            (Example("Replace the root key.", f"aztrust trust key rotate {_APP} root"),)),
    Command("trust key lost", "trust.standing:lost_key",
            "Show what a lost root key means: repositories and tags under it, and the two ways out.",
            (Argument("root", (), "ID of the root key; all that are missing here unless given.", many="?"),
             Argument("repositories", ("--repository",), "Look at this repository only. May be given several times.",
                      repeat=True), *ACCESS),
            (Example("Look at all repositories of a registry.", "aztrust trust key lost -r myregistry"),),
            table="trust.pretty:under_lost",
            details="Without a registry: what is cached here, so that it also works where no server answers."),
)  # fmt: skip

_ROLE = Argument("role", (), "The delegation: targets/NAME.", required=True)
_PATHS = Argument("paths", ("--paths",), "Beginnings of the tags it may sign.", many="+")
_SIGNERS = (
    Command("trust signer add", "trust.signers:add", "Let a signer sign repositories.",
            (Argument("name", (), "The signer's name.", required=True), _SOME, Argument(
                "key", ("--key", "-k"), _PUBLIC.help, required=True, repeat=True), *ACCESS),
            (Example("Let alice sign.", f"aztrust trust signer add --key alice.pub alice {_APP}"),)),
    Command("trust signer remove", "trust.signers:remove", "Take a signer out of repositories.",
            (Argument("name", (), "The signer's name.", required=True), _SOME,
             Argument("force", ("--force", "-f"), "Do not prompt for confirmation before removing the most recent signer.",
                      flag=True), *ACCESS)),
    Command("trust delegation list", "trust.signers:listed", "List the delegations of a repository.",
            (_REPOSITORY, *ACCESS),
            table="[].{ROLE: role, PATHS: join(', ', paths), \"KEY IDS\": join(', ', keyIds), THRESHOLD: to_string(threshold)}"),
    Command("trust delegation add", "trust.signers:delegate", "Delegate to a role, or add keys and paths to it.",
            (_REPOSITORY, _ROLE, _PUBLIC, _PATHS,
             Argument("all_paths", ("--all-paths",), "It may sign every tag.", flag=True), *ACCESS),
            (Example("Let a team sign tags that begin with dev-.",
                     f"aztrust trust delegation add {_APP} targets/dev --key dev.pub --paths dev-"),)),
    Command("trust delegation remove", "trust.signers:undelegate",
            "Take keys or paths from a delegation; with neither, the delegation itself.",
            (_REPOSITORY, _ROLE, Argument("key_ids", (), "IDs of keys to take away.", many="*"), _PATHS,
             Argument("all_paths", ("--all-paths",), "Take all paths away.", flag=True), YES, *ACCESS)),
    Command("trust delegation purge", "trust.signers:purge", "Take keys out of every delegation of a repository.",
            (_REPOSITORY, Argument("key", ("--key", "-k"), "ID of a key to take away. May be given several times.",
                                   required=True, repeat=True), *ACCESS)),
)  # fmt: skip

_CACHE = (
    Command("trust cache list", "trust.standing:cached", "List the repositories whose trust data are cached here.",
            table="[].{REPOSITORY: repository, PENDING: join('; ', pending)}"),
    Command("trust cache clear", "trust.standing:clear",
            "Forget what was trusted of repositories: what their server shows next is trusted anew. Keys stay.",
            (_ANY, Argument("all_repositories", ("--all",), "Of all repositories.", flag=True), *ACCESS),
            (Example("After content trust was disabled and enabled again.", "aztrust trust cache clear -r myregistry"),)),
)  # fmt: skip

ROWS = Rows(
    groups=(
        Group("trust", "Sign and verify images, and look after keys and signers, with or without docker."),
        Group("trust key", "Private keys, in docker's own key store."),
        Group("trust signer", "Who else may sign a repository."),
        Group("trust delegation", "Delegations of a repository, of any depth."),
        Group("trust cache", "Trust data that are cached here, as docker caches them."),
    ),
    commands=(*_ON_IMAGES, *_KEYS, *_SIGNERS, *_CACHE),
)
