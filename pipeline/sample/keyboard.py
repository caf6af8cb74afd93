"""How a message is typed: slips, lower case, missing accents and marks. Takes a clean text and a random generator."""

import random
import re

_MISSPELT = {
    "definitely": "definately", "received": "recieved", "because": "becuase", "really": "realy", "disappointed": "dissapointed",
    "separately": "seperately", "until": "untill", "tomorrow": "tommorow", "their": "thier", "which": "wich",
    "again": "agian", "recommend": "reccomend", "immediately": "immediatly", "terrible": "terible", "embarrassing": "embarassing",
}  # fmt: skip
_CHAT_SHORT = {
    "you": "u", "your": "ur", "please": "pls", "because": "bc", "thanks": "thx", "are": "r", "people": "ppl", "about": "abt",
    "with": "w", "something": "smth", "message": "msg",
}  # fmt: skip
_ACCENTS = str.maketrans("áéíóúÁÉÍÓÚ", "aeiouAEIOU")
_WORD = re.compile(r"(?<![\w@#/.-])[a-z]{5,}(?![\w@.-])")


def with_slips(text: str, rng: random.Random) -> str:
    """Misspell one to three words: a usual misspelling where one fits, else a swapped, lost or doubled letter."""
    known = [wrong for wrong in sorted(_MISSPELT) if wrong in text]
    if known and rng.random() < 0.6:
        word = rng.choice(known)
        text = text.replace(word, _MISSPELT[word], 1)
    for _ in range(rng.choice([1, 1, 1, 2])):
        words = list(_WORD.finditer(text))
        if not words:
            return text
        found = rng.choice(words)
        text = text[: found.start()] + _slip(found[0], rng) + text[found.end() :]
    return text


def _slip(word: str, rng: random.Random) -> str:
    i = rng.randrange(2, len(word) - 1)
    kind = rng.random()
    if kind < 0.45 and word[i] != word[i + 1]:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if kind < 0.75:
        return word[:i] + word[i + 1 :]
    return word[:i] + word[i] + word[i:]


def without_apostrophes(text: str) -> str:
    """`don't` -> `dont`."""
    return re.sub(r"(?<=[a-z])'(?=(?:t|s|m|re|ve|ll|d)\b)", "", text)


def in_lower_case(text: str) -> str:
    """All small letters, but for handles, order numbers and words in capitals, and no full stop at the end."""
    words = re.split(r"(\s+)", text)
    small = "".join(w if w.isupper() and len(w) > 3 else w.lower() for w in words)
    return re.sub(r"\.$", "", small).replace("lf-", "LF-")


def run_on(text: str, rng: random.Random) -> str:
    """Sentences run into each other, as people type on a phone."""
    link = rng.choice([" ", " ", ", ", ", ", "... ", " - "])
    return re.sub(r"(?<=[a-z])\. ([A-Z])(?=[a-z])", lambda m: link + m[1].lower(), text)


def as_chat(text: str, rng: random.Random) -> str:
    """Some words shortened: `u`, `pls`, `thx`."""
    return re.sub(
        r"\b[A-Za-z]+\b",
        lambda m: _CHAT_SHORT[m[0].lower()] if m[0].lower() in _CHAT_SHORT and rng.random() < 0.7 else m[0],
        text,
    )


def as_spanish_chat(text: str, rng: random.Random) -> str:
    """No opening marks; often no accents, `q` for `que`, small letters."""
    text = text.replace("¿", "").replace("¡", "")
    if rng.random() < 0.5:
        text = text.translate(_ACCENTS)
    if rng.random() < 0.3:
        text = re.sub(r"\bque\b", "q", text)
    return in_lower_case(text) if rng.random() < 0.6 else text


def as_chinese_chat(text: str, rng: random.Random) -> str:
    """Blanks or nothing for full stops, marks doubled."""
    if rng.random() < 0.5:
        text = re.sub("[。，](?=.)", " ", text)
    if rng.random() < 0.3:
        text = text.replace("！", rng.choice(["！！", "！！！", "!!", "～"]))
    return re.sub("。$", "", text)
