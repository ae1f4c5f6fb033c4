"""What README.md describes: keys, tokens and proofs, computed without any of Doorward's own code."""

import base64
import hashlib
import hmac
import json
import zlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLOCK = 1_795_305_600_000  # 2026-11-22T00:00:00Z: when every file begins
NOW = CLOCK // 1000


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def line(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def drawn(purpose: str, count: int = 32) -> bytes:
    """Bytes that look random and are the same in each run."""
    return hashlib.sha256(f"doorward conformance {purpose}".encode()).digest()[:count]


def key_text(prefix: str, seed: bytes) -> str:
    body = prefix + seed.hex()
    return f"{body}{zlib.crc32(body.encode()):08x}"


def transcript(purpose: str, *fields: tuple[str, str]) -> bytes:
    texts = [purpose] + [text for field in fields for text in field]
    return b"".join(len(text.encode()).to_bytes(4, "big") + text.encode() for text in texts)


def key_id(seed: bytes) -> str:
    return hashlib.sha256(public_half(seed)).digest()[:16].hex()


def public_half(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def app_key_proof(seed: bytes, owner: str, gate: str, nonce: str) -> str:
    signed = transcript("doorward app_key v1", ("owner", owner), ("gate", gate), ("nonce", nonce), ("key", key_id(seed)))
    return b64url(Ed25519PrivateKey.from_private_bytes(seed).sign(signed))


def challenge(secret: bytes, gate: str, nonce: str, statement: str) -> tuple[str, str]:
    def code(purpose, *fields):
        return hmac.new(secret, transcript(purpose, *fields), hashlib.sha256).digest()

    words = statement.split(" ")
    picked = code("doorward challenge pick v1", ("gate", gate), ("nonce", nonce))
    partial = words[int.from_bytes(picked[:8], "big") % len(words)]
    fields = (("gate", gate), ("nonce", nonce), ("statement", statement), ("partial", partial))
    return partial, b64url(code("doorward challenge v1", *fields))


def jwt(secret: str, **claims) -> str:
    header = {"alg": "HS256", "typ": "at+jwt"}
    body = {"iss": "https://site.example", "aud": "doorward", "sub": "7", "name": "bob", "iat": NOW, "exp": NOW + 600}
    signed = ".".join(b64url(line(part).encode()) for part in (header, body | claims))
    return f"{signed}.{b64url(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def password_hash(password: str, salt: bytes) -> str:
    """A PHC string of argon2id: 19 MiB, two passes, one lane."""
    argon2 = Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=19 * 1024)
    return argon2.derive_phc_encoded(password.encode())


def totp(seed: bytes, step: int) -> str:
    """RFC 6238 over RFC 4226: SHA-1, six digits."""
    code = hmac.new(seed, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = code[-1] & 0xF
    return f"{(int.from_bytes(code[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def sealed(kek: bytes, secret: bytes, row: str, nonce: bytes) -> bytes:
    header = b"\x01" + hashlib.sha256(b"doorward key id v1\0" + kek).digest()[:8] + nonce
    return header + AESGCM(kek).encrypt(nonce, secret, header + row.encode())


def code_text(drawn: bytes) -> str:
    """Crockford's base32, a character for each byte."""
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[byte & 31] for byte in drawn)


def grouped(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def entry_hash(kek: bytes, key: str) -> str:
    """Of a key that is typed into a socket, without its public part of four characters."""
    code_key = hmac.new(kek, b"doorward code key v1", hashlib.sha256).digest()
    return hmac.new(code_key, key[4:].encode(), hashlib.sha256).hexdigest()


def recovery_hash(code: str) -> str:
    return hashlib.sha256(b"doorward recovery code v1\0" + code.encode()).hexdigest()


def tries_of_name(unique: str) -> str:
    return hashlib.sha256(b"doorward tries v1\0name\0" + unique.encode()).hexdigest()
