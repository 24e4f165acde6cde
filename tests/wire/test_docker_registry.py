"""The real docker engine, skopeo, buildah, podman, crane, oras, regctl and the OCI conformance suite on a login server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

import pytest

from tests.wire.programs import AZTRUST
from tests.wire.registry_world import HOST, PULLER, PUSHER, SIGNER, World, world

REPORTS = Path(os.environ.get("AZTRUST_TEST_REPORTS", "build/reports"))
LAYER_MIB = int(float(os.environ.get("AZTRUST_TEST_LAYER_GIB", "1")) * 1024)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a private machine with a served cloud and a docker engine, logged in as who may push."""
    made = world(tmp_path_factory.mktemp("machine"))
    try:
        made.start_engine()
        yield made
    finally:
        made.stop()


@pytest.fixture
def pusher(machine: World) -> World:
    """Give the machine with docker logged in as who may push."""
    assert machine.docker_login(*PUSHER).code == 0
    return machine


def build(machine: World, name: str, **files: bytes) -> str:
    """Build an image from nothing and return its reference."""
    context = machine.directory / "context" / name.replace("/", "-").replace(":", "-")
    context.mkdir(parents=True, exist_ok=True)
    lines = ["FROM scratch"]
    for file, content in files.items():
        (context / file).write_bytes(content)
        lines.append(f"COPY {file} /{file}")
    (context / "Dockerfile").write_text("\n".join([*lines, 'CMD ["/none"]']))
    machine.must("docker", "build", "-q", "-t", f"{HOST}/{name}", context)
    return f"{HOST}/{name}"


def test_login_in_each_way(machine: World) -> None:
    """M6, M14: service principal, admin account and refresh token log in; a wrong secret gets Azure's text."""
    wrong = machine.docker_login(PUSHER[0], "wrong")
    assert wrong.code == 1
    assert (
        f'Get "https://{HOST}/v2/": unauthorized: authentication required, visit '
        "https://aka.ms/acr/authorization for more information."
    ) in wrong.err
    assert "Login Succeeded" in machine.docker_login(*PUSHER).out
    script = Path(__file__).with_name("registry_sign_in.py")
    admin, refresh = machine.must("python", script).split()
    assert "Login Succeeded" in machine.docker_login("myregistry", admin).out
    assert "Login Succeeded" in machine.docker_login("00000000-0000-0000-0000-000000000000", refresh).out
    assert "identitytoken" in (machine.directory / "docker" / "config" / "config.json").read_text()
    image = build(machine, "signed-in/web:v1", one=b"1")
    machine.must("docker", "push", image)


def test_push_and_pull(pusher: World) -> None:
    """M14: what was pushed comes back; its layers are mounted into another repository, not sent again."""
    image = build(pusher, "team/web:v1", one=b"1", two=os.urandom(300_000))
    pushed = pusher.must("docker", "push", image)
    other = f"{HOST}/team/other:v1"
    pusher.must("docker", "tag", image, other)
    assert "Mounted from team/web" in pusher.must("docker", "push", other)
    wanted = pusher.must("docker", "image", "inspect", "-f", "{{.Id}}", image)
    pusher.must("docker", "rmi", image, other)
    assert pusher.must("docker", "pull", image).splitlines()[-1] == image
    assert pusher.must("docker", "image", "inspect", "-f", "{{.Id}}", image) == wanted
    digest = pushed.partition("digest: ")[2].split()[0]
    pusher.must("docker", "pull", f"{HOST}/team/web@{digest}")


def test_refusals(machine: World) -> None:
    """M12: docker prints its own words, nothing is stored, and the log names the missing permission."""
    machine.docker_login(*PULLER)
    image = build(machine, "denied/web:v1", one=b"denied")
    refused = machine("docker", "push", image)
    assert (refused.code, "denied: requested access to the resource is denied" in refused.err) == (1, True)
    denied = [entry["details"] for entry in machine.operator("log") if entry["outcome"] == "Denied"]
    missing = [details.get("missing") for details in denied]
    assert "Microsoft.ContainerRegistry/registries/push/write" in missing
    machine.must("docker", "logout", HOST)
    unknown = machine("docker", "pull", f"{HOST}/denied/web:v1")
    assert "unauthorized: authentication required, visit https://aka.ms/acr/authorization" in unknown.err
    machine.docker_login(*PULLER)
    absent = machine("docker", "pull", f"{HOST}/denied/web:v1")
    assert 'manifest unknown: manifest tagged by "v1" is not found' in absent.err


