"""Functions over text alone, called from SQL."""

import pytest
from pyspark.sql import Row, SparkSession

from pipeline.sql.register import register_functions
from udfs.sql_text import FUNCTIONS

TEXT = "😀客服 mail me at a@b.co or +1 212 555 0123. The router drops. It was wet."


@pytest.fixture(scope="module")
def answer(spark: SparkSession) -> Row:
    register_functions(spark, FUNCTIONS)
    spark.createDataFrame([(TEXT,)], "body string").createOrReplaceTempView("text_rows")
    row = spark.sql(
        """SELECT ai_mask(body) AS m, ai_mask(mask => '[MASKED]', labels => array('email'), text => body) AS one,
        ai_mask_full(body, array('person')) AS refused, ai_mask(CAST(NULL AS STRING)) AS nothing, ai_redact_spans(body) AS spans,
        ai_language('La batería no dura nada') AS l, ai_keyphrases(body, 2) AS k, ai_count_tokens('good day', 'static-en') AS n,
        ai_count_tokens_full(body, 'x') AS unknown, ai_summarize(body, max_words => 4) AS s, ai_summarize_full(body) AS full,
        substring(body, ai_redact_spans(body)[0].start + 1, 6) AS cut
        FROM text_rows"""
    ).first()
    assert row is not None
    return row


def test_answers_have_their_types(answer: Row) -> None:
    masked = "😀客服 mail me at [EMAIL] or [PHONE]. The router drops. It was wet."
    assert (answer.m, answer.one, answer.nothing) == (masked, TEXT.replace("a@b.co", "[MASKED]"), None)
    assert (answer.refused.masked, answer.refused.error.code) == (None, "BAD_ARGUMENT")
    assert [(s.category, TEXT[s.start : s.end], s.error) for s in answer.spans] == [
        ("email", "a@b.co", None),
        ("phone", "+1 212 555 0123", None),
    ]
    assert answer.cut == "a@b.co"
    assert (answer.l.lang, answer.n, answer.unknown.error.code) == ("es", 2, "UNKNOWN_MODEL")
    assert len(answer.k) == 2
    assert answer.k[0].score >= answer.k[1].score
    assert answer.s in TEXT
    assert (answer.full.summary, answer.full.n_sentences, answer.full.error) == (TEXT, 3, None)


def test_broken_utf_8_fails_no_query(spark: SparkSession, answer: Row) -> None:
    rows = spark.sql(
        "SELECT ai_mask(CAST(x'61FF406240612E636F' AS STRING)) AS m, ai_language(CAST(x'FF' AS STRING)) AS l"
    ).first()
    assert rows is not None
    assert rows.l.error is None or rows.l.error.code == "EMPTY_INPUT"
    assert isinstance(rows.m, str)
