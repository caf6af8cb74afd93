"""The tables `doc_labels` and `labels_daily`."""

from pipeline.columns import EVENT_DATE
from pipeline.table import DOUBLE, LONG, STRING, Column, Table

_TASK = Column("task", STRING, "what the labels say; the name in `model.heads`", False)
_LABEL = Column("label", STRING, "the likeliest label; null: none of these")
_HEAD = Column("head", STRING, "name of the head; see `models`", False)
_MODEL_KEY = Column("model_key", STRING, "the model whose vectors were read; see `models`", False)

DOC_LABELS = Table(
    "doc_labels",
    "One row per document and head of `model.heads` that covers its language: a label of one's own.",
    (
        Column("doc_id", STRING, "the corpus' id", False),
        EVENT_DATE,
        _TASK,
        _LABEL,
        Column("probability", DOUBLE, "probability of the likeliest label, also where none is given, 0 to 1", False),
        _HEAD,
        Column("head_revision", STRING, "beginning of the sha256 of the head's weights", False),
        _MODEL_KEY,
    ),
    key=("doc_id", "task"),
)

LABELS_DAILY = Table(
    "labels_daily",
    "How many documents have a label, per day, group and language.",
    (
        EVENT_DATE,
        Column("group_key", STRING, "the corpus' group (product, brand, ...); null where the corpus has none"),
        Column("lang", STRING, "language of the documents, ISO 639-1, or `und`", False),
        _TASK,
        _LABEL,
        _HEAD,
        Column("n_docs", LONG, "documents with the label", False),
        Column("n_effective", LONG, "distinct texts among them, near-duplicates counted once, with their first document", False),
        Column("share", DOUBLE, "n_effective over the distinct texts of the day, group, language and task", False),
        Column("ci_low", DOUBLE, "lower end of the Wilson 95 % interval of share", False),
        Column("ci_high", DOUBLE, "upper end of the Wilson 95 % interval of share", False),
        Column("mean_sentiment", DOUBLE, "mean sentiment_score of those n_effective texts that have one, -1 to 1"),
        _MODEL_KEY,
    ),
    key=("event_date", "group_key", "lang", "task", "label"),
)  # fmt: skip
