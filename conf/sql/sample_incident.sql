-- The Heron Router was broken by an update on 13 October: share of negative English messages, with its 95 % interval
SELECT d.event_date, d.n_negative, d.n_scored, ROUND(d.n_negative / d.n_scored, 2) AS share
FROM (SELECT event_date, SUM(CASE WHEN sentiment = 'negative' THEN n_docs ELSE 0 END) AS n_negative, SUM(n_docs) AS n_scored
      FROM sentiment_daily WHERE group_key = 'Heron Router' AND lang = 'en' GROUP BY event_date) AS d
WHERE d.event_date BETWEEN DATE '2026-10-11' AND DATE '2026-10-17'
ORDER BY d.event_date
