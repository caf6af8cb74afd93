-- How did the last nights go?
SELECT run_date, status, rows_in, rows_lost, rejected_share, error_share, n_failed_checks, n_tested, n_alerts, is_model_change
FROM v_run_health ORDER BY run_date DESC LIMIT 5
