-- Sentiment of the last published night per source, group and language, over all topics: one row each, near-duplicates also counted once.
WITH last_night AS (SELECT MAX(run_date) AS run_date FROM $catalog.runs),
docs AS (
    SELECT d.run_date, d.run_id, d.source, d.group_key, d.lang, d.sentiment, d.sentiment_score, d.model_key,
        COALESCE(d.dup_group_id, d.content_key) AS unit
    FROM $catalog.doc_scores AS d JOIN last_night ON d.run_date = last_night.run_date
),
counts AS (
    SELECT run_date, run_id, source, group_key, lang, model_key,
        COUNT(*) AS n_docs,
        COUNT(DISTINCT unit) AS n_effective,
        COUNT(sentiment) AS n_scored,
        COUNT(CASE WHEN sentiment = 'negative' THEN 1 END) AS n_negative,
        COUNT(CASE WHEN sentiment = 'neutral' THEN 1 END) AS n_neutral,
        COUNT(CASE WHEN sentiment = 'positive' THEN 1 END) AS n_positive,
        AVG(sentiment_score) AS mean_score
    FROM docs
    GROUP BY run_date, run_id, source, group_key, lang, model_key
),
shares AS (
    SELECT counts.*, NULLIF(n_scored, 0) AS trials, CAST(n_negative AS DOUBLE) / NULLIF(n_scored, 0) AS share
    FROM counts
)
SELECT run_date, source, group_key, lang, n_docs, n_effective, n_scored, n_negative, n_neutral, n_positive,
    share AS negative_share,
    $wilson_low AS ci_low,
    $wilson_high AS ci_high,
    mean_score, model_key, run_id
FROM shares
