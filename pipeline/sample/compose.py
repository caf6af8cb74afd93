"""A message from phrase material: what is said, in which order, and how it is typed, by channel and language."""

import random
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from pipeline.sample import (
    chinese,
    chinese_talk,
    english_events,
    english_home,
    english_personal,
    english_services,
    english_talk,
    spanish,
    spanish_talk,
)
from pipeline.sample import keyboard as k
from pipeline.sample.grammar import Cell, Material, fill, parse
from pipeline.sample.slots import values

SERVICES = ("Magpie Bank", "Quail Kitchen", "Plover Mobile")


@dataclass(frozen=True)
class Subject:
    """What a message is to be about."""

    language: str
    product: str
    polarity: str
    theme: str
    channel: str
    moment: datetime


@dataclass(frozen=True)
class _Habits:
    """How people write in a channel: chances between 0 and 1, and how many phrases follow the first (low, high)."""

    short: float
    opening: float
    more: tuple[int, int]
    second_theme: float
    closing: float
    emoji: float
    casual: float


_HABITS = {
    "app_review": _Habits(0.26, 0.35, (0, 2), 0.06, 0.5, 0.16, 0.35),
    "email": _Habits(0.0, 0.6, (1, 4), 0.25, 0.7, 0.01, 0.03),
    "chat": _Habits(0.2, 0.55, (0, 1), 0.0, 0.2, 0.12, 0.8),
    "forum": _Habits(0.02, 0.6, (2, 5), 0.25, 0.35, 0.04, 0.15),
    "social": _Habits(0.25, 0.15, (0, 1), 0.0, 0.35, 0.35, 0.5),
}
_OPENING_PLACE = {"email": "email_subject", "forum": "forum_opening", "chat": "chat_start"}
_ALSO = {
    "en": ("Another thing:", "Second:", "Also:", "PS:"),
    "zh": ("另外，", "还有，", "对了，"),
    "es": ("Además:", "Y otra cosa:", "Aparte:"),
}
_STARS = {"negative": ("1/5 ", "★☆☆☆☆ ", "1 star. ", "⭐ "), "positive": ("5/5 ", "★★★★★ ", "5 stars. ", "⭐⭐⭐⭐⭐ ")}
_GAP = {"en": " ", "es": " ", "zh": ""}
_KEEP_CAPITAL = ("I", "I'm", "I've", "I'd", "I'll", "QoS", "GPS", "IBAN", "SIM", "SpO2", "eSIM", "EDIT:", "Larkfield")
_BIRDS = ("Heron", "Owl", "Puffin", "Finch", "Wren", "Kite", "Magpie", "Quail", "Plover")


@cache
def material(language: str) -> Material:
    """Return the phrases of a language."""
    if language == "zh":
        return parse(chinese.TEXT, chinese_talk.TEXT)
    if language == "es":
        return parse(spanish.TEXT, spanish_talk.TEXT)
    parts = (english_home, english_personal, english_services, english_events, english_talk)
    return parse(*[part.TEXT for part in parts])


@cache
def themes(language: str, product: str, polarity: str) -> tuple[str, ...]:
    """Return the themes of a product, those of planted events left out."""
    return tuple(t for p, s, t in material(language) if (p, s) == (product, polarity) and t not in EVENT_THEMES)


EVENT_THEMES = ("firmware_brick", "counterfeit_charger")


def compose(subject: Subject, rng: random.Random, addition: str = "") -> str:
    """Write one message; `addition` is a sentence that stands at its end as it is."""
    value = values(subject.language, rng, subject.moment, subject.product)
    habits = _HABITS[subject.channel]
    cell = material(subject.language)[subject.product, subject.polarity, subject.theme]
    if cell.shorts and not addition and rng.random() < habits.short:
        return _typed(fill(rng.choice(cell.shorts), rng, value), subject, habits, rng, short=True)
    phrases = [fill(p, rng, value) for p in _choose(subject, cell, habits, rng)]
    body = _laid_out(phrases, subject, rng)
    text = _typed(body, subject, habits, rng)
    if addition:
        text += (_GAP[subject.language] if text.endswith((".", "!", "?", "。", "！", "？")) else "\n") + addition
    if subject.channel == "email":
        greeting, signoff = (
            fill(rng.choice(_general(subject, "any", p)), rng, value) for p in ("email_greeting", "email_signoff")
        )
        text = (
            (f"{greeting}\n\n" if rng.random() < 0.85 else "") + text + (f"\n\n{signoff}" if rng.random() < 0.9 else "")
        )
    return text


def compose_mixed(subject: Subject, rng: random.Random) -> str:
    """Write a message that praises one thing and complains of another; the subject's polarity is not used."""
    value = values(subject.language, rng, subject.moment, subject.product)
    sides = []
    for polarity in ("positive", "negative"):
        theme = rng.choice(themes(subject.language, subject.product, polarity))
        lead = rng.choice(material(subject.language)[subject.product, polarity, theme].leads)
        sides.append(fill(lead, rng, value))
    if rng.random() < 0.5:
        sides.reverse()
    opening, bridge = (fill(rng.choice(_general(subject, "mixed", p)), rng, value) for p in ("opening", "bridge"))
    start = [opening] if rng.random() < 0.6 else []
    after = f"{bridge}{_GAP[subject.language]}{_lowered(sides[1], subject.language)}"
    return _typed(_GAP[subject.language].join([*start, sides[0], after]), subject, _HABITS[subject.channel], rng)


