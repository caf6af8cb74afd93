"""Several models in one engine, chosen by the text's language."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import LanguageConfig, ModelConfig, RouteConfig
from pipeline.doc_labels import LabelDocumentsConfig, resolve_heads
from pipeline.errors import ModelError
from pipeline.models import head_base_spec, model_rows, sentiment_spec
from udfs.engine import Engine
from udfs.language import LanguageIdentifier, LanguageSpec
from udfs.results import RESULTS, TEXTS
from udfs.spec import RouteSpec, ScoreSpec

STATIC = ModelConfig(embedding="static-en", sentiment="sentiment-en-static", device="cpu")


@pytest.fixture(scope="module")
def english() -> ScoreSpec:
    return sentiment_spec(STATIC, LanguageConfig())


@pytest.fixture(scope="module")
def routed(english: ScoreSpec) -> ScoreSpec:
    """The same encoder twice: for English with its head, and for Spanish and French under another name."""
    assert english.sentiment is not None
    encoder = replace(english.encoder, name="other", languages=("es", "fr"))
    head = replace(english.sentiment, name="other-head", languages=("es", "fr"))
    return replace(english, others=(RouteSpec(encoder, head),))


def score(spec: ScoreSpec, rows: list[tuple[str, str]]) -> pa.Table:
    columns = {"content_key": [str(i) for i in range(len(rows))], "lang_hint": [r[0] for r in rows]}
    table = pa.table(columns | {"text": [r[1] for r in rows]}, schema=TEXTS)
    return pa.Table.from_batches(list(Engine(spec).score(table.to_batches())), schema=RESULTS)


ROWS = [("es", "good thing"), ("en", "bad thing, never again"), ("zh", "坏"), ("fr", "a nice one"), ("en", "fine")]


def test_each_text_goes_to_the_model_of_its_language(english: ScoreSpec, routed: ScoreSpec) -> None:
    found = score(routed, ROWS).to_pylist()
    heads = ["other-head", "sentiment-en-static", None, "other-head", "sentiment-en-static"]
    assert [r["sentiment_model"] for r in found] == heads
    assert [r["error_code"] for r in found] == [None, None, "LANG_UNSUPPORTED", None, None]
    alone = score(english, [("en", text) for _, text in ROWS]).to_pylist()
    for one, other in zip(found, alone, strict=True):
        if one["error_code"] is None:
            assert np.allclose(one["embedding"], other["embedding"], atol=1e-6)
            assert (one["sentiment"], one["sentiment_score"]) == (other["sentiment"], other["sentiment_score"])
            assert (one["n_tokens"], one["n_chunks"], one["coverage"]) == (other["n_tokens"], 1, 1.0)


def test_routes_are_part_of_the_model_key_and_none_changes_nothing(english: ScoreSpec, routed: ScoreSpec) -> None:
    assert routed.model_key() != english.model_key()
    assert routed.space_key() == english.space_key()
    assert routed.languages() == ("en", "es", "fr")
    assert [routed.route_of(lang) for lang in ("en", "fr", "zh")] == [0, 1, None]


def test_every_route_is_in_the_models_table(routed: ScoreSpec) -> None:
    rows = [(r["task"], r["name"]) for r in model_rows(routed)]
    assert rows.count(("sentiment", "other-head")) == 1
    assert rows.count(("embedding", "other")) == 1
    assert len(rows) == len(set(rows)) == 5


def test_a_route_of_another_space_is_refused() -> None:
    other = RouteConfig(embedding="all-MiniLM-L6-v2", sentiment="sentiment-en")
    with pytest.raises(ModelError, match=r"model.others.0.embedding: all-MiniLM-L6-v2 gives vectors of another space"):
        sentiment_spec(STATIC.model_copy(update={"others": (other,)}), LanguageConfig())


def test_an_undecided_text_goes_to_the_model_of_its_likeliest_covered_language() -> None:
    spec = LanguageSpec(("en", "es", "zh"), "x", min_confidence=1.0, min_covered=0.1)
    identifier = LanguageIdentifier(spec, ("en", "es"))
    found = identifier.identify("¿Dónde está el paquete que pedí ayer?")
    assert (found.code, found.scored_as) == ("und", "es")
    assert LanguageIdentifier(spec, ("zh",)).identify("Where is the parcel?").scored_as is None


def test_heads_are_not_mixed_up_between_features_and_embeddings() -> None:
    with pytest.raises(ModelError, match=r"model.embedding: tuned-en gives heads features of its own"):
        head_base_spec(ModelConfig(embedding="tuned-en"))
    assert head_base_spec(ModelConfig(embedding="all-MiniLM-L6-v2")).encoder.dim == 384
    wrong = LabelDocumentsConfig(root="/in", output="/out", heads={"sentiment": "sentiment-en-tuned"})
    with pytest.raises(ModelError, match=r"heads.sentiment: sentiment-en-tuned reads features of tuned-en"):
        resolve_heads(wrong)
    right = LabelDocumentsConfig(root="/in", output="/out", heads={"sentiment": "sentiment-en"})
    assert resolve_heads(right)[0][0][1].name == "sentiment-en"
