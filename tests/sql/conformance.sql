-- Statements in the forms that Databricks, Snowflake and BigQuery document, written for Nightjar, each with its answer.
-- A statement ends with a semicolon at the end of a line; the line after it, `--> `, holds the rows as JSON.
-- Any client must give these answers; tests/sql_conformance.py reads the file and takes the client as a function.

-- Sentiment, plain (Databricks ai_analyze_sentiment)
SELECT ai_analyze_sentiment('I am happy with this phone, it is wonderful.');
--> [["positive"]]
SELECT ai_analyze_sentiment('I am sad, the service was terrible.');
--> [["negative"]]
SELECT AI_ANALYZE_SENTIMENT('I love it') AS sentiment;
--> [["positive"]]
SELECT ai_analyze_sentiment(text => 'I hate it, the worst purchase ever');
--> [["negative"]]
SELECT ai_analyze_sentiment(NULL);
--> [[null]]
SELECT ai_analyze_sentiment('');
--> [[null]]
SELECT ai_analyze_sentiment(review) FROM VALUES ('great food, friendly staff'), (NULL) AS reviews(review) ORDER BY 1 NULLS LAST;
--> [["positive"], [null]]
SELECT ai_analyze_sentiment(review) AS s, count(*) AS n FROM VALUES ('I love this'), ('love it, really great'), ('I hate this, awful') AS r(review) GROUP BY 1 ORDER BY 1;
--> [["negative", 1], ["positive", 2]]
SELECT id FROM (SELECT id, ai_analyze_sentiment(review) AS s FROM VALUES (1, 'wonderful'), (2, 'horrible, disgusting') AS r(id, review)) WHERE s = 'negative';
--> [[2]]
SELECT ai_analyze_sentiment(concat('This is ', word)) FROM VALUES ('excellent'), ('dreadful') AS w(word) ORDER BY word;
--> [["negative"], ["positive"]]

-- Sentiment with aspects (Snowflake AI_SENTIMENT)
SELECT ai_sentiment('The best hotel I have ever been to!').label;
--> [["positive"]]
SELECT ai_sentiment('The best hotel I have ever been to!').score > 0.5;
--> [[true]]
SELECT ai_sentiment('Never again, it was awful.').score < -0.5;
--> [[true]]
SELECT ai_sentiment('It was awful.').confidence BETWEEN 0.34 AND 1;
--> [[true]]
SELECT ai_sentiment('I love the screen. The battery is terrible.', array('screen', 'battery')).aspects.label;
--> [[["positive", "negative"]]]
SELECT ai_sentiment('I love the screen.', array('screen', 'price')).aspects.label;
--> [[["positive", "unknown"]]]
SELECT ai_sentiment('I love the screen.', array('screen')).aspects[0].quote;
--> [["I love the screen."]]
SELECT a.name, a.label FROM (SELECT ai_sentiment(body, array('price', 'service')) AS s FROM VALUES ('The service was horrible. What a great price!') AS r(body)) LATERAL VIEW explode(s.aspects) AS a ORDER BY 1;
--> [["price", "positive"], ["service", "negative"]]
SELECT ai_sentiment('I love it').aspects IS NULL;
--> [[true]]
SELECT ai_sentiment(aspects => array('staff'), text => 'The staff were rude and unhelpful.').aspects[0].label;
--> [["negative"]]
SELECT ai_sentiment('I love it').error IS NULL;
--> [[true]]
SELECT ai_sentiment('I love it').model;
--> [["sentiment-en-tuned"]]
SELECT ai_sentiment('I am happy with this phone, it is wonderful.').lang;
--> [["en"]]
SELECT ai_sentiment('').error.code;
--> [["EMPTY_INPUT"]]
SELECT ai_sentiment(NULL) IS NULL;
--> [[true]]
SELECT ai_sentiment(repeat('good ', 100000)).error.code;
--> [["TOO_LONG"]]
SELECT ai_sentiment(CAST(unhex('FF676F6F64') AS STRING)).error IS NULL;
--> [[true]]
SELECT ai_sentiment('Das Hotel war wunderbar, wir kommen gerne wieder!').label;
--> [["positive"]]
SELECT ai_sentiment('这个手机太差了，用了两天就坏了，非常失望。').label;
--> [["negative"]]
SELECT ai_sentiment('これは日本語の文章です。').error.code;
--> [["LANG_UNSUPPORTED"]]
SELECT ai_sentiment('I love it', model => 'no such model').error.code;
--> [["UNKNOWN_MODEL"]]
SELECT ai_sentiment('I love it', array('a', 'a')).error.code;
--> [["BAD_ASPECTS"]]

