-- How sentiment develops per day, source, group and language, over all topics, and where the model behind the series changed.
WITH nights AS (
    SELECT DISTINCT event_date, model_key, COALESCE(cascade_key, '') AS cascade_key FROM $catalog.sentiment_daily
),
neighbours AS (
    SELECT event_date, model_key, cascade_key,
        LAG(model_key) OVER (ORDER BY event_date) AS model_before,
        LAG(cascade_key) OVER (ORDER BY event_date) AS cascade_before
    FROM nights
),
series AS (
    SELECT event_date,
        MAX(CASE WHEN model_key <> model_before OR cascade_key <> cascade_before THEN event_date END)
            OVER (ORDER BY event_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS model_changed_on
    FROM neighbours
),
days AS (
    SELECT event_date, source, group_key, lang, sentiment, model_key, cascade_key,
        CAST(SUM(n_docs) AS BIGINT) AS n_docs,
        CAST(SUM(n_scored) AS BIGINT) AS n_scored,
        SUM(mean_score * n_scored) / NULLIF(SUM(n_scored), 0) AS mean_score
    FROM $catalog.sentiment_daily
    GROUP BY event_date, source, group_key, lang, sentiment, model_key, cascade_key
),
shares AS (
    SELECT days.*, NULLIF(n_scored, 0) AS trials, CAST(n_docs AS DOUBLE) / NULLIF(n_scored, 0) AS share
    FROM days
)
SELECT shares.event_date, shares.source, shares.group_key, shares.lang, shares.sentiment, shares.n_docs, shares.n_scored,
    share,
    $wilson_low AS ci_low,
    $wilson_high AS ci_high,
    shares.mean_score, shares.model_key, shares.cascade_key, series.model_changed_on,
    COALESCE(shares.event_date = series.model_changed_on, FALSE) AS is_break,
    bridge.shift AS bridge_shift, bridge.shift_low AS bridge_shift_low, bridge.shift_high AS bridge_shift_high
FROM shares
JOIN series ON series.event_date = shares.event_date
LEFT JOIN $catalog.model_bridge AS bridge
    ON bridge.run_date = series.model_changed_on AND bridge.lang = shares.lang AND bridge.sentiment = shares.sentiment
