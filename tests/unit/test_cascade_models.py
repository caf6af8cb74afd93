"""Which full model a cascade gets, and what is refused before anything runs."""

from typing import Any

import pytest

from pipeline.config import CascadeConfig, NightlyConfig, NightModelConfig
from pipeline.errors import ModelError
from pipeline.models import resolve_full_model, resolve_models

STATIC = NightModelConfig(embedding="static-en", sentiment="sentiment-en-static")


def config(model: NightModelConfig, **cascade: Any) -> NightlyConfig:
    return NightlyConfig.model_validate(
        {
            "input": {"path": "/in", "max_chars": 500},
            "output": {"root": "/out"},
            "model": model,
            "cascade": CascadeConfig(**cascade),
        }
    )


def test_the_full_model_differs_from_the_base_in_its_models_alone() -> None:
    wanted = config(STATIC, enabled=True)
    base = resolve_models(wanted)
    full = resolve_full_model(wanted, base)
    assert full is not None
    assert full.sentiment is not None
    assert (full.encoder.name, full.sentiment.name) == ("tuned-en", "sentiment-en-tuned")
    assert (full.max_chars, full.max_chunks, full.language) == (base.max_chars, base.max_chunks, base.language)
    alone = config(NightModelConfig(others=()))
    assert full == resolve_models(alone), "its scores are those of a night it scores alone, and are shared with it"


def test_without_a_cascade_there_is_no_full_model() -> None:
    wanted = config(STATIC, sentiment="no-such-head")
    assert resolve_full_model(wanted, resolve_models(wanted)) is None


@pytest.mark.parametrize(
    ("model", "cascade", "says"),
    [
        (
            NightModelConfig(others=()),
            {},
            "cascade: the full model is the base model; name a cheap one in model.embedding",
        ),
        (STATIC, {"embedding": "no-such-model"}, "cascade.embedding: 'no-such-model' is no entry of the lock file"),
        (STATIC, {"sentiment": "no-such-head"}, "cascade.sentiment: 'no-such-head' is no entry of the lock file"),
        (STATIC, {"sentiment": "sentiment-en-static"}, "cascade.sentiment: sentiment-en-static was trained on the"),
    ],
)
def test_a_full_model_that_does_not_fit_is_refused(model: NightModelConfig, cascade: dict[str, str], says: str) -> None:
    wanted = config(model, enabled=True, **cascade)
    base = resolve_models(wanted)
    with pytest.raises(ModelError) as caught:
        resolve_full_model(wanted, base)
    assert str(caught.value).startswith(says)
