"""Texts written for trying models out: what a runtime is measured and calibrated on. No customer's words."""

_SENTENCES = (
    "The app crashes every time I open my basket.",
    "Delivery came two days early and the driver was kind!",
    "Is there a way to change the address after ordering?",
    "ok",
    "I have been a customer since 2014 and never had to wait this long for a refund, not once.",
    "Battery lasts about six hours; the box says ten.",
    "lol who designed this menu 😂",
    "Thank you, that solved it at once.",
    "The screen is sharp, the sound is thin, and the price is fair for what you get.",
    "Flight BA2490 was cancelled and nobody at gate 14 knew why.",
    "Update 3.2.1 broke the calendar sync on Android 14 (error 0x80070057).",
    "Nothing special, does what it should.",
    "My mother (81) set it up alone in ten minutes.",
    "Worst. Support. Ever.",
    "If the second parcel is as damaged as the first, I shall ask my bank to take the money back.",
    "Shares of the company fell 4.7 % on Tuesday after it lowered its forecast for the year.",
    "The minister said the talks would go on next week in Geneva.",
    "Scientists found traces of water in samples brought back from the asteroid.",
    "la tienda cerró antes de la hora",
    "很好用，下次还会再买。",
)
_LENGTHS = (1, 1, 1, 2, 2, 3, 4, 12)
"""Sentences per text, in turn."""
_N_TEXTS = 64


def probe_texts() -> list[str]:
    """Return 64 texts of one to twelve sentences, most of them short, as messages are."""
    n = len(_SENTENCES)
    texts = []
    for i in range(_N_TEXTS):
        first, step = i % n, 1 + i // n * 2
        texts.append(
            " ".join(_SENTENCES[(first + k * step) % n] for k in range(_LENGTHS[(i * 3 + i // n) % len(_LENGTHS)]))
        )
    return texts
