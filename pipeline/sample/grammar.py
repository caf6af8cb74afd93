"""The notation in which the phrase material is written, and filling a phrase with choices and values.

    # Heron Router/negative/dropouts      a cell: product (or scope), polarity, theme (or place in the message)
    - The wifi [drops|dies] at {hour}.    a lead: can stand alone or begin a message
    + Tried {2-6} times.                  more: only makes sense after a lead
    ! No internet AGAIN                   a whole short message
      an indented line continues the one above

`[a|b|]` chooses one of the alternatives, the last one here being nothing; brackets may be nested. `{2-6}` is a number of that
range, `{name}` a value. `\\n` is a line break.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

Key = tuple[str, str, str]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"\{(\d+)-(\d+)\}")
_VALUE = re.compile(r"\{([a-z_]+)\}")
_WIDE_END = re.compile(r"[，。！？、；：|（）【】]$")


@dataclass
class Cell:
    """Phrases of one key, in the order they are written."""

    leads: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    shorts: list[str] = field(default_factory=list)


Material = dict[Key, Cell]


def parse(*texts: str) -> Material:
    """Read material in the notation above; a key may come once."""
    material: Material = {}
    cell = Cell()
    phrases = cell.leads
    for line in (line for text in texts for line in text.strip().split("\n")):
        if line.startswith("# "):
            product, polarity, theme = line[2:].split("/")
            if (product, polarity, theme) in material:
                raise ValueError(f"{line}: written twice")
            cell = material[product, polarity, theme] = Cell()
        elif line.startswith("  "):
            phrases[-1] += ("" if _WIDE_END.search(phrases[-1]) else " ") + line.strip()
        else:
            phrases = {"-": cell.leads, "+": cell.more, "!": cell.shorts}[line[0]]
            phrases.append(line[2:])
    return material


def fill(phrase: str, rng: random.Random, value: Callable[[str], str]) -> str:
    """Choose alternatives, draw numbers, look values up, and tidy the blanks that empty alternatives leave."""
    while _CHOICE.search(phrase):
        phrase = _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), phrase, count=1)
    phrase = _RANGE.sub(lambda m: str(rng.randint(int(m[1]), int(m[2]))), phrase)
    phrase = _VALUE.sub(lambda m: value(m[1]), phrase)
    phrase = re.sub(r" +", " ", phrase).replace("\\n", "\n")
    return re.sub(r" ([,.!?])(?=\s|$)", r"\1", phrase).strip()
