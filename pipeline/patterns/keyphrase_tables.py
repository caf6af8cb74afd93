"""The tables `phrase_counts` and `keyphrases_daily`."""

from pipeline.table import DATE, DOUBLE, EVIDENCE, INT, LONG, STRING, Column, Table

_PHRASE = Column("phrase", STRING, "one to three words in lower case, joined by spaces (Chinese words too)", False)
_LANG = Column("lang", STRING, "language of the texts, ISO 639-1, or `und`", False)
_N_DOCS = Column("n_docs", LONG, "documents with the phrase", False)
_N_EFFECTIVE = Column("n_effective", LONG, "distinct texts among them", False)
_N_TEXTS = Column("n_texts", LONG, "distinct texts of the night in this language", False)

PHRASE_COUNTS = Table(
    "phrase_counts",
    "How many texts of a night hold a phrase: the most frequent ones, the history that later nights are compared with.",
    (
        _PHRASE,
        _LANG,
        _N_DOCS,
        _N_EFFECTIVE,
        _N_TEXTS,
        Column(
            "n_hidden_max",
            LONG,
            "a phrase of this language without a row stood in at most so many distinct texts",
            False,
        ),
    ),
    key=("lang", "phrase"),
)

KEYPHRASES_DAILY = Table(
    "keyphrases_daily",
    "The phrases that stand for themselves in a night's texts, and how they compare with the nights before.",
    (
        Column("event_date", DATE, "UTC day of the documents", False),
        _PHRASE,
        Column("display", STRING, "the phrase as it is written most often", False),
        _LANG,
        Column("n_words", INT, "words of the phrase, 1 to 3", False),
        _N_DOCS,
        _N_EFFECTIVE,
        _N_TEXTS,
        Column("share", DOUBLE, "n_effective / n_texts", False),
        Column(
            "score",
            DOUBLE,
            "C-value: log2(n_words + 1) * (n_effective - mean n_effective of longer phrases around it)",
            False,
        ),
        Column(
            "g2", DOUBLE, "log-likelihood ratio of the words' standing together; 10.83 is p = 0.001; null for one word"
        ),
        Column("npmi", DOUBLE, "normalised pointwise mutual information of the words, -1 to 1; null for one word"),
        Column("n_history", LONG, "distinct texts of the nights before with the phrase, at most; null without history"),
        Column("n_history_texts", LONG, "distinct texts of the nights before in this language; null without history"),
        Column("history_nights", LONG, "nights before that were looked at", False),
        Column("expected", DOUBLE, "n_texts * n_history / n_history_texts; null without history"),
        Column("burst", DOUBLE, "(n_effective + 0.5) / (expected + 0.5); null without history"),
        Column("topic_id", LONG, "the topic of at least half of the texts with the phrase; null where there is none"),
        Column("mean_sentiment", DOUBLE, "mean sentiment_score of the texts with the phrase; null where none has one"),
        Column("evidence", EVIDENCE, "up to three documents with the phrase; personal data in quotes is masked", False),
    ),
    key=("lang", "phrase"),
)
