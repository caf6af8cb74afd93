"""Columns that several published tables have, with one meaning in all of them."""

from pipeline.table import DATE, LONG, STRING, Column

DOC_ID = Column("doc_id", STRING, "the corpus' id", False)
CONTENT_KEY = Column("content_key", STRING, "sha256 (hex) of the normalised text", False)
MODEL_KEY = Column("model_key", STRING, "fingerprint of everything that decides a score; see `models`", False)
CASCADE_KEY = Column(
    "cascade_key",
    STRING,
    "fingerprint of both models and settings of the cascade that decided sentiment; null without one",
)
EVENT_DATE = Column("event_date", DATE, "UTC day of the documents", False)
SOURCE = Column("source", STRING, "where the document came from; null where the corpus has none")
GROUP = Column("group_key", STRING, "the corpus' group (product, brand, ...); null where the corpus has none")
LANG = Column("lang", STRING, "language, ISO 639-1: declared by the corpus or identified; `und` where undecided", False)
N_DOCS = Column("n_docs", LONG, "documents", False)
N_EFFECTIVE = Column("n_effective", LONG, "distinct texts among them, near-duplicates counted once", False)
