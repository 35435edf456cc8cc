"""The text of a token or a sign-in link: 256 random bits that a reader can check for typing mistakes.

Imports nothing of Django, so that the first start can make such texts before there is a web application.
"""

import hashlib
import secrets
import string
import zlib

ALPHABET = string.digits + string.ascii_letters
BODY_LENGTH = 43  # 62 ** 43 > 2 ** 256
CHECK_LENGTH = 6  # 62 ** 6 > 2 ** 32


def make(prefix: str = "") -> str:
    """The prefix, 32 random bytes in base 62, and the CRC32 of both."""
    body = prefix + _base62(int.from_bytes(secrets.token_bytes(32)), BODY_LENGTH)
    return body + _check(body)


def is_whole(text: str) -> bool:
    """Whether its check fits: a typing mistake, or a text that somebody made up, is known without a look-up."""
    body, check = text[:-CHECK_LENGTH], text[-CHECK_LENGTH:]
    return len(body) >= BODY_LENGTH and text.isascii() and _check(body) == check


def hashed(text: str) -> str:
    """What is stored. With 256 random bits behind it a fast hash is enough."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
