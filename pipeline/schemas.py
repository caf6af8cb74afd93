"""Every published table as code: names, types, meaning, and which columns identify a row.

`docs/tables.md` is generated from this module (`python -m pipeline.tables_doc`). All times are UTC.
"""

from pyspark.sql import types as T

from pipeline.label_tables import DOC_LABELS, LABELS_DAILY
from pipeline.patterns.aspect_tables import ASPECT_CELLS_DAILY, ASPECT_DAILY, DOC_ASPECTS
from pipeline.patterns.concept_tables import CONCEPT_GRAPH, FACTS
from pipeline.patterns.dup_group_tables import DUP_GROUPS
from pipeline.patterns.keyphrase_tables import KEYPHRASES_DAILY, PHRASE_COUNTS
from pipeline.patterns.movement_tables import ANOMALIES, CELLS_DAILY, TREND_DRIVERS, TRENDS
from pipeline.patterns.rule_tables import ASSOCIATION_RULES
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
    STRINGS,
    TIMESTAMP,
    VECTOR,
    Column,
    Table,
)

SENTIMENTS = ("negative", "neutral", "positive")


_DOC_ID = Column("doc_id", STRING, "the corpus' id", False)
_CONTENT_KEY = Column("content_key", STRING, "sha256 (hex) of the normalised text", False)
_MODEL_KEY = Column("model_key", STRING, "fingerprint of everything that decides a score; see `models`", False)
_CASCADE_KEY = Column(
    "cascade_key",
    STRING,
    "fingerprint of both models and settings of the cascade that decided sentiment; null without one",
)
_EVENT_DATE = Column("event_date", DATE, "UTC day of the documents", False)
_SOURCE = Column("source", STRING, "where the document came from; null where the corpus has none")
_GROUP = Column("group_key", STRING, "the corpus' group (product, brand, ...); null where the corpus has none")
_LANG = Column(
    "lang", STRING, "language, ISO 639-1: declared by the corpus or identified; `und` where undecided", False
)
_N_DOCS = Column("n_docs", LONG, "documents", False)
_N_EFFECTIVE = Column("n_effective", LONG, "distinct texts among them, near-duplicates counted once", False)

DOC_SCORES = Table(
    "doc_scores",
    "One row per accepted document: language, sentiment, topic, and how much of the text the model saw.",
    (
        _DOC_ID,
        _SOURCE,
        _GROUP,
        Column("event_ts", TIMESTAMP, "the document's time, UTC", False),
        _EVENT_DATE,
        _CONTENT_KEY,
        _LANG,
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
            T.BooleanType(),
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
            T.BooleanType(),
            "the result, be it a score or an `error_code`, was not computed in this run for this document's text and night",
            False,
        ),
        _MODEL_KEY,
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
        _DOC_ID,
        _CONTENT_KEY,
        Column("embedding", VECTOR, "unit vector", False),
        Column("dim", INT, "length of the vector", False),
        _MODEL_KEY,
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
        _SOURCE,
        _GROUP,
        Column("file", STRING, "the file it came from", False),
    ),
    key=(),
)

SENTIMENT_DAILY = Table(
    "sentiment_daily",
    "Sentiment per day, source, group, language and topic: one row for each of the three labels, also where none was found.",
    (
        _EVENT_DATE,
        _SOURCE,
        _GROUP,
        _LANG,
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
        _MODEL_KEY,
        _CASCADE_KEY,
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
        _N_DOCS,
        _N_EFFECTIVE,
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
        _MODEL_KEY,
    ),
    key=("topic_id",),
)

TOPICS_DAILY = Table(
    "topics_daily",
    "Volume and mean sentiment per day and topic.",
    (
        _EVENT_DATE,
        Column("topic_id", LONG, "active topic", False),
        _N_DOCS,
        _N_EFFECTIVE,
        Column("n_other", LONG, "of n_docs, those farther from the topic than usual (doc_scores.is_other)", False),
        Column("share", DOUBLE, "share of the day's documents that have a topic; null where none has"),
        Column("ci_low", DOUBLE, "lower end of the Wilson 95 % interval of share"),
        Column("ci_high", DOUBLE, "upper end of the Wilson 95 % interval of share"),
        Column("mean_sentiment", DOUBLE, "mean sentiment_score; null where n_docs is 0"),
        Column("topic_model_key", STRING, "fingerprint of the topic model", False),
        _MODEL_KEY,
        _CASCADE_KEY,
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
        _MODEL_KEY,
    ),
    key=("event", "from_topic_ids", "to_topic_ids"),
)

