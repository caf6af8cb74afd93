"""The messages of a day before they have ids: ordinary ones, and each thing that is planted."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

from pipeline.sample import malformed, planted
from pipeline.sample.campaign import variant
from pipeline.sample.compose import Subject, compose, compose_mixed, themes
from pipeline.sample.edge_cases import EDGE_CASES
from pipeline.sample.personal_data import Disclosure, disclosures
from pipeline.sample.volume import Plan, Quota, moment

_MIXED_AMONG_NEUTRAL = 0.12
_ATTEMPTS = 500
_CHANNEL_WEIGHTS = {"app_review": 3, "chat": 3, "email": 3, "forum": 2, "social": 3}
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u2060\ufeff"))


@dataclass
class Draft:
    """A message with its truth. `fault` is the reason why the contract rejects it, `repeats` the draft whose id it takes."""

    moment: datetime
    body: str | bytes | None
    channel: str
    product: str
    language: str
    sentiment: str
    theme: str
    planted: str | None = None
    fault: str | None = None
    message_id: str | None = None
    repeats: "Draft | None" = None


class Author:
    """Writes messages of which no two have the same text, apart from white space."""

    def __init__(self) -> None:
        self._seen: set[str] = {" ".join(text.split()) for text in (planted.CAMPAIGN_TEXT, *planted.SHORT_REPEATS)}

    def once(self, write: Callable[[], str]) -> str:
        """Return the first text of `write` that has not been written before."""
        for _ in range(_ATTEMPTS):
            text = write()
            plain = " ".join(text.translate(_INVISIBLE).split())
            if plain not in self._seen:
                self._seen.add(plain)
                return text
        raise RuntimeError(f"too little material: {_ATTEMPTS} attempts gave no new text, the last one {text!r}")

    def draft(self, subject: Subject, rng: random.Random, addition: str = "", label: str | None = None) -> Draft:
        """Write a message about a subject."""
        mixed = subject.polarity == "mixed"
        text = self.once(lambda: compose_mixed(subject, rng) if mixed else compose(subject, rng, addition))
        return Draft(
            subject.moment,
            text,
            subject.channel,
            subject.product,
            subject.language,
            subject.polarity,
            subject.theme,
            label,
        )


def any_channel(rng: random.Random) -> str:
    """Draw a channel."""
    return rng.choices(list(_CHANNEL_WEIGHTS), list(_CHANNEL_WEIGHTS.values()))[0]


def ordinary(author: Author, plan: Plan, day: date, rng: random.Random) -> Iterator[Draft]:
    """Write the day's messages about which nothing is planted."""
    for product, language, polarity, channel in plan.day(day, rng):
        theme = rng.choice(themes(language, product, polarity))
        if polarity == "neutral" and rng.random() < _MIXED_AMONG_NEUTRAL:
            polarity, theme = "mixed", "mixed"
        yield author.draft(
            Subject(language, product, polarity, theme, channel, moment(day, channel, language, rng)), rng
        )


def incident(author: Author, day: date, rng: random.Random) -> Iterator[Draft]:
    """Write the day's messages about the router during its incident."""
    negative = planted.INCIDENT_NEGATIVE_SHARE
    for language, count in planted.INCIDENT_MESSAGES.get(day, {}).items():
        quota = Quota({"negative": negative, "neutral": 0.6 * (1 - negative), "positive": 0.4 * (1 - negative)})
        for _ in range(count):
            channel = any_channel(rng)
            when = moment(day, channel, language, rng)
            subject = Subject(language, planted.INCIDENT_PRODUCT, quota.draw(), planted.INCIDENT_THEME, channel, when)
            yield author.draft(subject, rng, label="incident")


def emerging(author: Author, day: date, rng: random.Random) -> Iterator[Draft]:
    """Write the day's messages about the emerging topic."""
    quota = Quota({"negative": 0.76, "neutral": 0.2, "positive": 0.04})
    for _ in range(planted.EMERGING_MESSAGES.get(day, 0)):
        channel = any_channel(rng)
        when = moment(day, channel, "en", rng)
        subject = Subject("en", planted.EMERGING_PRODUCT, quota.draw(), planted.EMERGING_THEME, channel, when)
        yield author.draft(subject, rng, label="emerging")


