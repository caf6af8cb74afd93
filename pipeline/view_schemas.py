"""The views over the published tables: which tables they read, which columns they have. The SQL is in `pipeline/sql/<name>.sql`.

It is SQL that Spark and DuckDB both run; `$catalog` stands for the quoted name of the database, `$wilson_low` and `$wilson_high`
for the ends of the 95 % interval of the columns `share` of `trials`.
"""

from dataclasses import dataclass
from importlib.resources import files
from string import Template

from pipeline import run_schemas, schemas
from pipeline.patterns.movement_tables import ANOMALIES, TREND_DRIVERS
from pipeline.table import BOOLEAN, DATE, DOUBLE, INT, LONG, STRING, STRINGS, TIMESTAMP, Column, Table

_Z2 = "3.8414588206941236E0"
_SPREAD = f"SQRT({_Z2} * (share * (1 - share) / trials + {_Z2} / (4E0 * trials * trials)))"
_WILSON = f"CASE WHEN trials > 0 THEN {{}}, (share + {_Z2} / (2 * trials) {{}} {_SPREAD}) / (1 + {_Z2} / trials)) END"
_INTERVAL = {"wilson_low": _WILSON.format("GREATEST(0E0", "-"), "wilson_high": _WILSON.format("LEAST(1E0", "+")}
"""Wilson 1927, as `pipeline.intervals` has it for columns."""


@dataclass(frozen=True)
class View:
    """A view: the tables it reads and the columns it has, in order."""

    name: str
    comment: str
    reads: tuple[Table, ...]
    columns: tuple[Column, ...]

    def sql(self, catalog: str) -> str:
        """Return its SELECT, given the name of the database as SQL quotes it."""
        text = (files("pipeline") / "sql" / f"{self.name}.sql").read_text(encoding="utf-8")
        return Template(text).substitute(_INTERVAL, catalog=catalog)


SENTIMENT_TREND = View(
    "v_sentiment_trend",
    "Sentiment per day, source, group, language and label over all topics, and where the model behind the series changed.",
    (schemas.SENTIMENT_DAILY, run_schemas.MODEL_BRIDGE),
    (
        Column("event_date", DATE, "UTC day of the documents", False),
        Column("source", STRING, "where the document came from; null where the corpus has none"),
        Column("group_key", STRING, "the corpus' group; null where the corpus has none"),
        Column("lang", STRING, "language, ISO 639-1 or `und`", False),
        Column("sentiment", STRING, "`negative`, `neutral` or `positive`", False),
        Column("n_docs", LONG, "scored documents with this label", False),
        Column("n_scored", LONG, "scored documents, all labels", False),
        Column("share", DOUBLE, "n_docs / n_scored; null where nothing was scored"),
        Column("ci_low", DOUBLE, "lower end of the Wilson 95 % interval of share"),
        Column("ci_high", DOUBLE, "upper end of the Wilson 95 % interval of share"),
        Column("mean_score", DOUBLE, "mean sentiment_score, all labels"),
        Column("model_key", STRING, "the model of the day; see `models`", False),
        Column("cascade_key", STRING, "the cascade of the day; null without one"),
        Column(
            "model_changed_on",
            DATE,
            "first day with the models of this day after a change; null before the first change",
        ),
        Column("is_break", BOOLEAN, "the models of this day are not those of the day before it in the table", False),
        Column(
            "bridge_shift",
            DOUBLE,
            "what the change of model_changed_on did to the share of this label in this language, measured on the same texts; "
            "null where it was not: see `model_bridge`",
        ),
        Column("bridge_shift_low", DOUBLE, "lower end of its interval"),
        Column("bridge_shift_high", DOUBLE, "upper end of its interval"),
    ),
)

_SOURCE = Column("source", STRING, "where the document came from; null where the corpus has none")
_GROUP = Column("group_key", STRING, "the corpus' group; null where the corpus has none")
_TOPIC_STATUS = "`active` or `dormant` on the last published night"

