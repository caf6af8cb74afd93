-- Which phrases came up on 13 October?
SELECT display AS phrase, n_effective, expected, burst, mean_sentiment
FROM keyphrases_daily
WHERE run_date = DATE '2026-10-13' AND lang = 'en' AND n_effective >= 10
ORDER BY burst DESC, phrase LIMIT 8
