-- Since when do people speak of counterfeit chargers?
SELECT event_date, label_then, n_docs, n_effective, share, ci_low, ci_high, mean_sentiment
FROM v_topic_trend
WHERE label LIKE '%counterfeit%' AND n_docs > 0 AND event_date >= DATE '2026-10-13' ORDER BY event_date
