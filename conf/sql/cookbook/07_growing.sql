-- Which topics are larger today than in their week before?
SELECT topic_id, label, n_effective, mean_effective_before, n_effective / mean_effective_before AS times
FROM v_topic_trend
WHERE event_date = DATE '2026-10-25' AND n_effective >= 10 AND mean_effective_before > 0
ORDER BY times DESC, topic_id LIMIT 5
