"""Secrets that we make: recognisable where they leak, told apart from noise without asking anybody."""

import hashlib
import secrets
import string
import zlib
from typing import Final

PREFIX: Final = "czt_"
# What may be shown of a token so that people recognise it: too little to guess the rest.
SHOWN: Final = len(PREFIX) + 6

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM: Final = 36
_CHECK: Final = 6


def new_token() -> str:
    """A token of 214 random bits: prefix, random part, and a checksum that scanners can verify."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{PREFIX}{random}{_checksum(random)}"


def is_token(text: str) -> bool:
    """Whether a text can be a token of ours: prefix, length and checksum are right."""
    random, check = text[len(PREFIX) : -_CHECK], text[-_CHECK:]
    return text.startswith(PREFIX) and len(random) == _RANDOM and _checksum(random) == check


def new_secret() -> str:
    """A secret of 256 random bits, fit for a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 in hex: what is kept of a secret that nobody could guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits
