-- In which channel are people angriest, over the three weeks?
SELECT source, SUM(n_docs) AS n_negative, SUM(n_scored) AS n_scored, SUM(n_docs) * 1E0 / SUM(n_scored) AS negative_share
FROM sentiment_daily WHERE sentiment = 'negative' GROUP BY source ORDER BY negative_share DESC