def test_repository_scoped_token(machine: World) -> None:
    """M10: a token of a scope map pulls where it may, and pushes nowhere; disabled, it does not even log in."""
    machine.docker_login(*PUSHER)
    image, other = build(machine, "scoped/web:v1", one=b"s"), build(machine, "scoped/other:v1", one=b"o")
    machine.must("docker", "push", image)
    machine.must("docker", "push", other)
    own = {"AZTRUST_CONFIG_DIR": str(machine.directory / "own")}
    for words in (
        f"cloud register -n Lab --endpoint-resource-manager https://localhost --ca {machine.ca}", "cloud set -n Lab",
        "login -u owner@contoso.com -p Own-the-cloud-1",
    ):  # fmt: skip
        machine.must(AZTRUST, *words.split(), **own)
    create = "acr token create -r myregistry -n pipeline --repository scoped/web content/read -o tsv --only-show-errors --query"
    password = machine.must(AZTRUST, *create.split(), "credentials.passwords[0].value", **own).strip()
    assert machine.docker_login("pipeline", password).code == 0
    machine.must("docker", "pull", image)
    assert "requested access to the resource is denied" in machine("docker", "push", image).err
    assert machine("docker", "pull", other).code == 1
    machine.must(AZTRUST, "acr", "token", "update", "-r", "myregistry", "-n", "pipeline", "--status", "disabled", **own)
    assert machine.docker_login("pipeline", password).code == 1


def test_signed_images(machine: World) -> None:
    """M10, M16: docker signs what it pushes, where its user may; others pull only what is signed."""
    trust = {"DOCKER_CONTENT_TRUST": "1", "SSL_CERT_FILE": str(machine.ca)}
    trust |= {f"DOCKER_CONTENT_TRUST_{one}_PASSPHRASE": "correct-horse-1" for one in ("ROOT", "REPOSITORY")}
    image = build(machine, "signed/web:v1", one=b"to be signed")
    assert machine.docker_login(*PUSHER).code == 0
    refused = machine("docker", "push", image, **trust)
    assert (refused.code, "you are not authorized to perform this operation" in refused.err) == (1, True), refused
    assert machine.docker_login(*SIGNER).code == 0
    signed = machine("docker", "push", image, **trust)
    assert (signed.code, "Successfully signed" in signed.out + signed.err) == (0, True), signed
    machine.must("docker", "tag", image, f"{HOST}/signed/web:plain")
    machine.must("docker", "push", f"{HOST}/signed/web:plain")
    assert machine.docker_login(*PULLER).code == 0
    machine.must("docker", "pull", image, **trust)
    plain = machine("docker", "pull", f"{HOST}/signed/web:plain", **trust)
    assert (plain.code, "No valid trust data for plain" in plain.err) == (1, True), plain


def test_multi_arch(pusher: World) -> None:
    """M14: a manifest list of two images is pushed and pulled by its tag."""
    parts = [build(pusher, f"multi/web:{name}", one=name.encode()) for name in ("amd64", "arm64")]
    for part in parts:
        pusher.must("docker", "push", part)
    name, more = f"{HOST}/multi/web:all", {"DOCKER_CLI_EXPERIMENTAL": "enabled"}
    pusher.must("docker", "manifest", "create", name, *parts, **more)
    pusher.must("docker", "manifest", "annotate", "--arch", "arm64", name, parts[1], **more)
    pusher.must("docker", "manifest", "push", name, **more)
    assert pusher.must("docker", "pull", name).splitlines()[-1] == name


def test_parallel_pushes(pusher: World) -> None:
    """M14: four pushes at once that share a layer all succeed."""
    shared = os.urandom(2_000_000)
    images = [build(pusher, f"parallel/web{at}:v1", shared=shared, own=bytes([at])) for at in range(4)]
    with ThreadPoolExecutor(4) as executor:
        for done in executor.map(lambda image: pusher("docker", "push", image), images):
            assert done.code == 0, done.err


def test_interrupted_and_resumed(pusher: World) -> None:
    """M14: a server killed in the middle of a push leaves nothing half there; the next push succeeds."""
    image = build(pusher, "broken/web:v1", large=os.urandom(200_000_000))
    with ThreadPoolExecutor(1) as executor:
        pushing = executor.submit(pusher, "docker", "push", image)
        sleep(1.5)
        pusher.kill_server()
        pusher.serve()
        pushing.result()
    pusher.must("docker", "push", image)
    pusher.must("docker", "rmi", image)
    pusher.must("docker", "pull", image)


def test_a_large_layer(pusher: World) -> None:
    """M14: a layer of 1 GiB (AZTRUST_TEST_LAYER_GIB) goes both ways, and the server's memory stays flat."""
    layer = pusher.directory / "layer"
    with layer.open("wb") as file:
        for _ in range(LAYER_MIB):
            file.write(os.urandom(1024 * 1024))
    before = pusher.resident()
    pusher.must("oras", "login", "-u", PUSHER[0], "--password-stdin", HOST, stdin=PUSHER[1])
    pusher.must("oras", "push", f"{HOST}/large/web:v1", "layer:application/octet-stream")
    layer.unlink()
    pusher.must("oras", "pull", "-o", pusher.directory / "back", f"{HOST}/large/web:v1")
    shutil.rmtree(pusher.directory / "back", ignore_errors=True)
    assert pusher.resident() - before <= 128


