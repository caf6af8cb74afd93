"""What the page says of a night, asked of the published tables in DuckDB. All answers are small: each query has a limit."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import duckdb

Rows = list[dict[str, Any]]
HISTORY_DAYS = 28
_ALERTS, _RULES, _PHRASES, _TOPICS, _CAMPAIGNS, _FACTS, _ASPECTS = 20, 12, 15, 12, 10, 10, 15

_QUERIES = {
    "sentiment": """SELECT event_date, sentiment, sum(n_docs) AS n_docs, sum(n_scored) AS n_scored
        FROM sentiment_daily
        WHERE event_date BETWEEN $first AND $night GROUP BY ALL ORDER BY event_date, sentiment""",
    "alerts": f"""SELECT a.*, t.label AS topic_label FROM anomalies a
        LEFT JOIN topics t ON a.topic_id = t.topic_id AND a.run_date = t.run_date
        WHERE a.run_date = $night AND a.is_alert
        ORDER BY a.kind = 'phrase', a.q_value, abs(a.score) DESC, a.metric, a.key LIMIT {_ALERTS}""",
    "tested": """SELECT max(n_tested) AS n_tested, count(*) FILTER (WHERE is_alert) AS n_alerts
        FROM anomalies WHERE run_date = $night""",
    "drivers": """SELECT d.metric, d.key, d.dimension, d.component, sum(d.contribution) AS contribution,
        any_value(d.change) AS change, any_value(d.baseline) AS baseline, any_value(d.value) AS value,
        arg_max(d.segment, abs(d.contribution)) AS segment
        FROM trend_drivers d WHERE d.run_date = $night GROUP BY ALL
        ORDER BY d.metric, d.key, d.dimension, d.component LIMIT 2000""",
    # a day's share by another model is no comparison
    "aspects": f"""WITH tonight AS (
            SELECT aspect_source, aspect, string_agg(DISTINCT lang, ', ' ORDER BY lang) AS langs, sum(n_effective) AS n_effective,
                sum(n_negative) AS n_negative, arg_max(evidence, n_effective) AS evidence,
                any_value(model_key) AS model_key, any_value(coalesce(cascade_key, '')) AS cascade_key
            FROM aspect_daily WHERE event_date = $night GROUP BY ALL)
        SELECT t.*, (SELECT sum(b.n_negative) / sum(b.n_effective) FROM aspect_daily b
            WHERE b.event_date >= $first AND b.event_date < $night AND b.aspect = t.aspect AND b.aspect_source = t.aspect_source
                AND b.model_key = t.model_key AND coalesce(b.cascade_key, '') = t.cascade_key) AS before
        FROM tonight t ORDER BY t.aspect_source = 'given' DESC, t.n_effective DESC, t.aspect LIMIT {_ASPECTS}""",
    "topics": f"""SELECT topic_id, label, n_docs, n_effective, keyphrases, centroid, evidence FROM topics
        WHERE run_date = $night AND n_docs > 0 ORDER BY n_docs DESC, topic_id LIMIT {_TOPICS}""",
    "topic_days": """SELECT topic_id, event_date, n_docs, share, ci_low, ci_high, mean_sentiment FROM topics_daily
        WHERE event_date BETWEEN $first AND $night ORDER BY topic_id, event_date""",
    "lineage": "SELECT event, from_topic_ids, to_topic_ids, overlap FROM topic_lineage WHERE run_date = $night LIMIT 50",
    "rules": f"""SELECT lang, antecedent, consequent, n_effective, n_antecedent, confidence, ci_low, ci_high, lift, holdout_lift,
        q_value, evidence FROM association_rules WHERE run_date = $night AND is_driver
        ORDER BY q_value, lift DESC, antecedent LIMIT {_RULES}""",
    "phrases": f"""SELECT display, lang, n_docs, n_effective, expected, burst, mean_sentiment, evidence
        FROM keyphrases_daily WHERE run_date = $night AND burst IS NOT NULL AND n_effective >= 5
        ORDER BY n_effective - expected DESC, phrase LIMIT {_PHRASES}""",
    "campaigns": f"""SELECT dup_group_id, method, n_docs, n_texts, first_ts, last_ts, top_source_share, min_similarity,
        first_seen, evidence FROM dup_groups WHERE run_date = $night AND is_campaign
        ORDER BY n_docs DESC, dup_group_id LIMIT {_CAMPAIGNS}""",
    "facts": f"""SELECT lang, subject, relation, object, n_effective, confidence, evidence FROM facts
        WHERE run_date = $night ORDER BY n_effective DESC, subject LIMIT {_FACTS}""",
    "runs": "SELECT * FROM runs WHERE run_date = $night",
    "stages": "SELECT stage, rows, seconds FROM run_stages WHERE run_date = $night ORDER BY position",
    "checks": "SELECT check_name, observed, threshold, passed FROM quality_checks WHERE run_date = $night ORDER BY check_name",
}  # fmt: skip


@dataclass(frozen=True)
class NightFacts:
    """The answers, by name of the query; each row a dictionary."""

    night: date
    answers: dict[str, Rows]

    def __getitem__(self, name: str) -> Rows:
        return self.answers[name]


def ask(connection: "duckdb.DuckDBPyConnection", night: date) -> NightFacts:
    """Ask everything the page needs of a night and the four weeks before it.

    Raises:
        ConfigError: the night is not published.
    """
    first = date.fromordinal(night.toordinal() - HISTORY_DAYS)
    values = {"night": night, "first": first}
    answers = {}
    for name, sql in _QUERIES.items():
        wanted = {key: value for key, value in values.items() if f"${key}" in sql}
        result = connection.execute(sql, wanted)
        columns = [column[0] for column in result.description or []]
        answers[name] = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    if not answers["runs"]:
        raise ConfigError(f"run date {night}: is not published; give --run-date a night that the table runs has")
    return NightFacts(night, answers)
