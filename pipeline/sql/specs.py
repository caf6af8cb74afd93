"""Names of the configuration turned into verified specs, on the driver."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.config import LanguageConfig, NightModelConfig
from pipeline.doc_labels import resolve_head
from pipeline.errors import ModelError
from pipeline.model_lock import encoder_identity
from pipeline.models import sentiment_spec
from pipeline.sql.config import DEFAULT, LabelSetConfig, SqlConfig
from udfs.spec import RouteSpec
from udfs.sql.spec import CacheSpec, LabelSetSpec, ModelSpec, SqlSpec


def resolve_sql(config: SqlConfig) -> SqlSpec:
    """Find, check and describe all models and heads.

    Raises:
        ModelError: one is unknown, unsafe or changed, or a head fits none of the models.
    """
    models = tuple(
        _model(name, model, config.language, config.max_chars)
        for name, model in {DEFAULT: config.model, **config.models}.items()
    )
    gib = 1 << 30
    return SqlSpec(
        models=models,
        label_sets=tuple(_label_set(name, one, config, models) for name, one in config.label_sets.items()),
        cache=CacheSpec(
            str(Path(config.cache.folder).absolute()) if config.cache.folder else None,
            int(config.cache.max_gib * gib),
            config.cache.wait_sec,
        ),
        index=str(Path(config.store.index).absolute()) if config.store else None,
        max_text_chars=config.max_text_chars,
        temperature=config.temperature,
        agg_rows=config.agg_rows,
        explain_units=config.explain_units,
    )


def _model(name: str, model: NightModelConfig, language: LanguageConfig, max_chars: int) -> ModelSpec:
    section = "model" if name == DEFAULT else f"models.{name}"
    scoring = replace(sentiment_spec(model, language, section), max_chars=max_chars)
    others = tuple(RouteSpec(route.encoder, None) for route in scoring.others)
    return ModelSpec(name, scoring, replace(scoring, sentiment=None, others=others))


def _label_set(name: str, one: LabelSetConfig, config: SqlConfig, models: Sequence[ModelSpec]) -> LabelSetSpec:
    if one.head is None or one.task is None:
        return LabelSetSpec(name, tuple(one.labels.items()), None, one.model or "")
    head, encoder_sha256 = resolve_head(one.task, one.head, config.model.lock)
    fitting = [m.name for m in models if encoder_identity(m.scoring.encoder) == encoder_sha256]
    if not fitting:
        raise ModelError(
            f"label_sets.{name}.head: {head.name} was trained on an encoder that none of models has; add one, for example "
            "models: {minilm: {embedding: all-MiniLM-L6-v2, sentiment: sentiment-en}}"
        )
    return LabelSetSpec(name, (), head, fitting[0])
