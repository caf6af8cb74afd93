"""A trained folder on plain texts: perplexity and classes against the model's own numbers, text by text."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from pipeline.errors import ModelError
from pipeline.evaluation_config import TrainedModel
from pipeline.trained_models import TrainedClassifier, load_trained
from udfs.models.files import ModelFileError
from udfs.models.language_model_config import LanguageModelConfig
from udfs.models.language_models import build, save
from udfs.models.trained_texts import TrainedTexts

TEXTS = ["abc", "a", "cabbac", "bb"]
VOCABULARY = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "c": 6}


def folder_of(folder: Path, architecture: str, **changes: object) -> Path:
    """A random model over the letters a, b and c."""
    facts: dict[str, object] = {"architecture": architecture, "vocabulary_size": 7, "hidden_size": 8, "n_layers": 1}
    facts |= {"max_tokens": 5, "dropout": 0.0, "pad_id": 0, "bos_id": 1, "eos_id": 2}
    facts |= {} if architecture == "gru" else {"n_heads": 2}
    torch.manual_seed(0)
    model = build(LanguageModelConfig.model_validate(facts | changes))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    save(model, folder)
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    return folder


@pytest.mark.parametrize("architecture", ["gru", "decoder"])
def test_perplexity_is_that_of_the_tokens_one_by_one(architecture: str, tmp_path: Path) -> None:
    trained = TrainedTexts(folder_of(tmp_path / "m", architecture))
    # max_tokens 5 leaves room for 3 letters: the third text is read in two pieces
    pieces = ["abc", "a", "cab", "bac", "bb"]
    total, n = 0.0, 0
    with torch.inference_mode():
        for piece in pieces:
            ids = torch.tensor([[1, *(VOCABULARY[letter] for letter in piece), 2]])
            logits = trained.model.logits(trained.model.hidden(ids, torch.ones_like(ids, dtype=torch.bool)))
            chances = logits[0, :-1].log_softmax(dim=1)
            total -= float(chances[torch.arange(len(piece) + 1), ids[0, 1:]].sum())
            n += len(piece) + 1
    found = trained.perplexity(TEXTS)
    assert found.n_tokens == n == 17
    assert found.value == pytest.approx(math.exp(total / n), rel=1e-5)
    assert found.bits_per_byte == pytest.approx(total / math.log(2) / 12, rel=1e-5)


def test_a_label_head_classifies_each_text_as_if_it_were_alone(tmp_path: Path) -> None:
    heads = {"sentiment": ("positive", "negative")}
    folder = folder_of(tmp_path / "m", "gru", heads=heads)
    trained = load_trained(
        TrainedModel(name="m", family="f", kind="language_model", folder=str(folder), head="sentiment")
    )
    together = trained.label_probabilities(TEXTS, "sentiment")
    alone = np.concatenate([trained.label_probabilities([text], "sentiment") for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert together[:, 0].std() > 0.01
    found = TrainedClassifier(trained, "sentiment").probabilities(TEXTS)
    np.testing.assert_array_equal(found, np.stack([together[:, 1], np.zeros(4), together[:, 0]], axis=1))


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "m", "encoder", heads={"topic": ("sports", "politics")})
    with pytest.raises(ValueError, match="architecture encoder has no perplexity"):
        TrainedTexts(folder).perplexity(TEXTS)
    named = TrainedModel(name="m", family="f", kind="language_model", folder=str(folder), head="topic")
    with pytest.raises(ModelError, match="has the labels sports, politics, not sentiments"):
        load_trained(named)
    with pytest.raises(ModelError, match="mood: the model has topic"):
        load_trained(named.model_copy(update={"head": "mood"}))
    with pytest.raises(ModelError, match=r"models\.m\.folder: .*no such folder"):
        load_trained(named.model_copy(update={"folder": str(tmp_path / "none")}))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelFileError, match=r"tokenizer\.json: missing"):
        TrainedTexts(folder)
