"""The tables `concept_graph` and `facts`."""

from pipeline.table import DOUBLE, EVIDENCE, LONG, STRING, Column, Table

_LANG = Column("lang", STRING, "language of the texts", False)

CONCEPT_GRAPH = Table(
    "concept_graph",
    "Edges between keyphrases that stand in the same text more often than chance has it.",
    (
        _LANG,
        Column(
            "source",
            STRING,
            "a phrase of `keyphrases_daily`, the first of the two in order; edges have no direction",
            False,
        ),
        Column("target", STRING, "the other phrase", False),
        Column("n_docs", LONG, "documents with both", False),
        Column("n_effective", LONG, "distinct texts with both", False),
        Column("n_source", LONG, "distinct texts with source", False),
        Column("n_target", LONG, "distinct texts with target", False),
        Column("n_texts", LONG, "distinct texts of the night in this language", False),
        Column("npmi", DOUBLE, "normalised pointwise mutual information, -1 to 1", False),
        Column(
            "mean_sentiment", DOUBLE, "mean sentiment_score of the distinct texts with both; null where none has one"
        ),
        Column("p_value", DOUBLE, "Fisher's exact test, one-sided", False),
        Column("q_value", DOUBLE, "Benjamini-Hochberg over all pairs of the night's nodes in this language", False),
        Column("community", STRING, "the community of both ends, by its weightiest phrase; null where they are in two"),
    ),
    key=("lang", "source", "target"),
)

FACTS = Table(
    "facts",
    "What texts say in plain sentences, found by rules: each said in at least two distinct texts.",
    (
        _LANG,
        Column("subject", STRING, "a phrase of `keyphrases_daily`", False),
        Column("relation", STRING, "`is`, `is not`, `does not`, `stopped`, `keeps` or `after`", False),
        Column("object", STRING, "one to three words in lower case, joined by spaces", False),
        Column("n_docs", LONG, "documents that say so", False),
        Column("n_effective", LONG, "distinct texts among them", False),
        Column("n_against", LONG, "distinct texts that say the opposite (`is` against `is not`)", False),
        Column("confidence", DOUBLE, "n_effective / (n_effective + n_against)", False),
        Column(
            "evidence", EVIDENCE, "up to three documents; the quote holds the sentence; personal data is masked", False
        ),
    ),
    key=("lang", "subject", "relation", "object"),
)
