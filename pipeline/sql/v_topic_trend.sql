-- Each topic's day beside its week before, under the label it has today.
WITH last_night AS (SELECT MAX(run_date) AS run_date FROM $catalog.runs),
names AS (
    SELECT t.topic_id, t.label, t.parent_topic_id, t.status, t.first_seen
    FROM $catalog.topics AS t JOIN last_night ON t.run_date = last_night.run_date
)
SELECT d.event_date, d.topic_id, COALESCE(names.label, then_named.label) AS label, then_named.label AS label_then,
    names.parent_topic_id, COALESCE(names.status, 'dormant') AS status, names.first_seen,
    d.n_docs, d.n_effective, d.n_other, d.share, d.ci_low, d.ci_high, d.mean_sentiment,
    AVG(d.n_effective) OVER before_it AS mean_effective_before,
    COUNT(*) OVER before_it AS n_days_before,
    d.model_key, d.topic_model_key, d.run_id
FROM $catalog.topics_daily AS d
LEFT JOIN $catalog.topics AS then_named ON then_named.run_date = d.run_date AND then_named.topic_id = d.topic_id
LEFT JOIN names ON names.topic_id = d.topic_id
WINDOW before_it AS (PARTITION BY d.topic_id ORDER BY d.event_date ROWS BETWEEN 7 PRECEDING AND 1 PRECEDING)