SENTIMENT_LATEST = View(
    "v_sentiment_latest",
    "Sentiment of the last published night per source, group and language, over all topics: one row each.",
    (run_schemas.RUNS, schemas.DOC_SCORES),
    (
        Column("run_date", DATE, "the last published night", False),
        _SOURCE,
        _GROUP,
        Column("lang", STRING, "language, ISO 639-1 or `und`", False),
        Column("n_docs", LONG, "documents", False),
        Column("n_effective", LONG, "distinct texts among them, near-duplicates counted once", False),
        Column("n_scored", LONG, "documents with a sentiment", False),
        Column("n_negative", LONG, "negative ones among them", False),
        Column("n_neutral", LONG, "neutral ones", False),
        Column("n_positive", LONG, "positive ones", False),
        Column("negative_share", DOUBLE, "n_negative / n_scored; null where nothing was scored"),
        Column("ci_low", DOUBLE, "lower end of the Wilson 95 % interval of negative_share"),
        Column("ci_high", DOUBLE, "upper end of it"),
        Column("mean_score", DOUBLE, "mean sentiment_score; null where nothing was scored"),
        Column("model_key", STRING, "the model of the night; see `models`", False),
        Column("run_id", STRING, "the run that published the night", False),
    ),
)

TOPIC_TREND = View(
    "v_topic_trend",
    "Each topic's day beside its seven days before, under the label it has on the last published night.",
    (run_schemas.RUNS, schemas.TOPICS, schemas.TOPICS_DAILY),
    (
        Column("event_date", DATE, "UTC day of the documents", False),
        Column("topic_id", LONG, "topic", False),
        Column("label", STRING, "its label on the last published night, or that of the day where it is gone since"),
        Column("label_then", STRING, "its label on the day"),
        Column("parent_topic_id", LONG, "largest topic of its group on the last published night"),
        Column("status", STRING, _TOPIC_STATUS, False),
        Column("first_seen", DATE, "first night of the topic"),
        Column("n_docs", LONG, "documents of the day", False),
        Column("n_effective", LONG, "distinct texts among them, near-duplicates counted once", False),
        Column("n_other", LONG, "of n_docs, those farther from the topic than usual", False),
        Column("share", DOUBLE, "share of the day's documents that have a topic; null where none has"),
        Column("ci_low", DOUBLE, "lower end of its Wilson 95 % interval"),
        Column("ci_high", DOUBLE, "upper end of it"),
        Column("mean_sentiment", DOUBLE, "mean sentiment_score; null where n_docs is 0"),
        Column(
            "mean_effective_before", DOUBLE, "mean n_effective of the days before, at most seven; null on the first"
        ),
        Column("n_days_before", LONG, "published days behind that mean", False),
        Column("model_key", STRING, "the model of the day; see `models`", False),
        Column("topic_model_key", STRING, "the topic model of the day", False),
        Column("run_id", STRING, "the run that published the night", False),
    ),
)

TOP_MOVERS = View(
    "v_top_movers",
    "What moved beyond chance on each night, the surest first, with the largest part of each change.",
    (ANOMALIES, TREND_DRIVERS, schemas.TOPICS),
    (
        Column("event_date", DATE, "the night", False),
        Column("place", INT, "order within the night, from 1: by q_value, then by the size of the score", False),
        Column("metric", STRING, "`n_docs`, `n_effective`, `negative_share` or `mean_sentiment`", False),
        Column(
            "kind", STRING, "`overall`, `topic`, `group`, `group_topic`, `source`, `lang`, `phrase` or `aspect`", False
        ),
        Column("key", STRING, "the segment, such as `group_key=Heron Router, topic_id=3`", False),
        Column("direction", STRING, "`up` or `down` against expected", False),
        Column("value", DOUBLE, "what the night has", False),
        Column("expected", DOUBLE, "mean of comparable nights of the history", False),
        Column("lower", DOUBLE, "lower end of the 95 % predictive interval of value", False),
        Column("upper", DOUBLE, "upper end of it", False),
        Column("excess", DOUBLE, "value - expected", False),
        Column("q_value", DOUBLE, "Benjamini-Hochberg, over everything tested that night", False),
        Column("likely_cause", STRING, "`model_change`, or the largest part: `volume`, `mix`, `sentiment`, `campaign`"),
        Column("driver_dimension", STRING, "dimension of the largest part of the change; see `trend_drivers`"),
        Column("driver_segment", STRING, "its segment"),
        Column("driver_component", STRING, "its component"),
        Column("driver_contribution", DOUBLE, "its part of driver_change, in units of the metric"),
        Column("driver_change", DOUBLE, "tonight less the history that `trend_drivers` compares with"),
        Column("topic_id", LONG, "topic; null where the row is not about one"),
        Column("topic_label", STRING, "its label that night"),
        _GROUP,
        _SOURCE,
        Column("lang", STRING, "language; null where the row is of all"),
        Column("phrase", STRING, "phrase; null where the row is not about one"),
        Column("aspect", STRING, "given aspect; null where the row is not about one"),
        Column("run_id", STRING, "the run that published the night", False),
    ),
)

