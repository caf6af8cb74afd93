-- Is it a mood or a campaign? Documents and distinct opinions about Magpie Bank
SELECT event_date, COUNT(*) AS n_docs, COUNT(DISTINCT COALESCE(dup_group_id, content_key)) AS n_effective,
       AVG(CASE WHEN sentiment = 'negative' THEN 1E0 ELSE 0E0 END) AS negative_share
FROM doc_scores
WHERE group_key = 'Magpie Bank' AND sentiment IS NOT NULL AND event_date BETWEEN DATE '2026-10-18' AND DATE '2026-10-23'
GROUP BY event_date ORDER BY event_date
