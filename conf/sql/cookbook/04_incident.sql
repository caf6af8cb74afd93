-- How did the Heron Router's mood change around the firmware of 13 October? English
SELECT event_date, SUM(n_docs) AS n_negative, SUM(n_scored) AS n_scored, SUM(n_docs) * 1E0 / SUM(n_scored) AS negative_share
FROM v_sentiment_trend
WHERE group_key = 'Heron Router' AND lang = 'en' AND sentiment = 'negative'
  AND event_date BETWEEN DATE '2026-10-11' AND DATE '2026-10-17'
GROUP BY event_date ORDER BY event_date
