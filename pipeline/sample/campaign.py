"""The variants of the campaign's text (`planted.CAMPAIGN_TEXT`): the small edits that copied posts carry."""

import random

from pipeline.sample.keyboard import with_slips
from pipeline.sample.planted import CAMPAIGN_TEXT

_EDITS = (
    ("@MagpieBank", ("@magpiebank", "Magpie Bank", "@MagpieBankHelp", "Magpie", "@MagpieBank_UK")),
    (
        "Warning to everyone",
        ("WARNING to everyone", "Warning for everyone", "Serious warning to everyone", "warning to all"),
    ),
    ("overnight", ("over night", "at night", "overnight (!)")),
    ("without notice", ("without any notice", "with no notice", "without warning")),
    ("for 90 days", ("for 90 DAYS", "for ninety days", "for three months")),
    ("three people", ("two people", "3 people", "four people", "several people")),
    ("this week", ("last week", "yesterday", "this month")),
    (
        "Get your savings out today",
        ("Get your savings out TODAY", "Get your money out today", "Take your savings out now"),
    ),
    ("before they freeze yours too", ("before yours is frozen too", "before they freeze yours")),
    ("Share this with your family!", ("Share this with family!", "Please share with your family!", "Share!!")),
    ("#MagpieFreeze", ("#magpiefreeze", "#MagpieFreeze #scam", "#BoycottMagpie", "")),
)
_ENDS = ("", "", "", " 😡", " 🚨", " 🚨🚨🚨", " 👀", " RT", " pls RT", " 🙏")
_STARTS = ("", "", "", "🚨 ", "⚠️ ", "FYI ", "RT: ", "Read this: ")


def variant(rng: random.Random) -> str:
    """Return the campaign's text with one to four edits, perhaps a slip, and emoji around it."""
    text = CAMPAIGN_TEXT
    for found, replacements in rng.sample(_EDITS, rng.randint(1, 4)):
        text = text.replace(found, rng.choice(replacements))
    if rng.random() < 0.35:
        text = with_slips(text, rng)
    if rng.random() < 0.1:
        text = text.lower()
    return " ".join((rng.choice(_STARTS) + text + rng.choice(_ENDS)).split())
