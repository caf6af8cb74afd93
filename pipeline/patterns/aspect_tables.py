"""The tables `doc_aspects`, `aspect_daily` and `aspect_cells_daily`."""

from pipeline.columns import EVENT_DATE, MODEL_KEY
from pipeline.table import DOUBLE, EVIDENCE, INT, LONG, STRING, Column, Table

_LANG = Column("lang", STRING, "language of the documents, ISO 639-1, or `und`", False)
_ASPECT = Column(
    "aspect", STRING, "name of a given aspect; else a phrase of `keyphrases_daily` of the night and language", False
)
_ASPECT_SOURCE = Column("aspect_source", STRING, "`given` by the configuration, or `mined` from the night", False)

DOC_ASPECTS = Table(
    "doc_aspects",
    "One row per document and aspect it mentions: the sentiment of the sentences that mention it, and one of them as evidence.",
    (
        Column("doc_id", STRING, "the corpus' id", False),
        EVENT_DATE,
        _LANG,
        _ASPECT,
        _ASPECT_SOURCE,
        Column("sentiment", STRING, "`negative`, `neutral` or `positive`: the likeliest of the mean probabilities", False),
        Column("sentiment_score", DOUBLE, "mean P(positive) - P(negative) of the sentences, -1 to 1", False),
        Column("sentiment_confidence", DOUBLE, "mean probability of the label, 0 to 1", False),
        Column("n_sentences", INT, "scored sentences that mention it, at most `patterns.aspects.max_sentences`", False),
        Column("quote", STRING, "of these sentences the one that says so most clearly; personal data is masked", False),
        Column("start", INT, "where the sentence begins in the normalised text, in characters from 0, before masking", False),
        Column("end", INT, "where it ends, excluded", False),
        Column("sentiment_model", STRING, "name of the head that judged the quoted sentence; see `models`", False),
        MODEL_KEY,
        Column("sentiment_model_key", STRING, "the model whose sentiment of the quoted sentence this is", False),
    ),
    key=("doc_id", "aspect_source", "aspect"),
)  # fmt: skip

ASPECT_DAILY = Table(
    "aspect_daily",
    "Sentiment towards an aspect per day, group and language. n_effective = n_negative + n_neutral + n_positive.",
    (
        EVENT_DATE,
        Column("group_key", STRING, "the corpus' group (product, brand, ...); null where the corpus has none"),
        _LANG,
        _ASPECT,
        _ASPECT_SOURCE,
        Column("n_docs", LONG, "documents that mention it", False),
        Column("n_effective", LONG, "distinct texts among them, near-duplicates counted once: what follows is of these", False),
        Column("n_negative", LONG, "texts negative about it", False),
        Column("n_neutral", LONG, "texts neutral about it", False),
        Column("n_positive", LONG, "texts positive about it", False),
        Column("share_negative", DOUBLE, "n_negative / n_effective", False),
        Column("ci_low", DOUBLE, "lower end of the Wilson 95 % interval of share_negative", False),
        Column("ci_high", DOUBLE, "upper end of the Wilson 95 % interval of share_negative", False),
        Column("mean_score", DOUBLE, "mean sentiment_score towards it, -1 to 1", False),
        Column("evidence", EVIDENCE, "up to three texts that are clearest about it; personal data in quotes is masked", False),
        MODEL_KEY,
        Column("cascade_key", STRING, "fingerprint of the cascade that decided sentiment; null without one"),
    ),
    key=("event_date", "group_key", "lang", "aspect_source", "aspect"),
)  # fmt: skip

ASPECT_CELLS_DAILY = Table(
    "aspect_cells_daily",
    "Additive counts per given aspect, source, group, language and topic: what series of aspects are made of. A text is counted "
    "once a night and aspect. An aspect that was looked for and not found has a row of zeros; without a row it was not sought.",
    (
        Column("aspect", STRING, "name of the given aspect", False),
        Column("definition", STRING, "fingerprint of its terms and of how far texts are read; each has its own series", False),
        Column("source", STRING, "where the documents came from; null where the corpus has none"),
        Column("group_key", STRING, "the corpus' group; null where the corpus has none"),
        Column("lang", STRING, "language, ISO 639-1 or `und`; null in a row of zeros"),
        Column("topic_id", LONG, "topic; null where there is none"),
        Column("n_docs", LONG, "documents that mention it and have a sentiment towards it", False),
        Column("n_effective", LONG, "distinct texts among them, near-duplicates counted once", False),
        Column("n_negative", LONG, "texts negative about it", False),
    ),
    key=("aspect", "source", "group_key", "lang", "topic_id"),
)  # fmt: skip
