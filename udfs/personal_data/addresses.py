"""Addresses on the net: e-mail, URL, IP. Work grows linearly with the text: every match starts at a mark and is bounded."""

import ipaddress
import re
from collections.abc import Iterator

from udfs.personal_data.categories import EMAIL, IP, URL, Span

_NO_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\uff00-\uffef"
)
"""Scripts written without spaces, and Korean, whose particles follow a word: they stand next to an address, not in it."""
_LETTER = rf"[^\W_{_NO_SPACES}]"
_LOCAL = re.compile(rf"(?:{_LETTER}|[!#$%&'*+^_`{{|}}~.-]){{1,64}}\Z")
_DOMAIN = re.compile(
    rf"(?:{_LETTER}(?:{_LETTER}|-){{0,62}}\.){{1,8}}(?:xn--[a-zA-Z0-9-]{{2,59}}|[^\W\d_{_NO_SPACES}]{{2,24}})(?!{_LETTER})"
)
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 254
"""Of RFC 5321, 4.5.3.1."""


def emails(text: str) -> Iterator[Span]:
    """Find e-mail addresses around each `@`: dot-atoms of RFC 5322 without `/`, `?`, `=`; letters of other alphabets too."""
    at, done = text.find("@"), 0
    while at >= 0:
        local = _LOCAL.search(text, max(done, at - _LONGEST_LOCAL), at)
        domain = _DOMAIN.match(text, at + 1, at + 1 + _LONGEST_DOMAIN)
        if local and domain:
            start = at - len(local.group().lstrip(".'-&#`{|}~!$%^*+"))
            if start < at and text[at - 1] != ".":
                yield Span(start, domain.end(), EMAIL)
                done = domain.end()
        at = text.find("@", max(at + 1, done))


_SCHEME = re.compile(r"(?<![A-Za-z0-9])(?:(?:https?|ftps?)://|www\d?\.)(?=[^\s.])", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}"
    r"(?:com|org|net|edu|gov|info|biz|io|dev|app|(?:co|com|org|net|ac|gov)\.[a-z]{2})(?![\w@-]|\.\w)(?:/|(?=\W|\Z))",
    re.IGNORECASE,
)
_URL_CHARS = re.compile(rf"[^\s<>\"“”«»{{}}|\\^`{_NO_SPACES}]{{1,2048}}")
_TRAILING = ".,;:!?'*_~…’"
_CLOSING = {")": "(", "]": "["}


def urls(text: str) -> Iterator[Span]:
    """Find URLs with a scheme, those that begin with www, and bare domain names under the best-known endings."""
    if "." not in text and "://" not in text:
        return
    starts = sorted(
        (*match.span(), match.re is _SCHEME) for pattern in (_SCHEME, _BARE) for match in pattern.finditer(text)
    )
    done = 0
    for start, end, has_scheme in starts:
        if start < done:
            continue
        body = _URL_CHARS.match(text, end) if has_scheme or text[end - 1] == "/" else None
        done = _trimmed(text, start, body.end() if body else end)
        yield Span(start, done, URL)


def _trimmed(text: str, start: int, end: int) -> int:
    """Return the end without the marks of the sentence around: `(see http://a.example/b).`"""
    while end > start:
        last = text[end - 1]
        opening = _CLOSING.get(last)
        if last not in _TRAILING and (
            opening is None or text.count(opening, start, end) >= text.count(last, start, end)
        ):
            return end
        end -= 1
    return end


_V4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)", re.ASCII)
_V6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])", re.ASCII)
_VERSION = re.compile(r"(?:version|release|firmware|build|ver\.?|\bv\.?|版本)\W{0,3}\Z", re.IGNORECASE)


def ip_addresses(text: str) -> Iterator[Span]:
    """Find IPv4 and IPv6 addresses that the standard library accepts; four numbers after `version` are none."""
    for match in _V4.finditer(text):
        if _is_ip(match.group()) and not _VERSION.search(text, max(0, match.start() - 12), match.start()):
            yield Span(*match.span(), IP)
    for match in _V6.finditer(text) if ":" in text else ():
        if match.group().count(":") >= 2 and any(c.isdigit() for c in match.group()) and _is_ip(match.group()):
            yield Span(*match.span(), IP)


def _is_ip(found: str) -> bool:
    try:
        ipaddress.ip_address(found)
    except ValueError:
        return False
    return True
