"""Runs of digits: which part is a card, which a phone, which just a long number, and which a date."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from udfs.personal_data.bank_accounts import is_card
from udfs.personal_data.categories import CARD, NUMBER, PHONE, Span
from udfs.personal_data.phones import MOST_SINGLE, Context, Digits, extension_end, is_phone

_RUN = re.compile(r"[+＋]?[(（]?\d+(?:[ \u00a0().\-‐‑–－/（）]{1,3}\d+)*")
_GROUP = re.compile(r"\d+")
_SEPARATOR = re.compile(
    r"[ \u00a0]?[.\-‐‑–－/]?[ \u00a0]?|[ \u00a0.\-]?[(（]|[)）][ \u00a0\-]?|[ \u00a0]?[(（]\d[)）][ \u00a0]?"
)
_DATE = re.compile(
    r"(?:(?:19|20)\d\d[-‑–/](?:19|20)\d\d|(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:19|20)\d\d|\d\d))(?![-/.]?\d)",
    re.ASCII,
)
_MOST_GROUPS = 8
_LEAST_DIGITS, _MOST_DIGITS = 6, 19


@dataclass(frozen=True)
class _Group:
    """One group of digits of a run; `breaks` says that what stands before it cannot be inside a number."""

    start: int
    end: int
    breaks: bool


def numbers(text: str, taken: list[Span]) -> Iterator[Span]:
    """Find cards, phones and other long numbers outside of `taken` (in order)."""
    at = 0
    for match in _RUN.finditer(text):
        if sum(map(str.isdigit, match.group())) < _LEAST_DIGITS:
            continue
        while at < len(taken) and taken[at].end <= match.start():
            at += 1
        free: list[_Group] = []
        for group in _groups(text, match.start(), match.end()):
            while at < len(taken) and taken[at].end <= group.start:
                at += 1
            if at < len(taken) and taken[at].start < group.end:
                yield from _in_groups(text, free)
                free = []
            else:
                free.append(group)
        yield from _in_groups(text, free)


def _groups(text: str, start: int, end: int) -> Iterator[_Group]:
    before = start
    for match in _GROUP.finditer(text, start, end):
        between = text[before : match.start()]
        yield _Group(*match.span(), before != start and not _SEPARATOR.fullmatch(between))
        before = match.end()


def _in_groups(text: str, groups: list[_Group]) -> Iterator[Span]:
    """Find what a run holds, from left to right; at each group the longest reading wins, the sure ones first."""
    i, rest = 0, 0
    while i < len(groups):
        found = _at(text, groups, i, continues=i > rest and not groups[i].breaks)
        if found is None:
            i += 1
            continue
        span, n = found
        yield from _long_numbers(text, groups[rest:i])
        if span is not None:
            yield span
        i = rest = i + n
    yield from _long_numbers(text, groups[rest:])


def _at(text: str, groups: list[_Group], i: int, *, continues: bool) -> tuple[Span | None, int] | None:
    """Return what begins at group i and of how many groups it is; without a span it is a date.

    Where group i `continues` others that are nothing, the end of a longer number must not pass for a phone.
    """
    date = _DATE.match(text, groups[i].start)
    if date:
        return None, sum(group.end <= date.end() for group in groups[i : i + 3])
    windows = list(_windows(text, groups, i))
    for n, digits in windows:
        if is_card(digits.groups) and digits.stands_alone:
            return Span(groups[i].start, groups[i + n - 1].end, CARD), n
    context = Context(text, windows[0][1].start) if windows else None
    for named in (False, True):
        for n, digits in windows:
            if continues and not named and not _is_apart(digits):
                continue
            if context and is_phone(digits, context, named=named):
                return Span(digits.start, extension_end(text, digits.end), PHONE), n
    return None


def _is_apart(digits: Digits) -> bool:
    """Return whether a space separates a number from what is before it, and none its groups: `71366 555-010-0999`."""
    before = digits.text[digits.start - 1 : digits.start]
    return before.isspace() and bool(digits.between) and not any(c.isspace() for each in digits.between for c in each)


def _windows(text: str, groups: list[_Group], i: int) -> Iterator[tuple[int, Digits]]:
    """Yield the readings that begin at group i, the longest first, with how many groups each takes."""
    last, n_digits, n_single = i, 0, 0
    while last < len(groups) and last < i + _MOST_GROUPS and not (last > i and groups[last].breaks):
        n = groups[last].end - groups[last].start
        n_digits, n_single = n_digits + n, n_single + (n == 1)
        if n_digits > _MOST_DIGITS or n_single > MOST_SINGLE:
            break
        last += 1
    while last > i:
        places = tuple([(group.start, group.end) for group in groups[i:last]])
        if sum(end - start for start, end in places) < _LEAST_DIGITS:
            return
        yield len(places), Digits(text, places)
        last -= 1


def _long_numbers(text: str, groups: list[_Group]) -> Iterator[Span]:
    """Yield what is left of a run where it has seven digits or more."""
    part: list[_Group] = []
    for group in [*groups, None]:
        if group is not None and not (group.breaks and part):
            part.append(group)
            continue
        if sum(each.end - each.start for each in part) >= 7:
            start = part[0].start
            start -= int(start > 0 and text[start - 1] in "+＋")
            yield Span(start, part[-1].end, NUMBER)
        part = [group] if group is not None else []
