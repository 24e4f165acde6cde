"""Manifests: shown, pushed, deleted (OCI Distribution 1.1)."""

from __future__ import annotations

import hashlib

from azext_trust.names import images
from azext_trust.server.gate.call import Reply
from azext_trust.server.gate.login_servers import RegistryCall
from azext_trust.server.gate.pipeline import entry
from azext_trust.server.registry import errors, manifest_form, removal
from azext_trust.server.registry.landing import Arriving, Place, land, platform_of
from azext_trust.server.registry.manifest_form import FormError
from azext_trust.server.store import facts, manifests, repositories, tags
from azext_trust.server.store.transaction import Store, Transaction

PUSH = "Microsoft.ContainerRegistry/registries/push/write"


def show(transaction: Transaction, call: RegistryCall) -> Reply:
    """Return a manifest by tag or digest, or only its headers."""
    name, reference = call.params["name"], call.params["reference"]
    session = transaction.session
    repository = repositories.by_name(session, call.here.id, name)
    if repository is None:
        raise errors.no_manifest(reference)
    tag = None if ":" in reference else tags.by_name(session, repository.key, reference)
    digest = reference if ":" in reference else tag.digest if tag is not None else ""
    found = manifests.by_digest(session, repository.key, digest) if digest else None
    if found is None:
        raise errors.no_manifest(reference)
    if not (repository.read_enabled and found.read_enabled and (tag is None or tag.read_enabled)):
        raise errors.disallowed()
    past_quarantine(call, found, reference)
    if call.door is not None:
        number = int(facts.get(session, facts.CONTENT, "0"))
        call.door.memory.put(("manifest", call.here.id, name, reference), number, found, found.size + 2000)
    return reply(call, _negotiated(transaction, call, found, reference))


def reply(call: RegistryCall, found: manifests.Manifest) -> Reply:
    """Return the answer that carries a manifest."""
    headers = {
        **errors.HEADERS, "docker-content-digest": found.digest, "etag": f'"{found.digest}"',
        "content-type": found.media_type,
    }  # fmt: skip
    if call.headers.get("if-none-match", "").strip() == f'"{found.digest}"':
        return Reply(None, 304, headers)
    if call.method == "HEAD":
        return Reply(None, 200, {**headers, "content-length": str(found.size)})
    return Reply(found.content, 200, headers)


def past_quarantine(call: RegistryCall, found: manifests.Manifest, reference: str) -> None:
    """Hide what has not passed quarantine: by tag it is not there, by digest it is disallowed (Azure/acr docs)."""
    if found.quarantine_state == manifests.PASSED or not call.here.enabled("quarantinePolicy"):
        return
    held = call.access.get(("repository", call.params["name"]), frozenset())
    if held.isdisjoint(("quarantine_read", "quarantine_write", "*")):
        raise errors.quarantined() if ":" in reference else errors.no_manifest(reference)


def _negotiated(
    transaction: Transaction, call: RegistryCall, found: manifests.Manifest, reference: str
) -> manifests.Manifest:  # fmt: skip
    """Return what the client can read: of a list, for clients that know none, the image for Linux on amd64."""
    if ":" in reference or readable(call, found):
        return found
    for one in manifest_form.read(found.content, found.media_type).manifests:
        if (one.platform.get("os"), one.platform.get("architecture")) == ("linux", "amd64"):
            child = manifests.by_digest(transaction.session, found.repository_id, one.digest)
            return child or found
    return found


def readable(call: RegistryCall, found: manifests.Manifest) -> bool:
    """Tell whether a client takes a manifest as it is: all but lists, and those too unless it names images only."""
    accepted = call.headers.get("accept", "")
    if found.media_type not in manifest_form.INDEXES or "*/*" in accepted:
        return True
    named = any(one in accepted for one in manifest_form.INDEXES)
    return named or not any(one in accepted for one in manifest_form.IMAGES)


def put(store: Store, call: RegistryCall) -> Reply:
    """Store a manifest under a tag or its digest; what it refers to must be in the repository."""
    reference = call.params["reference"]
    try:
        form = manifest_form.read(call.body, call.headers.get("content-type", ""))
    except FormError as error:
        raise errors.manifest_invalid(str(error)) from None
    digest = _digest(call.body, reference)
    place = Place(call.here.id, call.params["name"], call.here.enabled("quarantinePolicy"))
    arriving = Arriving(call.body, form, digest, platform_of(store, place, form))
    with store.write(moves=facts.CONTENT) as transaction:
        made = land(transaction, place, arriving, "" if ":" in reference else reference)
        call.change(after={"repository": call.params["name"], "reference": reference, "digest": made.digest})
        agent = call.headers.get("user-agent", "")[:300]
        transaction.record(entry(call, PUSH, call.here.scope, "Allowed", status=201, userAgent=agent))
    headers = {
        **errors.HEADERS, "docker-content-digest": digest, "location": f"/v2/{call.params['name']}/manifests/{digest}",
    }  # fmt: skip
    return Reply(None, 201, headers | ({"oci-subject": form.subject} if form.subject else {}))


def _digest(content: bytes, reference: str) -> str:
    algorithm = reference.partition(":")[0] if ":" in reference else "sha256"
    digest = f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    if ":" in reference and digest != reference:
        raise errors.digest_invalid(reference)
    return digest


def delete(transaction: Transaction, call: RegistryCall) -> Reply:
    """Delete a manifest by digest, with its tags and what refers to it as its subject; or only a tag."""
    name, reference = call.params["name"], call.params["reference"]
    session = transaction.session
    repository = repositories.seen(session, call.here.id, name)
    if repository is None:
        raise errors.no_repository(name)
    if images.valid_digest(reference):
        removal.manifest(transaction, call, repository, reference)
    elif not removal.tag(transaction, call, repository, reference):
        raise errors.no_manifest(reference)
    return Reply(None, 202, dict(errors.HEADERS))
