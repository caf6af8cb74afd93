-- Which phrases belong to the charger?
SELECT source, target, n_effective, npmi, mean_sentiment
FROM concept_graph
WHERE run_date = DATE '2026-10-25' AND lang = 'en' AND (source LIKE '%charger%' OR target LIKE '%charger%')
ORDER BY npmi DESC, source, target LIMIT 8
