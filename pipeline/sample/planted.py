"""What is planted in the sample corpus, as constants: tests compare the pipeline's tables with them.

Days are UTC days. `docs/sample.md` shows each with the SQL that finds it.
"""

from dataclasses import dataclass
from datetime import date, timedelta

SEED = 20_261_005
FIRST_DAY, LAST_DAY = date(2026, 10, 5), date(2026, 10, 25)
DAYS = tuple(FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1))
N_MESSAGES = 7_427
"""Rows of the corpus, rejected ones included."""
LANGUAGES = ("en", "zh", "es")
CHANNELS = ("app_review", "chat", "email", "forum", "social")
PRODUCTS = (
    "Finch Buds",
    "Heron Router",
    "Kite Scooter",
    "Magpie Bank",
    "Owl Doorbell",
    "Plover Mobile",
    "Puffin Vacuum",
    "Quail Kitchen",
    "Wren Watch",
)


def _day(number: int) -> date:
    return date(2026, 10, number)


# 1. An incident: a firmware update breaks routers.
INCIDENT_PRODUCT = "Heron Router"
INCIDENT_THEME = "firmware_brick"
INCIDENT_DAYS = (_day(13), _day(14), _day(15))
INCIDENT_MESSAGES = {
    _day(13): {"en": 84, "zh": 22, "es": 17},
    _day(14): {"en": 96, "zh": 27, "es": 20},
    _day(15): {"en": 70, "zh": 18, "es": 14},
}
"""All messages about the router on these days; on other days it has about 32 in all languages."""
INCIDENT_NEGATIVE_SHARE = 0.92
"""Share of negative messages among them, in every language; on other days 0.30."""

# 2. An emerging topic: counterfeit chargers for the scooter, in English only.
EMERGING_PRODUCT = "Kite Scooter"
EMERGING_THEME = "counterfeit_charger"
EMERGING_FIRST_DAY = _day(16)
EMERGING_MESSAGES = {
    _day(16): 6, _day(17): 9, _day(18): 13, _day(19): 17, _day(20): 21,
    _day(21): 25, _day(22): 29, _day(23): 34, _day(24): 39, _day(25): 45,
}  # fmt: skip
EMERGING_WORDS = ("counterfeit", "fake", "hologram")
"""In no message before the first day; one of them in most messages of the topic."""

# 3. A campaign: one text posted over and over on social, with small edits or without.
CAMPAIGN_PRODUCT = "Magpie Bank"
CAMPAIGN_CHANNEL = "social"
CAMPAIGN_TEXT = (
    "Warning to everyone with money at @MagpieBank: they are closing accounts overnight without notice and keeping the "
    "balance for 90 days. Happened to three people I know this week. Get your savings out today, before they freeze yours "
    "too. Share this with your family! #MagpieFreeze"
)
CAMPAIGN_COPIES = {_day(20): 20, _day(21): 16}
"""Messages with exactly this text."""
CAMPAIGN_VARIANTS = {_day(20): 46, _day(21): 38}
"""Messages with a text of their own that differs from it by a few edits."""

# 4. Personal data, all of it made up or published for testing: messages by kind, one piece each.
PERSONAL_DATA = {"email": 24, "phone": 24, "card": 16, "iban": 14}

# 5. Rows that the contract rejects: reason -> night -> rows.
REJECTED = {
    "invalid_utf8": {_day(5): 1, _day(7): 1, _day(9): 1, _day(12): 1, _day(15): 1, _day(18): 1, _day(21): 1, _day(24): 1},
    "null_id": {_day(5): 2, _day(8): 1, _day(11): 1, _day(14): 1, _day(17): 1, _day(20): 1, _day(23): 1},
    "null_time": {_day(6): 1, _day(10): 2, _day(13): 1, _day(16): 1, _day(19): 1, _day(22): 1},
    "empty_text": {_day(5): 1, _day(7): 2, _day(10): 1, _day(13): 2, _day(17): 1, _day(20): 1, _day(23): 1, _day(25): 1},
    "too_long": {_day(9): 1, _day(14): 1, _day(19): 1, _day(24): 1},
    "duplicate_id": {_day(6): 2, _day(9): 2, _day(12): 2, _day(16): 2, _day(20): 2, _day(22): 2},
}  # fmt: skip
REJECTED_COLUMN = {
    "invalid_utf8": "body", "null_id": "message_id", "null_time": "created_at",
    "empty_text": "body", "too_long": "body", "duplicate_id": "message_id",
}  # fmt: skip
TOO_LONG_CHARS = 50_000
"""`input.too_long_chars` of conf/jobs/sample.yaml."""

# 6. Exact repeats that are nobody's campaign: people who write the same few words.
SHORT_REPEATS = {
    "Very good": "positive",
    "Works as expected": "positive",
    "very happy with it": "positive",
    "worst customer service ever": "negative",
    "I want my money back": "negative",
}
"""Text -> sentiment; all English."""
SHORT_REPEAT_COPIES = 2
"""Each of them comes this often on every day of SHORT_REPEAT_DAYS."""
SHORT_REPEAT_DAYS = (_day(7), _day(14), _day(21))


def duplicates(day: date) -> int:
    """Return `runs.rows_dup` of a night: accepted messages that repeat a text of that night.

    All of them are English, so any model that covers English gives this number. No other text comes twice.
    """
    campaign = max(0, CAMPAIGN_COPIES.get(day, 0) - 1)
    repeats = len(SHORT_REPEATS) * (SHORT_REPEAT_COPIES - 1) if day in SHORT_REPEAT_DAYS else 0
    return campaign + repeats


def rejected(day: date) -> int:
    """Return `runs.rows_rejected` of a night."""
    return sum(by_night.get(day, 0) for by_night in REJECTED.values())


@dataclass(frozen=True)
class EdgeCase:
    """An odd message that the contract accepts. `language` is `und` where there are no letters."""

    name: str
    product: str
    body: str
    language: str
    sentiment: str