def test_skopeo_and_buildah(machine: World) -> None:
    """M14: skopeo copies, lists, inspects and deletes; buildah pushes what it built."""
    credentials = f"{PUSHER[0]}:{PUSHER[1]}"
    storage: list[str | Path] = ["--root", machine.directory / "buildah", "--runroot", machine.directory / "buildah-run",
               "--storage-driver", "vfs"]  # fmt: skip
    container = machine.must("buildah", *storage, "from", "scratch").strip()
    machine.must("buildah", *storage, "config", "--label", "made=by-buildah", container)
    machine.must("buildah", *storage, "commit", container, "made")
    machine.must("buildah", *storage, "push", "--creds", credentials, "made", f"docker://{HOST}/buildah/web:v1")
    image = f"docker://{HOST}/buildah/web:v1"
    copied = f"docker://{HOST}/skopeo/web:v1"
    machine.must("skopeo", "copy", "--src-creds", credentials, "--dest-creds", credentials, image, copied)
    assert '"by-buildah"' in machine.must("skopeo", "inspect", "--config", "--creds", credentials, copied)
    assert '"v1"' in machine.must("skopeo", "list-tags", "--creds", credentials, f"docker://{HOST}/skopeo/web")
    machine.must("skopeo", "delete", "--creds", credentials, copied)
    assert machine("skopeo", "inspect", "--creds", credentials, copied).code != 0


@pytest.fixture
def short() -> Iterator[Path]:
    """Give a folder whose path podman does not find too long: its run root may have 50 characters."""
    with TemporaryDirectory(prefix="podman", dir="/tmp") as made:
        yield Path(made)


def test_podman(machine: World, short: Path) -> None:
    """M14: podman logs in, pulls what docker pushed and pushes it elsewhere; a wrong password is told as such."""
    machine.docker_login(*PUSHER)
    image = build(machine, "podman/web:v1", one=b"for podman")
    machine.must("docker", "push", image)
    at = machine.directory / "podman"
    podman = ["podman", "--root", str(at / "root"), "--runroot", str(short), "--storage-driver", "vfs"]
    certificates, auth = f"--cert-dir=/etc/docker/certs.d/{HOST}", f"--authfile={at / 'auth.json'}"
    login = [*podman, "login", certificates, auth, "-u", PUSHER[0], "--password-stdin", HOST]
    wrong = machine(*login, stdin="wrong")
    assert (wrong.code, "invalid username/password" in wrong.err) == (125, True), wrong
    machine.must(*login, stdin=PUSHER[1])
    machine.must(*podman, "pull", certificates, auth, image)
    machine.must(*podman, "push", certificates, auth, image, f"{HOST}/podman/copy:v1")
    machine.must("docker", "pull", f"{HOST}/podman/copy:v1")


def test_crane_oras_and_regctl(machine: World) -> None:
    """M14: three more clients push, pull, attach, list and copy."""
    for tool in ("crane auth login", "oras login", "regctl registry login"):
        password = ["--pass-stdin"] if tool.startswith("regctl") else ["--password-stdin"]
        machine.must(*tool.split(), "-u", PUSHER[0], *password, HOST, stdin=PUSHER[1])
    (machine.directory / "file.txt").write_text("hello")
    machine.must("oras", "push", f"{HOST}/tools/web:v1", "file.txt:text/plain")
    machine.must(
        "oras", "attach", "--artifact-type", "application/x.note", f"{HOST}/tools/web:v1", "file.txt:text/plain"
    )
    assert "application/x.note" in machine.must("oras", "discover", f"{HOST}/tools/web:v1")
    machine.must("crane", "copy", f"{HOST}/tools/web:v1", f"{HOST}/tools/copy:v2")
    assert machine.must("crane", "ls", f"{HOST}/tools/copy").split() == ["v2"]
    assert machine.must("regctl", "tag", "ls", f"{HOST}/tools/copy").split() == ["v2"]
    machine.must("regctl", "image", "copy", f"{HOST}/tools/copy:v2", f"{HOST}/tools/third:v3")
    assert "tools/third" in machine.must("crane", "catalog", HOST)
    machine.must("oras", "pull", "-o", machine.directory / "pulled", f"{HOST}/tools/third:v3")
    assert (machine.directory / "pulled" / "file.txt").read_text() == "hello"


def test_conformance(machine: World) -> None:
    """M14: the OCI conformance suite finds no failure; its report is kept."""
    results = machine.directory / "conformance"
    done = machine(
        "conformance", OCI_REGISTRY=HOST, OCI_TLS="enabled", OCI_USERNAME=PUSHER[0], OCI_PASSWORD=PUSHER[1],
        OCI_RESULTS_DIR=str(results), OCI_API_BLOBS_DIGEST_HEADER="true", OCI_API_MANIFESTS_DIGEST_HEADER="true",
        OCI_API_BLOBS_UPLOAD_CANCEL="true",
    )  # fmt: skip
    shutil.copytree(results, REPORTS / "conformance", dirs_exist_ok=True)
    assert done.code == 0, done.out[-3000:]
    counts = [line for line in done.out.splitlines() if line.strip().startswith(("FAIL.", "Error."))]
    assert [line.split(":")[1].strip() for line in counts] == ["0", "0"], done.out[-3000:]
