-- What do people write about today? Topics with their size, mood and how well the label holds on texts it was not made from
SELECT t.topic_id, t.label, t.label_fit, d.n_docs, d.n_effective, d.share, d.mean_sentiment
FROM topics AS t JOIN topics_daily AS d ON d.run_date = t.run_date AND d.topic_id = t.topic_id
WHERE t.run_date = DATE '2026-10-25' AND t.status = 'active'
ORDER BY d.n_docs DESC, t.topic_id LIMIT 10
