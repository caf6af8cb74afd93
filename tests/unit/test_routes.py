"""Several models in one engine, chosen by the text's language."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import LanguageConfig, ModelConfig, NightlyConfig, RouteConfig
from pipeline.doc_labels import resolve_heads
from pipeline.errors import ModelError
from pipeline.head_training import TrainedHead, head_of, save_head
from pipeline.model_lock import encoder_identity
from pipeline.models import head_base_spec, model_rows, resolve_models, sentiment_spec
from pipeline.night_labels import resolve_label_heads
from udfs.engine import Engine
from udfs.language import LanguageIdentifier, LanguageSpec
from udfs.results import RESULTS, TEXTS
from udfs.spec import RouteSpec, ScoreSpec

REQUIRED = {"input": {"path": "/in", "columns": {"id": "id", "text": "text", "time": "at"}}, "output": {"root": "/out"}}
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
    with pytest.raises(ModelError, match=r"model.embedding: tuned-en gives its sentiment head features of its own"):
        head_base_spec(ModelConfig(embedding="tuned-en"), "sentiment")
    assert head_base_spec(ModelConfig(embedding="all-MiniLM-L6-v2"), "sentiment").encoder.dim == 384
    with pytest.raises(ModelError, match=r"heads.sentiment: sentiment-en-tuned reads features of tuned-en"):
        resolve_heads({"sentiment": "sentiment-en-tuned"})
    assert resolve_heads({"sentiment": "sentiment-en"})[0][0][1].name == "sentiment-en"


def test_a_head_for_labels_reads_the_embedding_of_an_encoder_with_features(tmp_path: Path) -> None:
    encoder = head_base_spec(ModelConfig(embedding="tuned-en"), "intent").encoder
    assert encoder.n_features > 0
    tensors = {"layers.0.weight": np.eye(2, encoder.dim, dtype=np.float32), "layers.0.bias": np.zeros(2, np.float32)}
    trained = TrainedHead(head_of(tensors, ("a", "b"), 1.0), tensors, 1.0, 1e-5, {})
    save_head(trained, tmp_path / "h", "h", ["en"], encoder, encoder_identity(encoder), {}, "intent")
    heads, _ = resolve_heads({"intent": str(tmp_path / "h")})
    assert (heads[0][0], heads[0][1].labels) == ("intent", ("a", "b"))
    night = NightlyConfig.model_validate({**REQUIRED, "model": {"heads": {"intent": str(tmp_path / "h")}}})
    assert [task for task, _ in resolve_label_heads(night, resolve_models(night))] == ["intent"]
    other = NightlyConfig.model_validate(
        {
            **REQUIRED,
            "model": {"embedding": "static-en", "sentiment": "sentiment-en-static", "heads": night.model.heads},
        }
    )
    with pytest.raises(
        ModelError, match=r"model.heads: h was trained on another encoder than those of the night \(static-en\)"
    ):
        resolve_label_heads(other, resolve_models(other))
    with pytest.raises(ValueError, match="heads: sentiment names a model of every night"):
        NightlyConfig.model_validate({**REQUIRED, "model": {"heads": {"sentiment": "sentiment-en"}}})
