"""Personal data that nobody owns, and the sentences that give it away.

E-mail addresses use the domains reserved for examples (RFC 2606), American phones the block 555-0100 to 555-0199 reserved for
fiction, Spanish ones the prefix 79 and Chinese ones the prefix 154, which the national plans keep unused. The card numbers are
those that payment companies publish for testing, the IBANs those that banks' handbooks print as examples.
"""

import random
from dataclasses import dataclass

CARDS = (
    "4242 4242 4242 4242", "4111 1111 1111 1111", "5555 5555 5555 4444", "5105 1051 0510 5100", "3782 822463 10005",
    "3714 496353 98431", "6011 1111 1111 1117", "3530 1113 3330 0000", "4012888888881881", "4000-0566-5566-5556",
)  # fmt: skip
IBANS = (
    "GB29 NWBK 6016 1331 9268 19", "DE89 3704 0044 0532 0130 00", "FR14 2004 1010 0505 0001 3M02 606",
    "ES91 2100 0418 4502 0005 1332", "NL91 ABNA 0417 1643 00", "IT60X0542811101000000123456", "BE68 5390 0754 7034",
    "CH93 0076 2011 6238 5295 7", "AT611904300234573201", "IE29 AIBK 9311 5212 3456 78",
)  # fmt: skip
EMAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")

_MAILBOXES = (
    "amira.doyle", "ben.w", "carla_moreau", "d.kapoor88", "ellie-and-tom", "femi.okafor", "grace.h", "hannahq", "i.iqbal",
    "joanne.fenwick", "kofi", "lena.lindqvist+shop", "marcus77", "n.sandhu", "owen.pritchard", "priya.k", "rob.barlow",
    "sam.young", "tess.t", "zoe.rossi", "lucia.romero", "diego.castro", "camila_v", "wangmin", "liqiang2020", "zhouj",
)  # fmt: skip
_AREA_CODES = ("212", "305", "415", "503", "617", "702")

_SENTENCES = {
    ("email", "en"): (
        "You can reach me at {}.", "My email is {}, please answer there.", "Send the label to {} please.",
        "I registered with {} but the login mail never comes.", "Write to me: {}",
    ),
    ("email", "zh"): ("我的邮箱是{}，请回复。", "请发到 {} 谢谢。"),
    ("email", "es"): ("Mi correo es {}.", "Escríbanme a {} por favor."),
    ("phone", "en"): ("Call me on {} after five.", "My number is {}.", "You can text me: {}", "Phone: {}, any time before noon."),
    ("phone", "zh"): ("我的手机号是{}，请回电。", "联系电话：{}", "打我电话 {} 就行。"),
    ("phone", "es"): ("Mi teléfono es el {}.", "Llámenme al {} por la tarde.", "Mi móvil: {}"),
    ("card", "en"): (
        "The card is {}, expiry next year.", "You charged my card {}.", "Please remove card {} from my account.",
        "It was paid with {}.",
    ),
    ("card", "zh"): ("扣款的卡号是{}。", "我的卡号：{}"),
    ("card", "es"): ("La tarjeta es la {}.", "Me lo cargaron en la tarjeta {}."),
    ("iban", "en"): ("Please refund to {}.", "My IBAN is {}.", "Account for the refund: {}", "The money should go to {} ."),
    ("iban", "zh"): ("退款请打到 {} 。", "我的IBAN是 {} 。"),
    ("iban", "es"): ("Mi IBAN es {} .", "Hagan la devolución a {} ."),
}  # fmt: skip


@dataclass(frozen=True)
class Disclosure:
    """A sentence with one piece of personal data."""

    kind: str
    language: str
    sentence: str


def disclosures(counts: dict[str, int], rng: random.Random) -> list[Disclosure]:
    """Return as many sentences of each kind as asked for, in a mixed order. No e-mail address or phone comes twice."""
    mailboxes = rng.sample(_MAILBOXES, counts["email"])
    endings = rng.sample(range(100), counts["phone"])
    made = []
    for kind, count in counts.items():
        for i in range(count):
            language = ("en", "en", "es", "en", "zh")[i % 5]
            match kind:
                case "email":
                    piece = f"{mailboxes[i]}@{rng.choice(EMAIL_DOMAINS)}"
                case "phone":
                    piece = _phone(language, endings[i], rng)
                case "card":
                    piece = CARDS[i % len(CARDS)]
                case _:
                    piece = IBANS[i % len(IBANS)]
            made.append(Disclosure(kind, language, rng.choice(_SENTENCES[kind, language]).format(piece)))
    rng.shuffle(made)
    return made


def _phone(language: str, ending: int, rng: random.Random) -> str:
    if language == "zh":
        return rng.choice(["154 0000 01{:02}", "1540000 01{:02}", "154-0000-01{:02}", "+86 154 0000 01{:02}"]).format(
            ending
        )
    if language == "es":
        return rng.choice(["+34 790 000 1{:02}", "790 00 01 {:02}", "790-000-1{:02}"]).format(ending)
    area = rng.choice(_AREA_CODES)
    return rng.choice(["({}) 555-01{:02}", "{}-555-01{:02}", "+1 {} 555 01{:02}", "{}.555.01{:02}"]).format(
        area, ending
    )
