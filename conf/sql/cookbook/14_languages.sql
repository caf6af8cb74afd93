-- How many documents are in each language, and which model scored them?
SELECT lang, COALESCE(sentiment_model, error_code) AS scored_by, COUNT(*) AS n_docs, AVG(sentiment_score) AS mean_score
FROM doc_scores GROUP BY lang, COALESCE(sentiment_model, error_code) ORDER BY n_docs DESC, lang
