-- Which product and topic have most complaints in the last week?
SELECT s.group_key, t.label, SUM(s.n_docs) AS n_negative, SUM(s.n_effective) AS n_effective
FROM sentiment_daily AS s JOIN topics AS t ON t.run_date = DATE '2026-10-25' AND t.topic_id = s.topic_id
WHERE s.sentiment = 'negative' AND s.event_date > DATE '2026-10-18'
GROUP BY s.group_key, t.label ORDER BY n_negative DESC, s.group_key, t.label LIMIT 8
