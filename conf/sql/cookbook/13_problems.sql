-- Which rows have no score, and why?
SELECT what, reason, is_failure, COUNT(*) AS n, COUNT(DISTINCT run_date) AS nights
FROM v_errors_open GROUP BY what, reason, is_failure ORDER BY n DESC, reason
