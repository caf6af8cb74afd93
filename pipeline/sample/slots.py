"""The values of `{name}` in phrases: names, places, dates, order numbers. All are made up."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

_STEADY = ("box", "city", "firstname", "handset", "name", "order", "price", "relative", "signer", "ticket", "version")
"""Stay the same within a message."""

_MAJOR_VERSION = {
    "Heron Router": 5, "Owl Doorbell": 3, "Puffin Vacuum": 2, "Finch Buds": 4, "Wren Watch": 8, "Kite Scooter": 2,
    "Magpie Bank": 11, "Quail Kitchen": 6, "Plover Mobile": 9,
}  # fmt: skip

_PRICES = {
    "Heron Router": (129, 349), "Owl Doorbell": (79, 199), "Puffin Vacuum": (249, 599), "Finch Buds": (69, 189),
    "Wren Watch": (149, 389), "Kite Scooter": (189, 549), "Magpie Bank": (120, 980), "Quail Kitchen": (39, 98),
    "Plover Mobile": (64, 320),
}  # fmt: skip
"""What a customer pays, or has at stake, in whole dollars, pounds or euros."""

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "city": "Leeds|Austin|Toronto|Dublin|Bristol|Portland|Melbourne|Chicago|Glasgow|Denver|Auckland|Manchester|Tucson|Cork|"
        "Halifax|Brisbane|Pittsburgh|Cardiff|Sacramento|Ottawa|Norwich|Galway|Perth|Boise|Sheffield|Lisbon|Berlin|Vienna",
        "firstname": "Amira|Ben|Carla|Dev|Ellie|Femi|Grace|Hannah|Imran|Joanne|Kofi|Lena|Marcus|Nadia|Owen|Priya|Rob|Sam|"
        "Tess|Zoe",
        "last": "Abbott|Barlow|Chaudhry|Doyle|Eriksen|Fenwick|Gallagher|Hughes|Iqbal|Jensen|Kapoor|Lindqvist|Moreau|Nwosu|Okafor|"
        "Pritchard|Quinn|Rossi|Sandhu|Thornton|Underhill|Vasquez|Whitlock|Young",
        "handset": "iPhone 14|iPhone 15 Pro|iPhone 16|Pixel 8|Pixel 9a|Galaxy S23|Galaxy A54|Galaxy S24|OnePlus 12|Xperia 10",
        "relative": "brother|sister|dad|mum|neighbour|colleague|girlfriend|boyfriend|daughter|son|flatmate|cousin|aunt",
        "weekday": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        "month": "January|February|March|April|May|June|July|August|September|Feb|Aug",
        "hour": "6 this morning|7am|half past seven|8 am|nine o'clock|6:40|5 in the morning",
        "man_or_woman": "man|woman|lady",
        "week_or_month": "week|month|fortnight",
        "second_third": "second|third|fourth",
    },
    "zh": {
        "city": "杭州|成都|广州|武汉|南京|西安|厦门|长沙|青岛|苏州|昆明|大连|重庆|郑州|深圳",
        "firstname": "小李|小陈|小周|小赵|小林|小吴|阿明|小郑",
        "name": "王敏|李强|张婷|刘洋|陈晓东|杨帆|赵雪|黄磊|周洁|吴昊|徐丽|孙鹏|马晓燕|林子涵|何俊|郭静|高远|罗文",
        "handset": "小米14|华为Mate 60|iPhone 15|OPPO Find X7|vivo X100|荣耀90|iPhone 13|红米K70",
        "relative": "妈|爸|老公|老婆|同事|室友|表姐",
        "month": "一月|三月|五月|六月|七月|八月|九月|4月|8月",
    },
    "es": {
        "city": "Sevilla|Valencia|Bogotá|Rosario|Guadalajara|Montevideo|Lima|Bilbao|Málaga|Quito|Monterrey|Zaragoza|Córdoba|"
        "Medellín|Santiago|Mendoza|Vigo",
        "firstname": "Lucía|Marta|Diego|Nico|Camila|Andrés|Sofía|Pablo|Inés|Rubén",
        "last": "García|Romero|Ibáñez|Castro|Peralta|Quiroga|Molina|Vargas|Serrano|Navarro|Ríos|Medina|Ortega|Salas",
        "handset": "iPhone 14|Galaxy A54|Redmi Note 13|Moto G84|iPhone 12|Pixel 8|Galaxy S23",
        "relative": "hermano|cuñada|madre|padre|vecino|compañera|pareja|hija|primo",
        "weekday": "lunes|martes|miércoles|jueves|viernes|sábado|domingo",
        "month": "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre",
    },
}
_MONTHS_ES = ("septiembre", "octubre")


def values(language: str, rng: random.Random, moment: datetime, product: str) -> Callable[[str], str]:
    """Return the look-up of one message written at `moment`."""
    words = {name: options.split("|") for name, options in _WORDS[language].items()}
    currency = rng.choice("$$£€€") if language == "en" else ""
    steady: dict[str, str] = {}

    def draw(name: str) -> str:
        if name in words:
            return rng.choice(words[name])
        if name in ("name", "signer"):
            first = rng.choice(words.get("firstname", words.get("name", [])))
            return f"{first} {rng.choice(words['last'])}" if name == "name" else first
        if name in ("price", "fee", "monthly", "box"):
            return _money(language, name, rng, currency, product)
        return _number(language, name, rng, moment, product)

    def value(name: str) -> str:
        if name not in _STEADY:
            return draw(name)
        if name not in steady:
            steady[name] = draw(name)
        return steady[name]

    return value


def _number(language: str, name: str, rng: random.Random, moment: datetime, product: str) -> str:
    match name:
        case "date":
            return _date(language, rng, moment - timedelta(days=rng.randint(3, 26)))
        case "order":
            return f"LF-{rng.randint(310_000, 489_999)}"
        case "ticket":
            return rng.choice(["#{}", "T-{}", "#{}", "{}"]).format(rng.randint(40_000, 98_999))
        case "version":
            return f"{_MAJOR_VERSION[product]}.{rng.randint(0, 9)}" + rng.choice(["", f".{rng.randint(0, 4)}"])
        case "year":
            return str(rng.randint(2019, 2025))
        case "nth" | "nth_early" | "nth_late":
            low, high = {"nth": (4, 28), "nth_early": (2, 12), "nth_late": (15, 28)}[name]
            return _ordinal(rng.randint(low, high))
    raise KeyError(f"no value named {name} in {language}")


def _ordinal(day: int) -> str:
    return f"{day}" + ("th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th"))


def _date(language: str, rng: random.Random, day: datetime) -> str:
    if language == "zh":
        return rng.choice([f"{day.month}月{day.day}号", f"{day.month}月{day.day}日", f"{day.month}.{day.day}"])
    if language == "es":
        return rng.choice([f"{day.day} de {_MONTHS_ES[day.month - 9]}", f"{day.day}/{day.month}"])
    month = {9: "September", 10: "October"}[day.month]
    return rng.choice(
        [
            f"{day.day} {month}",
            f"{month} {day.day}",
            f"{day.day} {month[:3]}",
            f"{month[:3]} {_ordinal(day.day)}",
            f"{day:%d/%m}",
        ]
    )


def _money(language: str, name: str, rng: random.Random, currency: str, product: str) -> str:
    low, high = {"price": _PRICES[product], "fee": (2, 19), "monthly": (9, 34), "box": (39, 98)}[name]
    amount = rng.randint(low, high)
    if language == "zh":
        return f"{amount * (5 if name == 'price' else 3)}{rng.choice(['块', '元'])}"
    if language == "es":
        return f"{amount}{',99' if name == 'fee' else ''} {rng.choice(['€', 'euros'])}"
    return f"{currency}{amount}" + (rng.choice([".99", ".50"]) if name == "fee" else "")
