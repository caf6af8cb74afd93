-- The Heron Router was broken by an update on 13 October: negative share of English messages with its Wilson 95 % interval
WITH day AS (
  SELECT event_date, SUM(CASE WHEN sentiment = 'negative' THEN n_docs ELSE 0 END) AS n_negative, SUM(n_docs) AS n
  FROM sentiment_daily WHERE group_key = 'Heron Router' AND lang = 'en' GROUP BY event_date),
share AS (SELECT event_date, n_negative, n, n_negative / n AS p, 3.8415 / n AS z FROM day)
SELECT event_date, n_negative, n, ROUND(p, 2) AS share,
       ROUND((p + z / 2 - SQRT(p * (1 - p) * z + z * z / 4)) / (1 + z), 2) AS ci_low,
       ROUND((p + z / 2 + SQRT(p * (1 - p) * z + z * z / 4)) / (1 + z), 2) AS ci_high
FROM share WHERE event_date BETWEEN DATE '2026-10-11' AND DATE '2026-10-17'
ORDER BY event_date
