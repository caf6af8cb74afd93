-- Each night is held against the nights before it: products with more messages than chance explains
SELECT event_date, group_key, value, round(expected, 1) AS expected, round(lower, 1) AS lower, round(upper, 1) AS upper, likely_cause
FROM anomalies
WHERE is_alert AND kind = 'group' AND metric = 'n_docs'
ORDER BY event_date
