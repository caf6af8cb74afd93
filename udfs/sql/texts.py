"""Texts as the night reads them: the rules of `pipeline.text` for code that runs in Python. A test holds the two together."""

import hashlib
import re

_REMOVED = re.compile("[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SPACES = re.compile("[ \t\n\x0b\f\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def normalised(text: str) -> str:
    """Drop invisible characters, fold runs of white space to one space, strip."""
    return _SPACES.sub(" ", _REMOVED.sub("", text)).strip(" ")


def content_key(text: str) -> bytes:
    """Return the sha256 (32 bytes) of a normalised text."""
    return hashlib.sha256(text.encode("utf-8")).digest()
