-- What do texts say in plain sentences?
SELECT run_date, subject, relation, object, n_effective FROM facts ORDER BY n_effective DESC, run_date, subject LIMIT 8
