-- Is there something that the topics do not know yet? Share of documents beyond every topic's usual distance
SELECT event_date, SUM(n_other) AS n_other, SUM(n_docs) AS n_docs, SUM(n_other) * 1E0 / SUM(n_docs) AS other_share
FROM topics_daily WHERE event_date >= DATE '2026-10-12' GROUP BY event_date ORDER BY event_date