RUNS = Table(
    "runs",
    "One row per published night. "
    "rows_in = rows_scored + rows_from_cache + rows_dup + rows_unsupported + rows_error + rows_rejected.",
    (
        Column("status", STRING, "`success`", False),
        Column("interval_start", TIMESTAMP, "start of the night, UTC, included", False),
        Column("interval_end", TIMESTAMP, "end of the night, UTC, excluded", False),
        Column("started_at", TIMESTAMP, "start of the run", False),
        Column("ended_at", TIMESTAMP, "when the tables were complete, before publishing", False),
        Column("n_dates", INT, "nights published by the same run; times and stages are of the whole run", False),
        Column("rows_corpus", LONG, "rows in all input files, whatever their date", False),
        Column("rows_in", LONG, "rows of this night", False),
        Column("rows_scored", LONG, "scored by the model in this run; sentences that mention aspects are not among them", False),
        Column("rows_from_cache", LONG, "taken from the score store", False),
        Column("rows_dup", LONG, "exact duplicates of another document of the night", False),
        Column("rows_unsupported", LONG, "in a language no configured model covers", False),
        Column("rows_error", LONG, "accepted but without a score for another reason", False),
        Column("rows_rejected", LONG, "rejected; see `rejects`", False),
        Column("tokens", LONG, "tokens of the documents scored in this run", False),
        Column("model_loads", INT, "times a worker process loaded the models in this run", False),
        Column("docs_per_s", DOUBLE, "distinct texts per second of the scoring stage; null where nothing was scored"),
        Column(
            "store_hit_rate",
            DOUBLE,
            "rows_from_cache / (rows_from_cache + rows_scored): share of the night's texts that cost nothing; null for none",
        ),
        Column("store_bytes", LONG, "bytes of the model's score store after the run scored"),
        _MODEL_KEY,
        Column("topic_model_key", STRING, "fingerprint of the topic model; null where there is none"),
        Column("config_hash", STRING, "sha256 (hex) of the resolved configuration", False),
        Column("git_sha", STRING, "commit of the code, where it runs from a checkout"),
        Column("input_files", INT, "files read", False),
        Column("warnings", STRINGS, "what preflight noticed", False),
    ),
    key=("run_id",),
    volatile=(
        "started_at", "ended_at", "n_dates", "rows_scored", "rows_from_cache", "tokens", "model_loads", "docs_per_s",
        "store_hit_rate", "store_bytes",
        "config_hash", "git_sha", "rows_corpus", "input_files", "warnings",
    ),
)  # fmt: skip

RUN_STAGES = Table(
    "run_stages",
    "One row per stage of the run that published the night. A run over several nights writes the same rows to each.",
    (
        Column("stage", STRING, "name of the stage", False),
        Column("position", INT, "order of the stage in the run, from 1", False),
        Column("status", STRING, "`success`", False),
        Column("rows", LONG, "rows the stage made, all nights of the run", False),
        Column("tokens", LONG, "tokens read by a model", False),
        Column("seconds", DOUBLE, "wall time", False),
        Column("n_dates", INT, "nights of the run", False),
    ),
    key=("stage",),
    volatile=("rows", "tokens", "seconds", "n_dates"),
)

MODELS = Table(
    "models",
    "The models behind the night's model_key; with a cascade also those of its full model, under their own key.",
    (
        _MODEL_KEY,
        Column(
            "task",
            STRING,
            "`embedding`, `sentiment`, `language`, `topics`, or the task of a head in `model.heads`",
            False,
        ),
        Column("name", STRING, "name of the model", False),
        Column("revision", STRING, "revision of the weights", False),
        Column("sha256", STRING, "sha256 (hex) over the digests of its files", False),
        Column("languages", STRINGS, "languages it covers; `*` for any", False),
        Column("params", STRING, "parameters as JSON", False),
        Column("precision", STRING, "number format of the computation", False),
    ),
    key=("model_key", "task", "name"),
)

