"""Every published table as code: names, types, meaning, and which columns identify a row.

`docs/tables.md` is generated from this module (`python -m pipeline.tables_doc`). All times are UTC.
"""

from pyspark.sql import types as T

from pipeline.columns import (
    CASCADE_KEY,
    CONTENT_KEY,
    DOC_ID,
    EVENT_DATE,
    GROUP,
    LANG,
    MODEL_KEY,
    N_DOCS,
    N_EFFECTIVE,
    SOURCE,
)
from pipeline.label_tables import DOC_LABELS, LABELS_DAILY
from pipeline.patterns.aspect_tables import ASPECT_CELLS_DAILY, ASPECT_DAILY, DOC_ASPECTS
from pipeline.patterns.concept_tables import CONCEPT_GRAPH, FACTS
from pipeline.patterns.dup_group_tables import DUP_GROUPS
from pipeline.patterns.keyphrase_tables import KEYPHRASES_DAILY, PHRASE_COUNTS
from pipeline.patterns.movement_tables import ANOMALIES, CELLS_DAILY, TREND_DRIVERS, TRENDS
from pipeline.patterns.rule_tables import ASSOCIATION_RULES
from pipeline.run_schemas import CASCADE_REPORT, MODEL_BRIDGE, MODELS, QUALITY_CHECKS, RUN_STAGES, RUNS
from pipeline.table import (
    BOOLEAN,
    DATE,
    DOUBLE,
    EVIDENCE,
    INT,
    LONG,
    LONGS,
    PHRASES,
    STRING,
    TIMESTAMP,
    VECTOR,
    Column,
    Table,
)

SENTIMENTS = ("negative", "neutral", "positive")

DOC_SCORES = Table(
    "doc_scores",
    "One row per accepted document: language, sentiment, topic, and how much of the text the model saw.",
    (
        DOC_ID,
        SOURCE,
        GROUP,
        Column("event_ts", TIMESTAMP, "the document's time, UTC", False),
        EVENT_DATE,
        CONTENT_KEY,
        LANG,
        Column("lang_confidence", DOUBLE, "confidence of the identification, 0 to 1; 1 where declared", False),
        Column("n_chars", INT, "characters of the normalised text", False),
        Column(
            "n_tokens", INT, "tokens of the text up to input.max_chars characters; null where nothing was tokenised"
        ),
        Column("n_chunks", INT, "pieces the model read; null where nothing was tokenised"),
        Column("coverage", DOUBLE, "share of the text that reached the model, 0 to 1", False),
        Column("sentiment", STRING, "`negative`, `neutral` or `positive`; null where `error_code` is set"),
        Column("sentiment_score", DOUBLE, "P(positive) - P(negative), -1 to 1"),
        Column("sentiment_confidence", DOUBLE, "probability of the label, 0 to 1"),
        Column("sentiment_model", STRING, "name of the head that gave the label; see `models`"),
        Column(
            "topic_id",
            LONG,
            "nearest topic; see `topics`; null where `error_code` is set, or before there is a topic model",
        ),
        Column("topic_distance", DOUBLE, "1 - cosine to the topic's centroid, 0 to 2"),
        Column(
            "is_other",
            BOOLEAN,
            "farther from the topic than its usual distance (see `topics`): not quite of its kind; null without a topic",
        ),
        Column(
            "is_canonical",
            BOOLEAN,
            "first document of the night with this text and declared language; the others are its exact duplicates",
            False,
        ),
        Column(
            "dup_group_id",
            STRING,
            "the group of near-duplicates of the night the text is in; see `dup_groups`; null where it stands alone",
        ),
        Column(
            "from_cache",
            BOOLEAN,
            "the result, be it a score or an `error_code`, was not computed in this run for this document's text and night",
            False,
        ),
        MODEL_KEY,
        Column(
            "sentiment_model_key",
            STRING,
            "the model whose sentiment this is; equals `model_key` unless a cascade gave the text to its full model",
            False,
        ),
        Column(
            "error_code",
            STRING,
            "why there is no score: `LANG_UNSUPPORTED`, `NON_FINITE`, `MODEL`, `TOKENISE`, `WORKER_CRASH`, `WORKER_HANG`; null "
            "where scored",
        ),
    ),
    key=("doc_id",),
    volatile=("from_cache",),
)

