"""Which models are measured, what computes them, and the sizes that decide their work."""

import argparse
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.bounds import Shape
from udfs.models.files import locate
from udfs.spec import EncoderSpec, Runtime, ScoreSpec

if TYPE_CHECKING:
    from pipeline.config import ModelConfig

# pipeline is imported within the functions, so that a machine without pyspark can measure specs of its own


def config_of(args: argparse.Namespace, mode: str, device: str = "cpu") -> "ModelConfig":
    """Return the configuration that the arguments of `add_model_arguments` describe."""
    from pipeline.config import ModelConfig

    names = {"embedding": args.embedding} | ({"sentiment": args.sentiment} if args.sentiment else {})
    return ModelConfig.model_validate({**names, "mode": mode, "device": device})


def spec_of(args: argparse.Namespace, mode: str, device: str = "cpu") -> ScoreSpec:
    """Return the spec of the arguments, one chunk per text as the peers read it; embedding only without `--sentiment`."""
    from pipeline.config import LanguageConfig
    from pipeline.models import embedding_spec, sentiment_spec

    config = config_of(args, mode, device)
    spec = sentiment_spec(config, LanguageConfig()) if args.sentiment else embedding_spec(config)
    return replace(spec, max_chunks=1)


def with_runtime(spec: ScoreSpec, name: str, precision: str) -> ScoreSpec:
    """Return `spec` with the runtime asked for; what is `auto` the engine's self-test chooses, in this process.

    Raises:
        ValueError: there is no such runtime here.
    """
    from udfs.selftest import choose_runtime

    if "auto" not in (name, precision):
        return replace(spec, runtime=Runtime(name, precision))  # type: ignore[arg-type]
    outcome = json.loads(choose_runtime(spec, name, precision, None))
    if outcome["chosen"] is None:
        raise ValueError(f"no runtime {name} {precision} here; there are: {', '.join(outcome['available'])}")
    return replace(spec, runtime=Runtime(**outcome["chosen"]))


def shape_of(encoder: EncoderSpec) -> Shape:
    """Read the sizes of an encoder from its configuration.

    Raises:
        ValueError: it is no Transformer; matrix products do not bound a static encoder.
    """
    config = json.loads((locate(encoder.source) / "config.json").read_text(encoding="utf-8"))
    if "num_hidden_layers" not in config:
        raise ValueError(f"{encoder.name}: is no Transformer; its limit is the tokeniser, see benchmarks.static_tier")
    return Shape(config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"])


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which models."""
    parser.add_argument("--embedding", default="all-MiniLM-L6-v2", help="as model.embedding of the configuration")
    parser.add_argument("--sentiment", default="sentiment-en", help="as model.sentiment; empty: embed only")


def add_runtime_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what computes."""
    parser.add_argument("--runtime", default="auto", help="auto, torch or openvino")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16, float16 or int8")
