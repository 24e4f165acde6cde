"""Key files: PEM with headers that say what a key is for, as Go writes them (RFC 1421 shape)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from azext_trust.signing import pkcs8
from azext_trust.signing.errors import DamagedKey, WrongPassphrase
from azext_trust.tuf.keys import PrivateKey

ENCRYPTED, PLAIN = "ENCRYPTED PRIVATE KEY", "PRIVATE KEY"
_LEGACY = ("RSA PRIVATE KEY", "EC PRIVATE KEY")
_ED25519 = "ED25519 PRIVATE KEY"
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n(.*?)-----END \1-----", re.DOTALL)
MAX_FILE = 64 * 1024
"""No key file is larger."""


@dataclass(frozen=True)
class Block:
    """A PEM block.

    Attributes:
        label: what stands after BEGIN.
        content: the bytes.
        headers: ``role``, ``gun``...
    """

    label: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: bytes) -> Block:
        """Read the first block.

        Raises:
            DamagedKey: there is none.
        """
        found = _BLOCK.search(data[:MAX_FILE])
        if not found:
            raise DamagedKey("no valid private key found")
        head, _, body = found[2].replace(b"\r\n", b"\n").rpartition(b"\n\n")
        try:
            lines = (line.partition(":") for line in head.decode().splitlines() if ":" in line)
            headers = {name.strip(): value.strip() for name, _, value in lines}
            return cls(found[1].decode(), base64.b64decode(body, validate=False), headers)
        except ValueError as error:
            raise DamagedKey(f"the key file cannot be read: {error}") from None

    def to_bytes(self) -> bytes:
        """Write it as Go's encoder does: sorted headers, a blank line, 64 columns."""
        text = base64.b64encode(self.content).decode()
        lines = [f"{name}: {self.headers[name]}" for name in sorted(self.headers)]
        body = [text[at : at + 64] for at in range(0, len(text), 64)]
        head = [*lines, ""] if lines else []
        return "\n".join([f"-----BEGIN {self.label}-----", *head, *body, f"-----END {self.label}-----", ""]).encode()

    @property
    def encrypted(self) -> bool:
        """Whether a passphrase is needed."""
        return self.label == ENCRYPTED or "DEK-Info" in self.headers

    @property
    def is_private(self) -> bool:
        """Whether it holds a private key of a kind that notary knows."""
        return self.label in (ENCRYPTED, PLAIN, _ED25519, *_LEGACY)

    def open(self, passphrase: str = "") -> PrivateKey:
        """Return the private key.

        Raises:
            WrongPassphrase: it does not decrypt.
            DamagedKey: it is no private key.
        """
        if self.label == PLAIN:
            return pkcs8.load(self.content)
        if self.label == _ED25519:
            return pkcs8.load_ed25519(self.content)
        if self.label == ENCRYPTED:
            plain = pkcs8.decrypt(self.content, passphrase)
            try:
                return pkcs8.load(plain)
            except DamagedKey:
                # One wrong passphrase in 256 gives valid padding around nonsense.
                raise WrongPassphrase from None
        if self.label in _LEGACY:
            return self._open_legacy(passphrase)
        raise DamagedKey(f'unsupported key type "{self.label}"')

    def _open_legacy(self, passphrase: str) -> PrivateKey:
        """Read what notary before 0.6 wrote: OpenSSL's older form, its encryption named by DEK-Info."""
        known = {name: value for name, value in self.headers.items() if name in ("Proc-Type", "DEK-Info")}
        # RFC 1421 wants Proc-Type first, which happens to be the other way round in the alphabet.
        lines = [f"{name}: {known[name]}" for name in ("Proc-Type", "DEK-Info") if name in known]
        plain = Block(self.label, self.content).to_bytes().split(b"\n", 1)
        data = plain[0] + b"\n" + ("\n".join([*lines, ""]) + "\n").encode() + plain[1] if lines else b"\n".join(plain)
        try:
            return pkcs8.of_material(
                serialization.load_pem_private_key(data, passphrase.encode() if self.encrypted else None)
            )
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            if self.encrypted:
                raise WrongPassphrase from None
            raise DamagedKey(f"the private key cannot be read: {error}") from None


def seal(key: PrivateKey, passphrase: str, headers: Mapping[str, str]) -> Block:
    """Return a key's file; without a passphrase it is not encrypted, as docker does."""
    plain = pkcs8.dump(key)
    if passphrase:
        return Block(ENCRYPTED, pkcs8.encrypt(plain, passphrase), headers)
    return Block(PLAIN, plain, headers)


def public_block(key: PrivateKey, role: str) -> Block:
    """Return the public half as ``docker trust key generate`` writes it."""
    material = key.material.public_key()
    der = material.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Block("PUBLIC KEY", der, {"role": role})
