-- Where every row of the three weeks went
SELECT SUM(rows_in) AS rows_in, SUM(rows_scored) AS scored, SUM(rows_from_cache) AS from_store, SUM(rows_dup) AS duplicates,
       SUM(rows_unsupported) AS other_languages, SUM(rows_error) AS errors, SUM(rows_rejected) AS rejected
FROM runs
