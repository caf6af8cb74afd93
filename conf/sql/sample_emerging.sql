-- Counterfeit chargers for the Kite Scooter turn up on 16 October: documents per day of the topic that grew most
SELECT d.event_date, t.label, d.n_docs, ROUND(d.share, 3) AS share, ROUND(d.ci_low, 3) AS ci_low, ROUND(d.ci_high, 3) AS ci_high
FROM topics_daily AS d JOIN topics AS t ON t.run_date = d.run_date AND t.topic_id = d.topic_id
WHERE d.event_date >= DATE '2026-10-14' AND d.topic_id = (
  SELECT topic_id FROM topics_daily GROUP BY topic_id
  ORDER BY SUM(CASE WHEN event_date >= DATE '2026-10-19' THEN n_docs ELSE -n_docs END) DESC LIMIT 1)
ORDER BY d.event_date
