"""Tables of what moved: `cells_daily`, `anomalies`, `trends`, `trend_drivers`."""

from pipeline.table import BOOLEAN, DATE, DOUBLE, INT, LONG, STRING, Column, Table

KEY_COLUMNS = ("topic_id", "group_key", "source", "lang", "phrase", "aspect")
METRICS = ("n_docs", "n_effective", "negative_share", "mean_sentiment")
COMPONENTS = ("volume", "mix", "within", "campaign", "model_change")

_SOURCE = Column(
    "source", STRING, "where the documents came from; null where the corpus has none, or the row is of all"
)
_GROUP = Column("group_key", STRING, "the corpus' group; null where the corpus has none, or the row is of all")
_LANG = Column("lang", STRING, "language, ISO 639-1 or `und`; null where the row is of all")
_TOPIC = Column("topic_id", LONG, "topic; null where there is none, or the row is of all")
_KEYS = (
    Column(
        "metric",
        STRING,
        "`n_docs`: documents; `n_effective`: distinct texts; `negative_share`, `mean_sentiment`: of the distinct texts; "
        "of an aspect: towards it",
        False,
    ),
    Column("kind", STRING, "`overall`, `topic`, `group`, `group_topic`, `source`, `lang`, `phrase` or `aspect`", False),
    Column("key", STRING, "the segment, such as `group_key=Heron Router, topic_id=3`; `overall`", False),
    _TOPIC,
    _GROUP,
    _SOURCE,
    _LANG,
    Column("phrase", STRING, "phrase; null where the row is not about one"),
    Column("aspect", STRING, "given aspect; null where the row is not about one"),
)

CELLS_DAILY = Table(
    "cells_daily",
    "Additive counts per source, group, language and topic: what series, anomalies and drivers are made of. "
    "A text is counted once a night, with the first document that has it (`doc_scores.is_canonical`).",
    (
        _SOURCE,
        _GROUP,
        Column("lang", STRING, "language, ISO 639-1 or `und`", False),
        _TOPIC,
        Column("n_docs", LONG, "documents", False),
        Column("n_effective", LONG, "distinct texts", False),
        Column("n_scored", LONG, "distinct texts with a sentiment", False),
        Column("n_negative", LONG, "negative ones among them", False),
        Column("score_sum", DOUBLE, "sum of their sentiment_score", False),
        Column("score_squares", DOUBLE, "sum of its squares", False),
    ),
    key=("source", "group_key", "lang", "topic_id"),
)

ANOMALIES = Table(
    "anomalies",
    "The night against what its history says: a row per tested cell (of phrases only those with a small q value).",
    (
        Column("event_date", DATE, "UTC day of the documents", False),
        *_KEYS,
        Column("value", DOUBLE, "what the night has", False),
        Column("n_texts", LONG, "scored texts behind value (sentiment); null for counts"),
        Column("expected", DOUBLE, "mean of comparable nights of the history", False),
        Column("lower", DOUBLE, "lower end of the 95 % predictive interval of value", False),
        Column("upper", DOUBLE, "upper end of it", False),
        Column("score", DOUBLE, "standard normal deviate of value in its predictive distribution, signed", False),
        Column("p_value", DOUBLE, "two-sided, from Student's t with `dof`", False),
        Column("q_value", DOUBLE, "Benjamini-Hochberg, over everything tested that night", False),
        Column("direction", STRING, "`up`, `down` or `same` against expected", False),
        Column("is_alert", BOOLEAN, "q_value is at most the configured limit", False),
        Column("dispersion", DOUBLE, "variance over that of a Poisson (binomial) variable, 1 at least", False),
        Column("dof", DOUBLE, "degrees of freedom of the dispersion, those lent by similar series included", False),
        Column("n_history", INT, "nights of the history with a value", False),
        Column("n_tested", LONG, "cells tested that night, all metrics together", False),
        Column(
            "likely_cause",
            STRING,
            "`model_change`, or the largest part of the change: `volume`, `mix`, `sentiment`, `campaign`; null without alert",
        ),
    ),
    key=("metric", "key"),
)

TRENDS = Table(
    "trends",
    "Slope and change point of each series over the last nights (of phrases only those with a small q value).",
    (
        *_KEYS,
        Column("window_start", DATE, "first published night of the window", False),
        Column("window_end", DATE, "last one, the run date", False),
        Column("n_nights", INT, "nights with a value", False),
        Column("slope", DOUBLE, "change per day of a line, weekly pattern taken out", False),
        Column("slope_low", DOUBLE, "lower end of its 95 % interval", False),
        Column("slope_high", DOUBLE, "upper end of it", False),
        Column("change_abs", DOUBLE, "slope times the days from window_start to window_end", False),
        Column(
            "change_pct", DOUBLE, "100 * change_abs / the line's value at window_start; null where that is not above 0"
        ),
        Column(
            "direction",
            STRING,
            "`up` or `down`, by the slope if q_value is small enough, else by the step if changepoint_q is; `flat`",
            False,
        ),
        Column("p_value", DOUBLE, "of the slope, two-sided", False),
        Column("q_value", DOUBLE, "Benjamini-Hochberg over all slopes of the night", False),
        Column("changepoint", DATE, "first night of another level; null where changepoint_q is above the limit"),
        Column("changepoint_step", DOUBLE, "new level less old one at the best split; null where there was no test"),
        Column("changepoint_p", DOUBLE, "of the largest statistic over all splits; null where there was no test"),
        Column("changepoint_q", DOUBLE, "Benjamini-Hochberg over all change points of the night"),
        Column("model_break", BOOLEAN, "the model changed inside the window", False),
    ),
    key=("metric", "key"),
)

TREND_DRIVERS = Table(
    "trend_drivers",
    "What an alert's change against the mean of its history is made of. For each alert and dimension the contributions of all "
    "segments and components add up to `change`.",
    (
        *_KEYS,
        Column("date_from", DATE, "first night of the history", False),
        Column("date_to", DATE, "the run date", False),
        Column(
            "dimension",
            STRING,
            "what the segments are: `source`, `group_key`, `lang`, `topic_id`; phrases: `none`",
            False,
        ),
        Column("segment", STRING, "value of the dimension; `(none)` where there is none; `(other)`: the rest", False),
        Column("component", STRING, "`volume`, `mix`, `within`, `campaign` or `model_change`", False),
        Column("contribution", DOUBLE, "its part of the change, in units of the metric", False),
        Column("baseline", DOUBLE, "the history: mean per night (counts), share or mean of all its texts", False),
        Column("value", DOUBLE, "tonight", False),
        Column("change", DOUBLE, "value - baseline", False),
    ),
    key=("metric", "key", "dimension", "segment", "component"),
)
