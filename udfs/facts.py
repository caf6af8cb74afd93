"""Facts that plain sentences state, by rule: English and Chinese, precision before recall.

A clause counts only when all of it fits a pattern and its subject is one of the night's phrases. Questions, conditions and hopes
are passed over. Nothing is inferred, no pronoun resolved.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

import pyarrow as pa

from udfs.quiet import without_texts
from udfs.stop_words import stop_words

FACTS = pa.schema(
    [
        ("run_date", pa.date32()),
        ("lang", pa.string()),
        ("subject", pa.string()),
        ("relation", pa.string()),
        ("object", pa.string()),
        ("doc_id", pa.string()),
        ("content_key", pa.string()),
        ("n_docs", pa.int64()),
        ("clause", pa.string()),
    ]
)
"""One row per text and fact; `clause` is the part of the text that states it, as it stands there."""

Fact = tuple[str, str, str, str]
"""Subject, relation, object, clause."""

_SENTENCE = re.compile(r"[^.!?;。！？；\n]+[.!?;。！？；\n]*")
_CLAUSE = re.compile(r"[^,:()，：、（）]+")
_LEAD = re.compile(
    r"^(?:and|but|so|because|since|plus|also|yesterday|today|now|again|still|honestly|sadly)\s+", re.IGNORECASE
)
_UNSURE = re.compile(
    r"\b(?:if|unless|whether|would|could|should|might|may|maybe|perhaps|hope|wish|wonder|think|until|said|says|claim\w*|"
    r"thought|expect\w*|supposed|once|when|where|who|why|how|what)\b",
    re.IGNORECASE,
)
_UNSURE_ZH = re.compile("如果|要是|假如|是否|会不会|能不能|希望|可能|也许|应该|以为|吗|呢|怎么|什么|为什么|谁|哪")
_CONJUNCTION = re.compile(r"\s+(?:and|but|so|because|while|although|though|yet)\s+", re.IGNORECASE)
_DET = r"(?:(?:the|my|your|our|their|its|his|her|this|that|these|those|a|an|all)\s+)?"
_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"
_SUBJECT = rf"(?P<s>{_WORD}(?:\s{_WORD}){{0,2}}?)"
_HOW = r"(?:(?:so|very|too|really|just|still|now|completely|totally|absolutely|always|extremely|quite|pretty|already|simply)\s+)*"
_END = r"(?:\s+(?:again|now|today|anymore|any more|already|at all|either|too)|\s+(?:since|after|for|on|with|in|from|at)\s.*)?$"
_ENGLISH = (
    (rf"^{_DET}{_SUBJECT}\s+(?:is|are|was|were)\s+{_HOW}(?P<o>{_WORD})(?:\s+(?:again|now|today|already|too))?$", "is"),
    (rf"^{_DET}{_SUBJECT}\s+(?:(?:is|are|was|were)\s+not|(?:is|are|was|were)n['’]t)\s+{_HOW}(?P<o>{_WORD}){_END}", "is not"),
    (rf"^{_DET}{_SUBJECT}\s+(?:(?:does|do|did|will|can)\s+not|cannot|(?:does|do|did|wo|ca)n['’]t)\s+(?:even\s+)?"
     rf"(?P<o>{_WORD}(?:\s(?:properly|well))?){_END}", "does not"),
    (rf"^{_DET}{_SUBJECT}\s+(?:has\s+|have\s+|just\s+)*stopped\s+(?P<o>{_WORD}ing){_END}", "stopped"),
    (rf"^{_DET}{_SUBJECT}\s+(?:keeps|keep|kept)\s+(?P<o>{_WORD}ing){_END}", "keeps"),
    (rf"^(?:{_DET}|.*\b(?:with|of|the|my|a)\s+)(?P<s>{_WORD}(?:\s{_WORD}){{0,2}})\s+(?:right\s+)?after\s+{_DET}"
     rf"(?:(?:last|latest|new|recent)\s+)?(?P<o>{_WORD}(?:\s{_WORD}){{0,2}})$", "after"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), relation) for pattern, relation in _ENGLISH)
_NOT_A_PROPERTY = frozenset(
    "able about being due going gone here like supposed there trying where why what when how one same".split()
)
_CLAUSE_CHARS = 160


@cache
def _nouns() -> frozenset[str]:
    return frozenset(("n", "nz", "vn", "ns", "nt", "eng", "nr", "x", "v"))


def facts(text: str, lang: str, known: frozenset[str] | set[str]) -> list[Fact]:
    """Return the facts of a text in order, each once.

    Args:
        known: phrases that may be subjects (and what comes after `after`), words joined by spaces.
    """
    if lang not in ("en", "zh"):
        return []
    found: dict[tuple[str, str, str], str] = {}
    for sentence in _SENTENCE.findall(text):
        unsure = (_UNSURE if lang == "en" else _UNSURE_ZH).search(sentence)
        if unsure or sentence.rstrip()[-1:] in "?？":
            continue
        for clause in _clauses(sentence, lang):
            if 0 < len(clause) <= _CLAUSE_CHARS:
                for subject, relation, what in _english(clause, known) if lang == "en" else _chinese(clause, known):
                    found.setdefault((subject, relation, what), clause)
    return [(*key, clause) for key, clause in found.items()]


def _clauses(sentence: str, lang: str) -> list[str]:
    pieces = [p.strip(" .!?;。！？；\n\"'“”") for p in _CLAUSE.findall(sentence)]
    if lang == "zh":
        return pieces
    return [_LEAD.sub("", part.strip()) for piece in pieces for part in _CONJUNCTION.split(piece)]


def _english(clause: str, known: frozenset[str] | set[str]) -> Iterator[tuple[str, str, str]]:
    stops = stop_words("en")
    for pattern, relation in _PATTERNS:
        match = pattern.match(clause)
        if match is None:
            continue
        subject, what = (match[name].casefold().replace("’", "'") for name in ("s", "o"))
        if subject not in known:
            continue
        if relation == "after":
            if what in known and not set(subject.split()) & set(what.split()):
                yield subject, relation, what
        elif what.split()[0] not in stops.stops | stops.negations | _NOT_A_PROPERTY:
            yield subject, relation, what
        return


def _chinese(clause: str, known: frozenset[str] | set[str]) -> Iterator[tuple[str, str, str]]:
    import rjieba

    tagged = [(w.casefold(), tag) for w, tag in rjieba.tag(clause) if not w.isspace()]
    while tagged and tagged[-1][0] in ("了", "的", "啊", "呀"):
        tagged.pop()
    for size in (3, 2, 1):
        subject = " ".join(w for w, _ in tagged[:size])
        rest = tagged[size:]
        if len(tagged) <= size or subject not in known or not all(tag in _nouns() for _, tag in tagged[:size]):
            continue
        if rest[0][0] in ("后", "以后", "之后") and len(rest) > 1:
            what = " ".join(w for w, _ in rest[1:])
            if what in known:
                yield what, "after", subject
            return
        while rest and rest[0][0] in (
            "很",
            "太",
            "非常",
            "特别",
            "真",
            "都",
            "又",
            "也",
            "还",
            "实在",
            "十分",
            "总是",
            "已经",
        ):
            rest = rest[1:]
        words = [w for w, _ in rest]
        if len(rest) == 1 and rest[0][1] in ("a", "an"):
            yield subject, "is", words[0]
        elif len(rest) == 2 and words[0] == "不" and rest[1][1] in ("a", "an"):
            yield subject, "is not", words[1]
        elif (
            len(rest) == 2
            and words[0] in ("不", "无法", "不能", "没法", "没有", "没")
            and rest[1][1] in ("v", "vn", "vi")
        ):
            yield subject, "does not", words[1]
        return


def make_facts(
    vocabulary: dict[tuple[object, str], list[str]],
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: run_date, lang, doc_id, content_key, n_docs, text in; `FACTS` out."""

    def extract(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        known = {key: frozenset(names) for key, names in vocabulary.items()}
        for batch in batches:
            rows = []
            for row in batch.select(["run_date", "lang", "doc_id", "content_key", "n_docs", "text"]).to_pylist():
                words = known.get((row["run_date"], row["lang"]))
                for subject, relation, what, clause in (
                    facts(row.pop("text") or "", row["lang"], words) if words else []
                ):
                    rows.append({**row, "subject": subject, "relation": relation, "object": what, "clause": clause})
            yield pa.RecordBatch.from_pylist(rows, schema=FACTS)

    return without_texts(extract)
