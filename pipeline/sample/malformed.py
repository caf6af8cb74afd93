"""Rows that the contract of the corpus rejects (docs/documents.md), each in its variants."""

import random

from pipeline.sample.planted import TOO_LONG_CHARS

INVALID_BYTES = (b"\xff\xfe", b"\xed\xa0\x80")
"""A byte order mark of UTF-16, and a lone surrogate as CESU-8 writes it."""
BLANK_IDS: tuple[str | None, ...] = (None, "   ", None, "\t", None, "", None, "\u200b")
EMPTY_TEXTS: tuple[str | None, ...] = (
    None,
    "",
    "   \t\n",
    "\u200b\u200b",
    None,
    "\u3000\u00a0 ",
    "\ufeff",
    "",
    None,
    "\u200b \n",
)
_LOG_LINES = (
    "wan0: link down, retry in {} s",
    "wan0: link up after {} s",
    "dhcp: lease renewed, {} s left",
    "wifi5: station left, reason {}",
    "mesh: backhaul quality {} of 255",
    "dns: {} queries without an answer",
)


def with_invalid_bytes(text: str, which: int) -> bytes:
    """Put bytes that are not UTF-8 into the middle of a text."""
    cut = len(text) // 2
    return text[:cut].encode() + INVALID_BYTES[which % len(INVALID_BYTES)] + text[cut:].encode()


def too_long_text(rng: random.Random) -> str:
    """Return a complaint with a whole log pasted after it, longer than the corpus allows."""
    lines = ["It drops all day, I can't work like this. Here is the log you asked for:", ""]
    size = 0
    while size <= TOO_LONG_CHARS:
        lines.append(
            f"[{rng.randint(10, 99)}{rng.randint(1000, 9999)}] " + rng.choice(_LOG_LINES).format(rng.randint(1, 250))
        )
        size += len(lines[-1]) + 1
    return "\n".join(lines)
