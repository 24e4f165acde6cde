"""Row of ``serve``."""

from azext_trust.cli.rows import Argument, Command, Example, Rows

ROWS = Rows(
    commands=(
        Command(
            "serve", "serve.serve:serve", "Serve the local Azure over HTTPS, until it is told to stop.",
            (
                Argument("seed", ("--seed",), "Seed file (YAML), applied before serving. What exists is left as it is."),
                Argument("listen", ("--listen",), "Address and port to listen on; may be given several times. "
                         "Default: 127.0.0.1:443, or 127.0.0.1:8443 where 443 may not be bound.", repeat=True),
                Argument("host", ("--host",), "Name under which the cloud publishes itself.", default="localhost"),
                Argument("login_server_suffix", ("--login-server-suffix",),
                         "Login servers are REGISTRY.SUFFIX.", default="azurecr.io"),
                Argument("retirement", ("--retirement",), "Move the retirement switch of content trust.",
                         choices=("off", "2026", "2028")),
                Argument("ready_file", ("--ready-file",), "File that receives the ready line."),
                Argument("log_format", ("--log-format",),
                         "Form of the log on stderr. --only-show-errors leaves requests out.",
                         choices=("text", "json"), default="text"),
                Argument("imds", ("--imds",), "Address and port of the instance metadata service (plain HTTP), which gives "
                         "managed identities their tokens, for example 127.0.0.1:8169. Default: there is none."),
                Argument("dns", ("--dns",), "Port, usually 53, on which to answer DNS questions about the cloud's own names, at "
                         "the first address listened on. Default: none is answered.", number=True),
                Argument("blobs", ("--blobs",), "Where layers lie: file:///DIRECTORY, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX "
                         "or gs://BUCKET/PREFIX; credentials come from the environment. Default: the cloud directory."),
                Argument("print_setup", ("--print-setup",),
                         "Print what to run so that clients use this cloud, and end.", flag=True),
            ),
            (
                Example("Serve the cloud of this user on https://localhost.", "aztrust serve"),
                Example("Serve a cloud founded from a seed file, on a port that needs no rights.",
                        "aztrust serve --state ./lab --seed lab.yaml --listen 127.0.0.1:8443"),
                Example("Serve people's scripts unchanged: names of registries resolve, layers lie in an object store.",
                        "sudo -E aztrust serve --listen 192.0.2.7:443 --dns 53 --blobs s3://lab/blobs"),
                Example("Show how to point az at it.", "aztrust serve --print-setup"),
            ),
        ),
    )
)  # fmt: skip