-- Classification (Databricks ai_classify, Snowflake AI_CLASSIFY)
SELECT ai_classify('My password is leaked.', ARRAY('urgent', 'not urgent')) IN ('urgent', 'not urgent');
--> [[true]]
SELECT ai_classify('The striker scored twice in the final match.', ARRAY('sports', 'politics', 'cooking'));
--> [["sports"]]
SELECT ai_classify('Stir the onions in butter until golden.', array('sports', 'politics', 'cooking'));
--> [["cooking"]]
SELECT ai_classify(labels => array('sports', 'politics'), text => 'The parliament voted on the new law.');
--> [["politics"]]
SELECT ai_classify(description, ARRAY('clothing', 'shoes', 'furniture')) AS category FROM VALUES ('a wooden table with four chairs'), ('leather boots, size 42') AS products(description) ORDER BY description;
--> [["furniture"], ["shoes"]]
SELECT ai_classify(body, array('sports', 'cooking')) AS topic, count(*) FROM VALUES ('a recipe for soup'), ('the football match'), ('bake the cake') AS t(body) GROUP BY 1 ORDER BY 1;
--> [["cooking", 2], ["sports", 1]]
SELECT id FROM (SELECT id, ai_classify(body, array('sports', 'cooking')) AS topic FROM VALUES (1, 'a recipe for soup'), (2, 'the football match') AS t(id, body)) WHERE topic = 'sports';
--> [[2]]
SELECT ai_classify(NULL, array('a', 'b'));
--> [[null]]
SELECT ai_classify('text', array('one'));
--> [[null]]
SELECT ai_classify(body, array(first, 'cooking')) FROM VALUES ('the football match', 'sports'), ('the football match', 'football') AS t(body, first) ORDER BY first;
--> [["football"], ["sports"]]
SELECT ai_classify_full('The football match ended in a draw.', array('sports', 'cooking')).labels[0];
--> [["sports"]]
SELECT ai_classify_full('The football match ended in a draw.', array('sports', 'cooking')).scores['sports'] > 0.5;
--> [[true]]
SELECT ai_classify_full('The football match.', array('sports', 'cooking')).confidence > 0.5;
--> [[true]]
SELECT size(map_keys(ai_classify_full('The football match.', array('sports', 'cooking')).scores));
--> [[2]]
SELECT ai_classify_full('The football match.', array('sports', 'cooking'), threshold => 1.0).labels;
--> [[[]]]
SELECT ai_classify_full('The parliament discussed the football match.', array('football', 'parliament', 'cooking soup'), multilabel => true, threshold => 0.3).labels[0] IN ('football', 'parliament');
--> [[true]]
SELECT ai_classify_full('text', array()).error.code;
--> [["BAD_LABELS"]]
SELECT ai_classify_full('text', array('a', 'a')).error.code;
--> [["BAD_LABELS"]]
SELECT ai_classify_full('text', array('a', NULL)).error.code;
--> [["BAD_LABELS"]]
SELECT ai_classify_full('text', 'no such set').error.code;
--> [["UNKNOWN_LABELS"]]
SELECT ai_classify_full('text', array('a', '''; DROP TABLE x; --')).error IS NULL;
--> [[true]]
SELECT ai_classify_full('xxqz 123', array('sports', 'cooking'), none => true).labels;
--> [[[]]]

-- Filter (Snowflake AI_FILTER, BigQuery AI.IF)
SELECT ai_filter('The striker scored twice in the football final.', 'football');
--> [[true]]
SELECT ai_filter('Stir the onions in butter.', 'football');
--> [[false]]
SELECT id FROM VALUES (1, 'The goalkeeper saved a penalty in the football match.'), (2, 'The tax law was changed.') AS t(id, body) WHERE ai_filter(body, 'football');
--> [[1]]
SELECT ai_filter(NULL, 'football');
--> [[null]]
SELECT ai_filter('text', condition => NULL);
--> [[null]]

-- Embeddings and similarity (Databricks ai_similarity, Snowflake AI_EMBED and AI_SIMILARITY)
SELECT ai_similarity('Apache Spark', 'Apache Spark');
--> [[1.0]]
SELECT ai_similarity('a cat sat on the mat', 'a kitten was sitting on the rug') > ai_similarity('a cat sat on the mat', 'interest rates fell');
--> [[true]]
SELECT ai_similarity('Apache Spark', NULL);
--> [[null]]
SELECT company FROM VALUES ('Databricks Inc'), ('a bakery') AS c(company) ORDER BY ai_similarity(company, 'Databricks') DESC LIMIT 1;
--> [["Databricks Inc"]]
SELECT size(ai_embed('hello world'));
--> [[384]]
SELECT round(vec_cosine(ai_embed('hello world'), ai_embed('hello   world')), 5);
--> [[1.0]]
SELECT vec_cosine(array(1.0, 0.0), array(0.0, 1.0));
--> [[0.0]]
SELECT vec_cosine(array(1.0), array(1.0, 2.0));
--> [[null]]
SELECT ai_embed('');
--> [[null]]

-- Explanation
SELECT ai_explain('The food was wonderful').label;
--> [["positive"]]
SELECT t.token FROM (SELECT explode(ai_explain('The food was wonderful').tokens) AS t) ORDER BY t.weight DESC LIMIT 1;
--> [["wonderful"]]
SELECT ai_explain('The football match', array('sports', 'cooking')).label;
--> [["sports"]]
SELECT ai_explain('The food was wonderful', label => 'negative').label;
--> [["negative"]]
SELECT substring('The 😀 food was wonderful', t.start + 1, t.`end` - t.start) = t.token FROM (SELECT explode(ai_explain('The 😀 food was wonderful').tokens) AS t);
--> [[true], [true], [true], [true]]
SELECT ai_explain('The food', label => 'nothing').error.code;
--> [["UNKNOWN_LABEL"]]

-- Aggregates (Snowflake AI_AGG, BigQuery AI.AGG)
SELECT t.n_rows, t.n_read, size(t.topics) FROM (SELECT ai_topics_agg(body, 2) AS t FROM VALUES ('the battery is empty'), ('my battery died'), ('the parcel is late') AS r(body));
--> [[3, 3, 2]]
SELECT ai_topics_agg(body, 0).error.code FROM VALUES ('the battery is empty') AS r(body);
--> [["BAD_TOPICS"]]
SELECT s.n_rows, s.n_read, s.summary IS NOT NULL FROM (SELECT ai_summarize_agg(body) AS s FROM VALUES ('The battery is empty.'), ('The parcel is late.'), (NULL) AS r(body));
--> [[3, 2, true]]

-- Text alone: language, keyphrases, masking, tokens, summary (Databricks ai_mask and ai_summarize, Snowflake AI_REDACT and AI_COUNT_TOKENS)
SELECT ai_language('Das Wetter ist heute sehr schön.').lang;
--> [["de"]]
SELECT ai_language(NULL) IS NULL;
--> [[true]]
SELECT ai_mask('Write to jane.doe@example.com today.', array('email'));
--> [["Write to [EMAIL] today."]]
SELECT ai_mask('Write to jane.doe@example.com today.');
--> [["Write to [EMAIL] today."]]
SELECT ai_mask('Nothing to hide.');
--> [["Nothing to hide."]]
SELECT ai_mask(NULL);
--> [[null]]
SELECT r.category, r.start, r.`end` FROM (SELECT explode(ai_redact_spans('😀 jane.doe@example.com')) AS r);
--> [["email", 2, 22]]
SELECT ai_count_tokens('hello world') > 0;
--> [[true]]
SELECT ai_count_tokens(NULL);
--> [[null]]
SELECT size(ai_keyphrases('The battery of the phone is empty. The battery lasts an hour.', top_k => 2));
--> [[2]]
SELECT ai_summarize('Apache Spark is an engine for large-scale data analytics.', 20);
--> [["Apache Spark is an engine for large-scale data analytics."]]
SELECT ai_summarize(max_words => 20, text => NULL);
--> [[null]]
