-- Where do customers complain most today? English, per product and channel, the surest first
SELECT group_key, source, n_docs, n_effective, negative_share, ci_low, ci_high
FROM v_sentiment_latest WHERE lang = 'en'
ORDER BY ci_low DESC, group_key, source LIMIT 8
