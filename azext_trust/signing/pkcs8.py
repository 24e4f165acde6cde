"""Private keys as docker and notary encrypt them (dct-wire-contract.md section 6; RFC 5208, RFC 8018).

PBES2 with PBKDF2 over HMAC-SHA-1 (the function left out, as it is the default), 2048 iterations, AES-256-CBC.
docker refuses anything else, and `cryptography` can neither write this nor read what is inside it: PKCS#8 of
version 1 without a public key. Other encryptions (openssl's) are read.
"""

from __future__ import annotations

import os

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from azext_trust.signing.errors import DamagedKey, WrongPassphrase
from azext_trust.tuf import der
from azext_trust.tuf.keys import PrivateKey, PrivateMaterial

ITERATIONS = 2048
"""What docker writes. It is few by today's measure; more would be read by docker too, and slow each signature."""
_MAX_ITERATIONS = 10_000_000

_PBES2, _PBKDF2, _AES = der.oid("1.2.840.113549.1.5.13"), der.oid("1.2.840.113549.1.5.12"), "2.16.840.1.101.3.4.1."
_CIPHERS = {der.oid(_AES + "2"): 16, der.oid(_AES + "22"): 24, der.oid(_AES + "42"): 32}
_AES_256_CBC = der.oid(_AES + "42")
_FUNCTIONS: dict[bytes, hashes.HashAlgorithm] = {
    der.oid("1.2.840.113549.2.7"): hashes.SHA1(), der.oid("1.2.840.113549.2.9"): hashes.SHA256(),
    der.oid("1.2.840.113549.2.11"): hashes.SHA512(),
}  # fmt: skip
_NOTARY_ED25519 = der.oid("1.3.6.1.4.1.11591.15.1")


# Encryption


def encrypt(plain: bytes, passphrase: str) -> bytes:
    """Return an EncryptedPrivateKeyInfo that docker reads.

    Args:
        plain: a PrivateKeyInfo.
        passphrase: not empty.
    """
    salt, iv = os.urandom(8), os.urandom(16)
    key = _derive(passphrase, salt, ITERATIONS, 32, hashes.SHA1())
    padding = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    derivation = der.write(
        der.SEQUENCE, _PBKDF2, der.write(der.SEQUENCE, der.write(der.OCTETS, salt), der.integer(ITERATIONS))
    )
    scheme = der.write(der.SEQUENCE, _AES_256_CBC, der.write(der.OCTETS, iv))
    algorithm = der.write(der.SEQUENCE, _PBES2, der.write(der.SEQUENCE, derivation, scheme))
    return der.write(der.SEQUENCE, algorithm, der.write(der.OCTETS, sealed))


def _derive(passphrase: str, salt: bytes, iterations: int, length: int, function: hashes.HashAlgorithm) -> bytes:
    if not 0 < iterations <= _MAX_ITERATIONS:
        raise DamagedKey(f"a key that asks for {iterations} iterations")
    return PBKDF2HMAC(function, length, salt, iterations).derive(passphrase.encode())


def decrypt(sealed: bytes, passphrase: str) -> bytes:
    """Return the PrivateKeyInfo inside an EncryptedPrivateKeyInfo.

    Raises:
        WrongPassphrase: it does not decrypt.
        DamagedKey: it is no such structure, or encrypted in a way that is not known here.
    """
    try:
        algorithm, data = der.read(sealed)[0].children()
        scheme, parameters = algorithm.children()
        if der.write(scheme.tag, scheme.content) != _PBES2:
            raise DamagedKey("pkcs8: only PBES2 supported")
        derivation, cipher = parameters.children()
        key = _key(derivation, cipher, passphrase)
        iv = cipher.children()[1].of(der.OCTETS)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        plain = decryptor.update(data.of(der.OCTETS)) + decryptor.finalize()
    except (ValueError, IndexError) as error:
        raise DamagedKey(f"the encrypted key cannot be read: {error}") from None
    padding = plain[-1] if plain else 0
    if not 0 < padding <= 16 or plain[-padding:] != bytes([padding]) * padding:
        raise WrongPassphrase
    return plain[:-padding]


def _key(derivation: der.Element, cipher: der.Element, passphrase: str) -> bytes:
    kind, parameters = derivation.children()
    if der.write(kind.tag, kind.content) != _PBKDF2:
        raise DamagedKey("pkcs8: only PBKDF2 supported")
    name = cipher.children()[0]
    length = _CIPHERS.get(der.write(name.tag, name.content))
    if length is None:
        raise DamagedKey("pkcs8: only AES-CBC supported")
    salt, iterations, *more = parameters.children()
    function: hashes.HashAlgorithm | None = hashes.SHA1()
    for element in more:
        if element.tag == der.SEQUENCE:
            inner = element.children()[0]
            function = _FUNCTIONS.get(der.write(inner.tag, inner.content))
    if function is None:
        raise DamagedKey("pkcs8: an unknown pseudo-random function")
    return _derive(passphrase, salt.of(der.OCTETS), iterations.number(), length, function)


# The key inside


def load(plain: bytes) -> PrivateKey:
    """Read a PrivateKeyInfo of any version.

    Raises:
        DamagedKey: it is none, or of a kind that notary does not know.
    """
    try:
        version, algorithm, key, *_ = der.read(plain)[0].children()
        if version.number() not in (0, 1):
            raise DamagedKey("a private key of an unknown version")
        name = algorithm.children()[0]
        if der.write(name.tag, name.content) == _NOTARY_ED25519:
            return load_ed25519(key.of(der.OCTETS))
        # Version 1 means "with a public key", which notary leaves out: read it as the version 0 that it is.
        again = der.write(
            der.SEQUENCE, der.integer(0), der.write(algorithm.tag, algorithm.content), der.write(key.tag, key.content)
        )
        return of_material(serialization.load_der_private_key(again, None))
    except (ValueError, IndexError, UnsupportedAlgorithm) as error:
        raise DamagedKey(f"the private key cannot be read: {error}") from None


def load_ed25519(raw: bytes) -> PrivateKey:
    """Read notary's own form of an ed25519 key: public key, then seed and public key again.

    Raises:
        DamagedKey: the halves do not belong together.
    """
    if len(raw) != 96 or raw[:32] != raw[64:]:
        raise DamagedKey("malformed ed25519 private key")
    key = PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(raw[32:64]))
    if key.public.public != raw[:32]:
        raise DamagedKey("malformed ed25519 private key")
    return key


def of_material(found: object) -> PrivateKey:
    """Return a private key of one of the kinds that notary knows.

    Raises:
        DamagedKey: it is of another.
    """
    if isinstance(found, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)):
        return PrivateKey(found)
    raise DamagedKey("unsupported key type")


def dump(key: PrivateKey) -> bytes:
    """Return a PrivateKeyInfo that docker and notary read: version 0."""
    material: PrivateMaterial = key.material
    if isinstance(material, ed25519.Ed25519PrivateKey):
        public = key.public.public
        raw = public + material.private_bytes_raw() + public
        return der.write(
            der.SEQUENCE, der.integer(0), der.write(der.SEQUENCE, _NOTARY_ED25519), der.write(der.OCTETS, raw)
        )
    return material.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