def campaign(author: Author, day: date, rng: random.Random) -> Iterator[Draft]:
    """Write the day's posts of the campaign, all within the evening."""
    copies = [planted.CAMPAIGN_TEXT] * planted.CAMPAIGN_COPIES.get(day, 0)
    variants = [author.once(lambda: variant(rng)) for _ in range(planted.CAMPAIGN_VARIANTS.get(day, 0))]
    for text in copies + variants:
        evening = datetime.combine(day, time(17))
        when = evening + timedelta(milliseconds=rng.randrange(5 * 3_600_000))
        channel, product = planted.CAMPAIGN_CHANNEL, planted.CAMPAIGN_PRODUCT
        yield Draft(when, text, channel, product, "en", "negative", "account_closures", "campaign")


def short_repeats(day: date, rng: random.Random) -> Iterator[Draft]:
    """Repeat the short texts that many people write."""
    if day not in planted.SHORT_REPEAT_DAYS:
        return
    for text, sentiment in planted.SHORT_REPEATS.items():
        for _ in range(planted.SHORT_REPEAT_COPIES):
            product = rng.choice([p for p in planted.PRODUCTS if p != planted.INCIDENT_PRODUCT])
            when = moment(day, "app_review", "en", rng)
            yield Draft(when, text, "app_review", product, "en", sentiment, "short", "short_repeat")


def edge_cases(author: Author, day: date, rng: random.Random) -> Iterator[Draft]:
    """Write the odd but valid messages of the day, two a day."""
    first = 2 * planted.DAYS.index(day)
    for case in EDGE_CASES[first : first + 2]:
        text = author.once(partial(str, case.body))
        channel = "forum" if len(text) > 1000 else "app_review"
        language = "en" if case.language == "und" else case.language
        when = moment(day, channel, language, rng)
        yield Draft(when, text, channel, case.product, case.language, case.sentiment, "edge", f"edge:{case.name}")


def personal_data(author: Author, day: date, rng: random.Random) -> Iterator[Draft]:
    """Write the day's share of the messages that give away personal data."""
    every = disclosures(planted.PERSONAL_DATA, random.Random(f"{planted.SEED}/personal data"))
    for disclosure in every[planted.DAYS.index(day) :: len(planted.DAYS)]:
        yield author.draft(_subject(disclosure.language, day, rng), rng, disclosure.sentence, _label(disclosure))


def _label(disclosure: Disclosure) -> str:
    return f"personal_data:{disclosure.kind}"


def _subject(language: str, day: date, rng: random.Random) -> Subject:
    """Draw a complaint or a question about anything but the product of the incident."""
    product = rng.choice([p for p in planted.PRODUCTS if p != planted.INCIDENT_PRODUCT])
    polarity = rng.choice(["negative", "negative", "neutral"])
    channel = rng.choice(["email", "email", "chat", "social"])
    theme = rng.choice(themes(language, product, polarity))
    return Subject(language, product, polarity, theme, channel, moment(day, channel, language, rng))


def rejected(author: Author, day: date, accepted: Iterable[Draft], rng: random.Random) -> Iterator[Draft]:
    """Write the day's rows that the contract rejects."""
    for reason, by_night in planted.REJECTED.items():
        before = sum(n for night, n in by_night.items() if night < day)
        originals = rng.sample([d for d in accepted if d.planted is None and d.moment.hour < 23], 2)
        for i in range(by_night.get(day, 0)):
            yield _malformed(author, reason, before + i, originals[i % 2], day, rng)


def _malformed(author: Author, reason: str, number: int, original: Draft, day: date, rng: random.Random) -> Draft:
    """Write the rejected row of this running number."""
    language = ("en", "en", "zh", "en", "es")[number % 5]
    draft = author.draft(_subject(language, day, rng), rng, label="rejected")
    draft.fault = reason
    match reason:
        case "invalid_utf8":
            draft.body = malformed.with_invalid_bytes(str(draft.body), number)
        case "null_id":
            draft.message_id = malformed.BLANK_IDS[number]
        case "empty_text":
            draft.body = malformed.EMPTY_TEXTS[number]
        case "too_long":
            draft.body = malformed.too_long_text(rng)
            draft.product = planted.INCIDENT_PRODUCT
        case "duplicate_id":
            draft.repeats = original
            draft.moment = original.moment + timedelta(seconds=rng.randint(2, 900))
            draft.channel, draft.product = original.channel, original.product
            if number % 2 == 0:
                draft.body = original.body
    return draft
