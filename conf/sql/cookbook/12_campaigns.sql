-- Which campaigns were there?
SELECT run_date, dup_group_id, n_docs, n_texts, n_sources, top_source_share, burst_share, min_similarity
FROM dup_groups WHERE is_campaign ORDER BY run_date, n_docs DESC
