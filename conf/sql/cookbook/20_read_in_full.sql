-- Which documents were too long to be read to the end?
SELECT doc_id, n_chars, n_tokens, n_chunks, coverage, sentiment
FROM doc_scores WHERE n_chunks > 1 ORDER BY n_chars DESC, doc_id LIMIT 8