DOC_EMBEDDINGS = Table(
    "doc_embeddings",
    "One row per scored document: its vector.",
    (
        DOC_ID,
        CONTENT_KEY,
        Column("embedding", VECTOR, "unit vector", False),
        Column("dim", INT, "length of the vector", False),
        MODEL_KEY,
    ),
    key=("doc_id",),
)

REJECTS = Table(
    "rejects",
    "One row per document of the corpus that could not be accepted, with the reason and the raw value.",
    (
        Column("doc_id", STRING, "the corpus' id; null where it has none"),
        Column(
            "reason",
            STRING,
            "`null_id`, `null_time`, `invalid_utf8`, `empty_text`, `too_long` or `duplicate_id`",
            False,
        ),
        Column("rejected_column", STRING, "the corpus column at fault", False),
        Column("raw_text", STRING, "the text as read; invalid UTF-8 replaced by U+FFFD"),
        Column(
            "raw_bytes", T.BinaryType(), "the exact bytes of the column at fault, only where they are not valid UTF-8"
        ),
        Column("event_ts", TIMESTAMP, "the document's time, UTC"),
        SOURCE,
        GROUP,
        Column("file", STRING, "the file it came from", False),
    ),
    key=(),
)

SENTIMENT_DAILY = Table(
    "sentiment_daily",
    "Sentiment per day, source, group, language and topic: one row for each of the three labels, also where none was found.",
    (
        EVENT_DATE,
        SOURCE,
        GROUP,
        LANG,
        Column("topic_id", LONG, "topic; null for documents without one"),
        Column("sentiment", STRING, "`negative`, `neutral` or `positive`", False),
        Column("n_docs", LONG, "scored documents of the cell with this label", False),
        Column("n_effective", LONG, "distinct texts among them, near-duplicates counted once", False),
        Column("n_scored", LONG, "scored documents of the cell, all labels", False),
        Column("n_unscored", LONG, "documents of the cell without a score (see doc_scores.error_code)", False),
        Column("share_raw", DOUBLE, "n_docs / n_scored; null where nothing was scored"),
        Column("ci_low", DOUBLE, "lower end of the Wilson 95 % interval of share_raw"),
        Column("ci_high", DOUBLE, "upper end of the Wilson 95 % interval of share_raw"),
        Column("mean_score", DOUBLE, "mean sentiment_score of the cell, all labels"),
        MODEL_KEY,
        CASCADE_KEY,
    ),
    key=("event_date", "source", "group_key", "lang", "topic_id", "sentiment"),
)

TOPICS = Table(
    "topics",
    "The topics of the night's topic model, with label, keyphrases and example documents.",
    (
        Column("topic_id", LONG, "topic: the same theme on every night, never used for another", False),
        Column("label", STRING, "the best keyphrases, joined by ` / `", False),
        Column("label_source", STRING, "how the label was made: `ctfidf`", False),
        Column("keyphrases", PHRASES, "phrases with their class-based TF-IDF weight, best first", False),
        Column(
            "label_fit",
            DOUBLE,
            "share of members not used for the label that its keyphrases match better than any other topic's; null for too few",
        ),
        Column("coherence", DOUBLE, "mean NPMI of the pairs of keyphrases in those members of all topics, -1 to 1"),
        N_DOCS,
        N_EFFECTIVE,
        Column("n_other", LONG, "of n_docs, those beyond usual_distance (doc_scores.is_other)", False),
        Column("centroid", VECTOR, "unit vector", False),
        Column("usual_distance", DOUBLE, "topic_distance that topics.usual_share of the fitted texts kept to", False),
        Column("parent_topic_id", LONG, "largest topic of its group, itself perhaps; null for a dormant topic"),
        Column("first_seen", DATE, "first night of the topic model that brought the topic up", False),
        Column("last_seen", DATE, "last night with documents of it, up to this one; null where there was none"),
        Column("status", STRING, "`active`; `dormant`: no longer a theme of its own, no document has it", False),
        Column(
            "evidence",
            EVIDENCE,
            "documents of the night nearest to the centroid; personal data in quotes is masked",
            False,
        ),
        Column("topic_model_key", STRING, "fingerprint of the topic model", False),
        MODEL_KEY,
    ),
    key=("topic_id",),
)

