"""A served cloud in which somebody pushed, signed and was refused; and its export by the real az."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests

from tests.wire.programs import Done, Program, Served, az, aztrust_served, start

SEED = Path(__file__).with_name("audit_seed.yaml")
PASSWORDS = {"owner": "Own-the-cloud-1", "alain": "Sign-an-image-1", "half": "Half-a-signer-1", "gone": "Gone-tomorrow-1",
             "reader": "Read-the-cloud-1", "nobody": "Nothing-at-all-1"}  # fmt: skip
BUILDER = ("33333333-3333-3333-3333-333333333333", "Build-an-image-1")
PULLER = ("44444444-4444-4444-4444-444444444444", "Pull-an-image-1")
ALAIN = "55555555-5555-5555-5555-555555555555"
LAB = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/lab"
REGISTRY = f"{LAB}/providers/Microsoft.ContainerRegistry/registries/myregistry"
PASSPHRASE = "correct-horse-1"
OCI = "application/vnd.oci.image.manifest.v1+json"
_EXPORTS = {
    "assignments": "role assignment list --all --include-inherited", "definitions": "role definition list",
    "users": "ad user list", "groups": "ad group list", "principals": "ad sp list --all", "registries": "acr list",
}  # fmt: skip


@dataclass
class AuditWorld:
    """The cloud, and people with ``aztrust``, each with a configuration of their own."""

    served: Served
    directory: Path
    people: dict[str, Program] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The login server, with its port."""
        return "myregistry.azurecr.io:" + self.served.origin.rsplit(":", 1)[1]

    def person(self, name: str) -> Program:
        """Return somebody who is signed in."""
        if name not in self.people:
            home = self.directory / name
            home.mkdir()
            made = aztrust_served(home, self.served)
            words = {f"DOCKER_CONTENT_TRUST_{what}_PASSPHRASE": PASSPHRASE for what in ("ROOT", "REPOSITORY")}
            made = replace(made, env={**made.env, **words, "DOCKER_CONFIG": str(home / "docker")})
            made.must("login", "--allow-no-subscriptions", "-u", f"{name}@contoso.com", "-p", PASSWORDS[name])
            self.people[name] = made
        return self.people[name]

    def ask(self, *words: str, by: str = "owner", code: int = 0) -> Any:
        """Ask and return the JSON of the answer."""
        done = self.told(*words, by=by, code=code)
        return json.loads(done.out)

    def told(self, *words: str, by: str = "owner", code: int = 0) -> Done:
        """Run ``aztrust audit``, which must end with a code."""
        done = self.person(by)("audit", *words)
        assert done.code == code, f"{words}: exit {done.code}\n{done.out}\n{done.err}"
        return done

    def push(self, repository: str, tag: str, account: tuple[str, str] = BUILDER) -> requests.Response:
        """Push a small image with name and password, as container clients do; return the last answer."""
        wire = requests.Session()
        wire.verify, wire.trust_env = str(self.served.ca), False
        wire.headers["Host"] = self.host
        scope = f"repository:{repository}:pull,push"
        asked = {"service": self.host, "scope": scope}
        token = wire.get(f"{self.served.origin}/oauth2/token", params=asked, auth=account, timeout=30).json()
        wire.headers["Authorization"] = f"Bearer {token['access_token']}"
        at = f"{self.served.origin}/v2/{repository}"
        parts = []
        for content in (b"{}", tag.encode()):
            begun = wire.post(f"{at}/blobs/uploads/", timeout=30)
            if begun.status_code != 202:
                return begun
            digest = "sha256:" + hashlib.sha256(content).hexdigest()
            place = self.served.origin + "/v2/" + begun.headers["Location"].partition("/v2/")[2]
            mark = "&" if "?" in place else "?"
            wire.put(f"{place}{mark}digest={digest}", data=content, timeout=30).raise_for_status()
            parts.append({"mediaType": "application/octet-stream", "digest": digest, "size": len(content)})
        manifest = {"schemaVersion": 2, "mediaType": OCI, "config": parts[0], "layers": parts[1:]}
        return wire.put(f"{at}/manifests/{tag}", json=manifest, headers={"Content-Type": OCI}, timeout=30)

    def exported(self, name: str) -> Path:
        """Export the tenant with the real az, as its manual has it, and return the folder."""
        folder, home = self.directory / name, self.directory / f"{name}-az"
        (folder / "group-members").mkdir(parents=True)
        home.mkdir()
        program = az(home, self.served)
        program.must("login", "-u", "owner@contoso.com", "-p", PASSWORDS["owner"])
        for file, command in _EXPORTS.items():
            (folder / f"{file}.json").write_text(program.must(*command.split(), "-o", "json"))
        for group in json.loads((folder / "groups.json").read_text()):
            listed = program.must("ad", "group", "member", "list", "-g", group["id"], "-o", "json")
            (folder / "group-members" / f"{group['id']}.json").write_text(listed)
        return folder


def world(directory: Path, port: int) -> AuditWorld:
    """Start the cloud, push two images, sign one, be refused once, delete somebody."""
    os.environ.pop("AZTRUST_STATE", None)
    served = start(directory / "state", "--seed", str(SEED), "--listen", f"127.0.0.1:{port}", seeded=False)
    made = AuditWorld(served, directory)
    try:
        for tag in ("v1", "v2"):
            assert made.push("team/web", tag).status_code == 201
        made.person("alain").must("trust", "sign", f"{made.host}/team/web:v1", "--signer", "alain")
        refused = made.person("half")("trust", "sign", f"{made.host}/team/web:v2", "--signer", "half")
        assert refused.code != 0
        made.person("owner").must("ad", "user", "delete", "--id", "gone@contoso.com")
    except BaseException:
        served.stop()
        raise
    return made
