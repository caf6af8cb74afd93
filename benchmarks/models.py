"""Which models are measured, and the sizes that decide their work."""

import argparse
import json
from dataclasses import replace

from benchmarks.bounds import Shape
from udfs.models.files import locate
from udfs.spec import EncoderSpec, ScoreSpec


def spec_of(embedding: str, sentiment: str, mode: str, device: str = "cpu") -> ScoreSpec:
    """Return the spec of a configuration, one chunk per text as the peers read it; embedding only without `sentiment`."""
    # here, so that a machine without pyspark can measure specs of its own
    from pipeline.config import LanguageConfig, ModelConfig
    from pipeline.models import embedding_spec, sentiment_spec

    config = ModelConfig.model_validate(
        {"embedding": embedding, "device": device}
        | ({"sentiment": sentiment} if sentiment else {})
        | ({"mode": mode} if mode != "exact" else {})
    )
    spec = sentiment_spec(config, LanguageConfig()) if sentiment else embedding_spec(config)
    return replace(spec, max_chunks=1)


def shape_of(encoder: EncoderSpec) -> Shape:
    """Read the sizes of an encoder from its configuration."""
    config = json.loads((locate(encoder.source) / "config.json").read_text(encoding="utf-8"))
    return Shape(config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"])


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which models."""
    parser.add_argument("--embedding", default="all-MiniLM-L6-v2", help="as model.embedding of the configuration")
    parser.add_argument("--sentiment", default="sentiment-en", help="as model.sentiment; empty: embed only")
