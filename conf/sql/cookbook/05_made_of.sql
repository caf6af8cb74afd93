-- What is the Heron Router's wave of 14 October made of? Parts of the change in messages, by topic
SELECT d.component, t.label, d.contribution, d.change
FROM trend_drivers AS d LEFT JOIN topics AS t ON t.run_date = d.run_date AND CAST(t.topic_id AS STRING) = d.segment
WHERE d.run_date = DATE '2026-10-14' AND d.metric = 'n_docs' AND d.key = 'group_key=Heron Router' AND d.dimension = 'topic_id'
ORDER BY ABS(d.contribution) DESC, d.segment, d.component LIMIT 5
