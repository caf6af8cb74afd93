-- Which products have more messages or more complaints than chance explains, and what is behind it?
SELECT event_date, group_key, metric, value, expected, lower, upper, q_value, likely_cause, driver_dimension, driver_segment
FROM v_top_movers WHERE kind = 'group' AND metric IN ('n_docs', 'negative_share')
ORDER BY event_date, metric, group_key