CASCADE_REPORT = Table(
    "cascade_report",
    "What the cascade did: one row per night, none where it is off. The audit sample is drawn from the distinct texts of the "
    "whole run, all its nights together: threshold and agreement are the run's, the counts of texts are the night's.",
    (
        Column("cascade_key", STRING, "fingerprint of both models and settings of the cascade", False),
        Column("base_model_key", STRING, "the cheap model, which scored every text; see `models`", False),
        Column("full_model_key", STRING, "the full model, which decided what the cheap one was not sure of", False),
        Column("min_agreement", DOUBLE, "target: least share of texts whose label is the full model's", False),
        Column("confidence", DOUBLE, "confidence with which the target is kept, 0 to 1", False),
        Column("n_audit", LONG, "texts of the run's audit sample that the full model could score", False),
        Column("threshold", DOUBLE, "sentiment_confidence from which the cheap model decides; null on fallback"),
        Column("agreement", DOUBLE, "share of the sample whose label, as the threshold decides, is the full model's"),
        Column("agreement_low", DOUBLE, "one-sided Clopper-Pearson lower bound of agreement at `confidence`"),
        Column("agreement_decided", DOUBLE, "agreement among what the cheap model decided; null where that is nothing"),
        Column("agreement_decided_low", DOUBLE, "its lower bound: a figure to read, not part of what is promised"),
        Column("n_texts", LONG, "distinct texts of the night that the cheap model scored", False),
        Column("n_escalated", LONG, "texts of them below the threshold; on fallback all of them", False),
        Column("share_escalated", DOUBLE, "n_escalated / n_texts; null where there are none"),
        Column(
            "n_full_errors", LONG, "texts due to the full model that it failed on; they keep the cheap one's", False
        ),
        Column("is_fallback", T.BooleanType(), "the target could not be shown: the full model decided all", False),
    ),
    key=("cascade_key",),
)

MODEL_BRIDGE = Table(
    "model_bridge",
    "What a change of model did: rows on the first night of a run whose model is not that of the last published night before it, "
    "none on other nights. Both scored a sample of the run's texts; one row per language and label, `*` for all languages.",
    (
        Column("old_model_key", STRING, "the model of the night before; with a cascade its full model", False),
        Column("new_model_key", STRING, "the model of this night; with a cascade its full model", False),
        Column("old_run_date", DATE, "the last published night before this one", False),
        Column("lang", STRING, "language by the new model, ISO 639-1 or `und`; `*` for all together", False),
        Column("sentiment", STRING, "`negative`, `neutral` or `positive`", False),
        Column("n_sample", LONG, "distinct texts of the sample in this language", False),
        Column("n", LONG, "texts of them that both models scored: what all figures below are about", False),
        Column("n_only_old", LONG, "texts that the old model alone could score", False),
        Column("n_only_new", LONG, "texts that the new model alone could score", False),
        Column("n_old", LONG, "texts with this label by the old model", False),
        Column("n_new", LONG, "texts with this label by the new model", False),
        Column("to_negative", LONG, "of the n_old texts, those the new model calls negative", False),
        Column("to_neutral", LONG, "of the n_old texts, those the new model calls neutral", False),
        Column("to_positive", LONG, "of the n_old texts, those the new model calls positive", False),
        Column("share_old", DOUBLE, "n_old / n; null where n is 0"),
        Column("share_new", DOUBLE, "n_new / n; null where n is 0"),
        Column("shift", DOUBLE, "share_new - share_old, -1 to 1"),
        Column("shift_low", DOUBLE, "lower end of its Agresti-Min interval for paired proportions, at `confidence`"),
        Column("shift_high", DOUBLE, "upper end of it"),
        Column("agreement", DOUBLE, "share of the n texts with the same label by both, all labels"),
        Column("agreement_low", DOUBLE, "lower end of its Wilson interval at `confidence`"),
        Column("agreement_high", DOUBLE, "upper end of it"),
        Column("score_shift", DOUBLE, "mean of new minus old sentiment_score, -2 to 2, all labels"),
        Column(
            "score_shift_low", DOUBLE, "lower end of its paired t interval at `confidence`; null where n is below 2"
        ),
        Column("score_shift_high", DOUBLE, "upper end of it"),
        Column("confidence", DOUBLE, "of the intervals, 0 to 1", False),
        Column("tolerance", DOUBLE, "largest absolute shift of a share that is no reason to stop", False),
        Column(
            "is_over",
            BOOLEAN,
            "|shift| is over the tolerance, and, for a single language, its interval does not hold 0",
            False,
        ),
    ),
    key=("lang", "sentiment"),
)

QUALITY_CHECKS = Table(
    "quality_checks",
    "The checks the night passed before it was published.",
    (
        Column("check_name", STRING, "name of the check", False),
        Column("table_name", STRING, "table it looks at", False),
        Column("severity", STRING, "`error`: a failed check publishes nothing", False),
        Column("observed", DOUBLE, "what was found"),
        Column("threshold", DOUBLE, "the limit"),
        Column("passed", T.BooleanType(), "whether it passed", False),
    ),
    key=("check_name",),
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