def _general(subject: Subject, polarity: str, place: str) -> list[str]:
    """Return the phrases of a place in the message that fit any product, and those for the product's kind."""
    kind = "service" if subject.product in SERVICES else "device"
    cells = material(subject.language)
    return cells["any", polarity, place].leads + cells.get((kind, polarity, place), Cell()).leads


def _choose(subject: Subject, cell: Cell, habits: _Habits, rng: random.Random) -> list[str]:
    """Choose the phrases of a message in order, unfilled. What fits every theme does not always fit an event."""
    event = subject.theme in EVENT_THEMES
    lead = rng.choice(cell.leads)
    n_more = rng.randint(*habits.more)
    own = rng.sample(cell.more, min(len(cell.more), rng.randint((n_more + 1) // 2, n_more)))
    n_general = 0 if event else max(0, min(2, n_more - len(own)))
    general = rng.sample(_general(subject, subject.polarity, "more"), n_general)
    chosen = [lead, *own, *general]
    if not event and rng.random() < habits.second_theme:
        others = [t for t in themes(subject.language, subject.product, subject.polarity) if t != subject.theme]
        if others:
            other = material(subject.language)[subject.product, subject.polarity, rng.choice(others)]
            chosen.append("\0" + rng.choice(other.leads))
    if rng.random() < habits.opening:
        place = _OPENING_PLACE.get(subject.channel, "opening")
        if (place == "email_subject" and rng.random() < 0.4) or (place == "forum_opening" and event):
            place = "opening"
        chosen.insert(0, rng.choice(_general(subject, subject.polarity, place)))
    if rng.random() < habits.closing:
        place = "forum_ending" if subject.channel == "forum" and not event and rng.random() < 0.5 else "closing"
        chosen.append(rng.choice(_general(subject, subject.polarity, place)))
    return chosen


def _laid_out(phrases: list[str], subject: Subject, rng: random.Random) -> str:
    """Join phrases to paragraphs. A phrase that begins with NUL opens another theme."""
    language, gap = subject.language, _GAP[subject.language]
    said = [f"{rng.choice(_ALSO[language])}{gap}{p[1:].strip()}" if p.startswith("\0") else p for p in phrases]
    if subject.channel == "chat" and len(said) > 1 and rng.random() < 0.3:
        return "\n".join(said)
    if subject.channel == "chat" and len(said) > 1 and said[0][-1].isalnum():
        after = " " if said[0].isascii() else "，"
        said[0] += after if language == "zh" else rng.choice([",", "!", ""])
    if subject.channel not in ("email", "forum") or len(said) < 3:
        return gap.join(said)
    paragraphs, i = [], 0
    while i < len(said):
        size = rng.choice([1, 2, 2, 3])
        paragraphs.append(gap.join(said[i : i + size]))
        i += size
    return ("\n\n" if rng.random() < 0.75 else "\n").join(paragraphs)


def _lowered(sentence: str, language: str) -> str:
    """Make the first letter small, as after a comma, unless the word keeps its capital."""
    first = sentence.split(" ", 1)[0]
    keep = language == "zh" or first in _KEEP_CAPITAL or first.startswith(_BIRDS) or first.isupper()
    return sentence if keep else sentence[0].lower() + sentence[1:]


def _typed(text: str, subject: Subject, habits: _Habits, rng: random.Random, *, short: bool = False) -> str:
    """Type it as people do in the channel; add stars, handle, tag, emoji."""
    casual = rng.random() < habits.casual
    mood = "neutral" if subject.polarity == "mixed" else subject.polarity
    if subject.language == "en":
        text = _typed_english(text, subject, rng, casual=casual)
    elif casual:
        text = (k.as_chinese_chat if subject.language == "zh" else k.as_spanish_chat)(text, rng)
    if short and text[-1].isalnum() and subject.polarity != "neutral" and rng.random() < 0.25:
        text += rng.choice("！。～") if subject.language == "zh" else rng.choice(["!!", "!!!", "...", "."])
    if (
        subject.channel == "app_review"
        and subject.language == "en"
        and subject.polarity in _STARS
        and rng.random() < 0.06
    ):
        text = rng.choice(_STARS[subject.polarity]) + text
    if subject.channel == "social":
        if rng.random() < 0.4:
            text = rng.choice(["@larkfield ", "@larkfield ", "@larkfieldhelp "]) + text
        if rng.random() < 0.3:
            text += " " + fill(rng.choice(_general(subject, mood, "tag")), rng, str)
    if rng.random() < habits.emoji:
        emoji = fill(rng.choice(_general(subject, mood, "emoji")), rng, str)
        text += ("" if subject.language == "zh" else " ") + emoji * (
            1 if mood == "neutral" else rng.choice([1, 1, 1, 1, 2, 3])
        )
    return text


def _typed_english(text: str, subject: Subject, rng: random.Random, *, casual: bool) -> str:
    if subject.polarity == "negative" and subject.channel in ("app_review", "social") and rng.random() < 0.04:
        return text.upper().rstrip(".") + rng.choice(["!", "!!!", ""])
    if rng.random() < (0.22 if casual else 0.06):
        text = k.with_slips(text, rng)
    if not casual:
        return text
    if rng.random() < 0.4:
        text = k.without_apostrophes(text)
    if subject.channel == "chat" and rng.random() < 0.35:
        text = k.as_chat(text, rng)
    if rng.random() < 0.3:
        text = k.run_on(text, rng)
    return k.in_lower_case(text) if rng.random() < 0.65 else text