ERRORS_OPEN = View(
    "v_errors_open",
    "Every document without a score and every rejected row, and why, of the nights as published now.",
    (schemas.DOC_SCORES, schemas.REJECTS),
    (
        Column("event_date", DATE, "UTC day of the document; of a row without a time, its night", False),
        Column("what", STRING, "`document`: accepted, without a score; `row`: rejected", False),
        Column("reason", STRING, "doc_scores.error_code or rejects.reason", False),
        Column("doc_id", STRING, "the corpus' id; null where it has none"),
        Column("lang", STRING, "language; null of rejected rows"),
        _SOURCE,
        _GROUP,
        Column("is_failure", BOOLEAN, "false where the only reason is a language no model covers", False),
        Column("rejected_column", STRING, "the corpus column at fault; null of documents"),
        Column("file", STRING, "the file of a rejected row; null of documents"),
        Column("run_date", DATE, "the night", False),
        Column("run_id", STRING, "the run that published the night", False),
    ),
)

RUN_HEALTH = View(
    "v_run_health",
    "A night at a glance: where its rows went, what failed, how fast it was, which model, how much moved.",
    (run_schemas.RUNS, run_schemas.QUALITY_CHECKS, ANOMALIES),
    (
        Column("run_date", DATE, "the night", False),
        Column("status", STRING, "of the run", False),
        Column("rows_in", LONG, "rows of the night", False),
        Column(
            "rows_lost", LONG, "rows that are in none of the counts of `runs`: 0, or the night was not published", False
        ),
        Column("rejected_share", DOUBLE, "of rows_in; null for an empty night, as the next three"),
        Column("error_share", DOUBLE, "accepted, without a score for another reason than the language"),
        Column("unsupported_share", DOUBLE, "in a language no model covers"),
        Column("duplicate_share", DOUBLE, "exact duplicates of another document of the night"),
        Column(
            "store_share", DOUBLE, "of the scored texts, those that the score store had; null where none was scored"
        ),
        Column(
            "docs_per_s",
            DOUBLE,
            "distinct texts per second of the scoring stage, of the whole run; null where nothing was scored",
        ),
        Column("model_loads", INT, "times a worker process loaded the models, in the whole run", False),
        Column("n_dates", INT, "nights of the run", False),
        Column("started_at", TIMESTAMP, "start of the run", False),
        Column("ended_at", TIMESTAMP, "when its tables were complete", False),
        Column("n_checks", LONG, "checks of the night", False),
        Column("n_failed_checks", LONG, "those that failed without stopping it", False),
        Column("n_tested", LONG, "series tested", False),
        Column("n_alerts", LONG, "of them, those that moved beyond chance", False),
        Column("model_key", STRING, "the model; see `models`", False),
        Column("is_model_change", BOOLEAN, "not the model of the published night before", False),
        Column("topic_model_key", STRING, "the topic model; null where there is none"),
        Column("warnings", STRINGS, "what preflight noticed", False),
        Column("git_sha", STRING, "commit of the code, where it ran from a checkout"),
        Column("run_id", STRING, "the run that published the night", False),
    ),
)

VIEWS = (SENTIMENT_LATEST, SENTIMENT_TREND, TOPIC_TREND, TOP_MOVERS, ERRORS_OPEN, RUN_HEALTH)
