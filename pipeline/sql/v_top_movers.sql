-- What moved beyond chance on each night, the surest first, with the largest part of each change.
WITH parts AS (
    SELECT run_date, metric, key, dimension, segment, component, contribution, change,
        ROW_NUMBER() OVER (
            PARTITION BY run_date, metric, key ORDER BY ABS(contribution) DESC, dimension, segment, component
        ) AS place
    FROM $catalog.trend_drivers
    WHERE contribution * change > 0
)
SELECT a.event_date,
    CAST(ROW_NUMBER() OVER (PARTITION BY a.run_date ORDER BY a.q_value, ABS(a.score) DESC, a.metric, a.key) AS INT) AS place,
    a.metric, a.kind, a.key, a.direction, a.value, a.expected, a.lower, a.upper, a.value - a.expected AS excess,
    a.q_value, a.likely_cause,
    parts.dimension AS driver_dimension, parts.segment AS driver_segment, parts.component AS driver_component,
    parts.contribution AS driver_contribution, parts.change AS driver_change,
    a.topic_id, topics.label AS topic_label, a.group_key, a.source, a.lang, a.phrase, a.aspect, a.run_id
FROM $catalog.anomalies AS a
LEFT JOIN parts ON parts.run_date = a.run_date AND parts.metric = a.metric AND parts.key = a.key AND parts.place = 1
LEFT JOIN $catalog.topics AS topics ON topics.run_date = a.run_date AND topics.topic_id = a.topic_id
WHERE a.is_alert
