"""How many messages of which kind come on which day: seasons of the week, channels, products, languages, polarities."""

import random
from collections import defaultdict
from collections.abc import Hashable, Mapping
from datetime import date, datetime, time, timedelta

from pipeline.sample.planted import DAYS, INCIDENT_DAYS, INCIDENT_PRODUCT

_PER_WEEKDAY = {"app_review": 85, "email": 62, "chat": 64, "forum": 34, "social": 62}
_WEEKEND = {"app_review": 1.35, "email": 0.38, "chat": 0.7, "forum": 1.1, "social": 1.15}
PRODUCT_SHARES = {
    "Finch Buds": 0.13, "Heron Router": 0.105, "Kite Scooter": 0.09, "Magpie Bank": 0.155, "Owl Doorbell": 0.1,
    "Plover Mobile": 0.12, "Puffin Vacuum": 0.1, "Quail Kitchen": 0.115, "Wren Watch": 0.085,
}  # fmt: skip
LANGUAGE_SHARES = {"en": 0.65, "zh": 0.2, "es": 0.15}
_POLARITIES = {
    "Finch Buds": (0.33, 0.22, 0.45), "Heron Router": (0.3, 0.27, 0.43), "Kite Scooter": (0.37, 0.23, 0.4),
    "Magpie Bank": (0.4, 0.24, 0.36), "Owl Doorbell": (0.36, 0.24, 0.4), "Plover Mobile": (0.46, 0.24, 0.3),
    "Puffin Vacuum": (0.34, 0.22, 0.44), "Quail Kitchen": (0.42, 0.22, 0.36), "Wren Watch": (0.35, 0.22, 0.43),
}  # fmt: skip
_HOURS = {
    "email": "0000001259987899987654321",
    "chat": "1000002468987899987665432",
    "app_review": "3211123445566677777899986",
    "forum": "3211112344555666677889997",
    "social": "4321122455566677778999987",
}
"""Weight of each hour of the day in Europe, as digits."""
_HOURS_AHEAD = {"en": 0, "es": 2, "zh": -7}


class Quota:
    """Deals out kinds in given shares: after n calls each kind came n * share times, give or take one."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = dict(shares)
        self._owed = dict.fromkeys(shares, 0.0)

    def draw(self) -> str:
        """Return the kind that is most overdue."""
        for kind, share in self._shares.items():
            self._owed[kind] += share
        kind = max(self._owed, key=lambda k: self._owed[k])
        self._owed[kind] -= 1
        return kind


def polarity_shares(product: str) -> dict[str, float]:
    """Return the shares of negative, neutral and positive messages on an ordinary day."""
    return dict(zip(("negative", "neutral", "positive"), _POLARITIES[product], strict=True))


class Plan:
    """The ordinary messages of every day; keeps its quotas from day to day."""

    def __init__(self) -> None:
        self._products = Quota(PRODUCT_SHARES)
        self._languages: dict[Hashable, Quota] = defaultdict(lambda: Quota(LANGUAGE_SHARES))
        self._polarities: dict[Hashable, Quota] = {}

    def day(self, day: date, rng: random.Random) -> list[tuple[str, str, str, str]]:
        """Return (product, language, polarity, channel) of the day's messages in random order.

        The router has none on the days of its incident; those are planted.
        """
        weekend = day.weekday() >= 5
        growth = 1 + 0.004 * DAYS.index(day)
        channels = [
            channel
            for channel, count in _PER_WEEKDAY.items()
            for _ in range(round(count * growth * (_WEEKEND[channel] if weekend else 1) * rng.uniform(0.93, 1.07)))
        ]
        kinds = [self._kind() for _ in channels]
        rng.shuffle(kinds)
        planned = [(*kind, channel) for kind, channel in zip(kinds, channels, strict=True)]
        return [p for p in planned if p[0] != INCIDENT_PRODUCT or day not in INCIDENT_DAYS]

    def _kind(self) -> tuple[str, str, str]:
        product = self._products.draw()
        language = self._languages[product].draw()
        if (product, language) not in self._polarities:
            self._polarities[product, language] = Quota(polarity_shares(product))
        return product, language, self._polarities[product, language].draw()


def moment(day: date, channel: str, language: str, rng: random.Random) -> datetime:
    """Return a time of the UTC day: people write when they are awake, and to support in office hours."""
    weights = [int(w) + 0.2 for w in _HOURS[channel][:24]]
    hour = (rng.choices(range(24), weights)[0] + _HOURS_AHEAD[language]) % 24
    start = datetime.combine(day, time(hour))
    return start + timedelta(seconds=rng.randrange(3600), milliseconds=rng.randrange(1000))
