-- A night at a glance: where its rows went, what failed, how fast, which model, how much moved.
WITH checks AS (
    SELECT run_date, COUNT(*) AS n_checks, COUNT(CASE WHEN NOT passed THEN 1 END) AS n_failed
    FROM $catalog.quality_checks GROUP BY run_date
),
moved AS (
    SELECT run_date, MAX(n_tested) AS n_tested, COUNT(CASE WHEN is_alert THEN 1 END) AS n_alerts
    FROM $catalog.anomalies GROUP BY run_date
)
SELECT r.run_date, r.status, r.rows_in,
    r.rows_in - r.rows_scored - r.rows_from_cache - r.rows_dup - r.rows_unsupported - r.rows_error - r.rows_rejected AS rows_lost,
    CAST(r.rows_rejected AS DOUBLE) / NULLIF(r.rows_in, 0) AS rejected_share,
    CAST(r.rows_error AS DOUBLE) / NULLIF(r.rows_in, 0) AS error_share,
    CAST(r.rows_unsupported AS DOUBLE) / NULLIF(r.rows_in, 0) AS unsupported_share,
    CAST(r.rows_dup AS DOUBLE) / NULLIF(r.rows_in, 0) AS duplicate_share,
    CAST(r.rows_from_cache AS DOUBLE) / NULLIF(r.rows_scored + r.rows_from_cache, 0) AS store_share,
    r.docs_per_s, r.model_loads, r.n_dates, r.started_at, r.ended_at,
    COALESCE(checks.n_checks, 0) AS n_checks, COALESCE(checks.n_failed, 0) AS n_failed_checks,
    COALESCE(moved.n_tested, 0) AS n_tested, COALESCE(moved.n_alerts, 0) AS n_alerts,
    r.model_key, COALESCE(r.model_key <> LAG(r.model_key) OVER (ORDER BY r.run_date), FALSE) AS is_model_change,
    r.topic_model_key, r.warnings, r.git_sha, r.run_id
FROM $catalog.runs AS r
LEFT JOIN checks ON checks.run_date = r.run_date
LEFT JOIN moved ON moved.run_date = r.run_date