TOPICS_DAILY = Table(
    "topics_daily",
    "Volume and mean sentiment per day and topic.",
    (
        EVENT_DATE,
        Column("topic_id", LONG, "active topic", False),
        N_DOCS,
        N_EFFECTIVE,
        Column("n_other", LONG, "of n_docs, those farther from the topic than usual (doc_scores.is_other)", False),
        Column("share", DOUBLE, "share of the day's documents that have a topic; null where none has"),
        Column("ci_low", DOUBLE, "lower end of the Wilson 95 % interval of share"),
        Column("ci_high", DOUBLE, "upper end of the Wilson 95 % interval of share"),
        Column("mean_sentiment", DOUBLE, "mean sentiment_score; null where n_docs is 0"),
        Column("topic_model_key", STRING, "fingerprint of the topic model", False),
        MODEL_KEY,
        CASCADE_KEY,
    ),
    key=("event_date", "topic_id"),
)

TOPIC_LINEAGE = Table(
    "topic_lineage",
    "What became of the topics where a new topic model took force: rows on its first night only, one or more per active topic.",
    (
        Column("event", STRING, "`born`, `continued`, `merged`, `split`, `dormant` or `revived`", False),
        Column("from_topic_ids", LONGS, "topics of the model before; empty for a birth", False),
        Column("to_topic_ids", LONGS, "topics of the new model; empty where the topic went dormant", False),
        Column(
            "overlap",
            DOUBLE,
            "continued, revived, born: Jaccard index of the texts (born: the largest); merged: share taken over; split: share "
            "that was the old topic's; dormant: share of all texts; null at the first fit",
        ),
        Column("similarity", DOUBLE, "cosine of the centroids; null where there is only one"),
        Column("topic_model_key", STRING, "fingerprint of the new topic model", False),
        MODEL_KEY,
    ),
    key=("event", "from_topic_ids", "to_topic_ids"),
)

PATTERN_TABLES = (
    CELLS_DAILY,
    PHRASE_COUNTS,
    KEYPHRASES_DAILY,
    ASSOCIATION_RULES,
    CONCEPT_GRAPH,
    FACTS,
    ANOMALIES,
    TREND_DRIVERS,
    TRENDS,
)
"""Made by `stage_patterns` and, the last three, by `stage_movements` of `pipeline.night_patterns`."""

ASPECT_TABLES = (DOC_ASPECTS, ASPECT_DAILY, ASPECT_CELLS_DAILY)
"""Made by `pipeline.night_aspects.stage_aspects`."""

LABEL_TABLES = (DOC_LABELS, LABELS_DAILY)
"""Made by `pipeline.night_labels.stage_labels`."""

TABLES = (
    DOC_SCORES,
    DOC_EMBEDDINGS,
    REJECTS,
    SENTIMENT_DAILY,
    TOPICS,
    TOPICS_DAILY,
    TOPIC_LINEAGE,
    DUP_GROUPS,
    *LABEL_TABLES,
    *PATTERN_TABLES,
    *ASPECT_TABLES,
    RUN_STAGES,
    MODELS,
    CASCADE_REPORT,
    MODEL_BRIDGE,
    QUALITY_CHECKS,
    RUNS,
)
"""In the order they are published; `runs` last."""
