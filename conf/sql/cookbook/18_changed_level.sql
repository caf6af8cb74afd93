-- Which products moved to another level for good?
SELECT group_key, metric, direction, slope, slope_low, slope_high, changepoint, changepoint_step, changepoint_q
FROM trends WHERE run_date = DATE '2026-10-25' AND kind = 'group' AND direction <> 'flat'
ORDER BY changepoint_q, group_key, metric
