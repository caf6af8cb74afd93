-- Every row of every night that has no score, and why: unscored documents and rejected rows of the runs published now.
SELECT event_date, 'document' AS what, error_code AS reason, doc_id, lang, source, group_key,
    error_code <> 'LANG_UNSUPPORTED' AS is_failure, CAST(NULL AS STRING) AS rejected_column, CAST(NULL AS STRING) AS file,
    run_date, run_id
FROM $catalog.doc_scores
WHERE error_code IS NOT NULL
UNION ALL
SELECT COALESCE(CAST(event_ts AS DATE), run_date), 'row', reason, doc_id, CAST(NULL AS STRING), source, group_key,
    TRUE, rejected_column, file, run_date, run_id
FROM $catalog.rejects
