"""The configuration of jobs/train.py, its shipped files, and the tokenizers it trains."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tokenizers import Tokenizer

from pipeline.config import load_job_config
from pipeline.errors import ConfigError
from pipeline.training.config import SPECIAL_TOKENS, TokenizerConfig, TrainConfig
from pipeline.training.run import check_output
from pipeline.training.tokenizer_training import train_tokenizer
from udfs.models.tokenise import TextTokenizer

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "conf" / "jobs").glob("train_*.yaml"))
TEXTS = [
    f"the {a} {b} near the river, {i}"
    for i, a in enumerate("old new red big".split())
    for b in "house boat dog".split()
]


def plain(**changes: Any) -> dict[str, Any]:
    return {
        "name": "x",
        "output": "out/x",
        "objective": "causal_lm",
        "corpus": {"train": [{"name": "a", "path": "a.parquet"}], "held_back": 0.1},
        "model": {"architecture": "gru", "hidden_size": 8, "n_layers": 1, "max_tokens": 16},
        "loop": {"batch_rows": 8, "micro_rows": 4, "epochs": 1, "lr": 0.01},
        **changes,
    }


def one_set(**more: Any) -> dict[str, Any]:
    return {"corpus": {"train": [{"name": "a", "path": "a.parquet", **more}], "held_back": 0.1}}


def load(tmp_path: Path, data: dict[str, Any]) -> TrainConfig:
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(data))
    return load_job_config(TrainConfig, tmp_path / "c.yaml")


@pytest.mark.parametrize("path", [p for p in SHIPPED if "head" not in p.name], ids=lambda p: p.name)
def test_shipped_configurations_load_and_open_with_their_command(path: Path) -> None:
    load_job_config(TrainConfig, path)
    assert path.read_text(encoding="utf-8").startswith(f"# python jobs/train.py --config conf/jobs/{path.name}\n")


def test_language_models_that_are_compared_hold_back_the_same_texts() -> None:
    recurrent, transformer = (
        load_job_config(TrainConfig, ROOT / "conf" / "jobs" / f"train_lm_{name}.yaml")
        for name in ("recurrent", "transformer")
    )
    assert recurrent.corpus == transformer.corpus
    assert transformer.tokenizer.file == f"{recurrent.output}/tokenizer.json"
    assert recurrent.model.max_tokens == transformer.model.max_tokens


def test_the_vocabulary_follows_from_the_tokenizer(tmp_path: Path) -> None:
    config = load(tmp_path, plain(tokenizer={"size": 500}))
    assert config.model.vocabulary_size == 500
    assert (config.model.pad_id, config.model.bos_id, config.model.eos_id, config.model.mask_id) == (0, 1, 2, 4)
    assert str(config.work_folder) == "out/x-work"


def test_every_problem_is_reported_with_its_key(tmp_path: Path) -> None:
    model = {**plain()["model"], "hiden_size": 3}
    with pytest.raises(ConfigError) as error:
        load(tmp_path, plain(model=model, loop={"batch_rows": 2, "micro_rows": 4, "epochs": 0, "lr": 1}, colour="red"))
    assert "model.hiden_size: unknown key; did you mean hidden_size?" in str(error.value)
    assert "loop.epochs: " in str(error.value)
    assert "colour: unknown key" in str(error.value)


ENCODER_WITH_NGRAMS = {
    "architecture": "encoder", "hidden_size": 8, "n_layers": 1, "n_heads": 2, "max_tokens": 16, "ngram_buckets": 8,
    "heads": {"x": ["a", "b"]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": "masked_lm"}, r"model.architecture gru: objective masked_lm needs encoder"),
        (
            {"objective": "classification"},
            r"model.heads: missing.*corpus set a: objective classification needs `label`",
        ),
        (
            {"objective": "multitask", "model": {**plain()["model"], "heads": {"x": [f"c{i}" for i in range(64)]}}},
            r"model.heads.x: 64 labels; objective multitask takes 63 at most",
        ),
        ({"frozen": ["tokens"]}, "frozen: needs `start`, the model it belongs to"),
        (
            {"objective": "multitask", "loop": {**plain()["loop"], "metric": "spearman"}},
            "loop.metric spearman: no set that is validated on has `pair` and `score`",
        ),
        ({"token_dropout": 0.1}, "token_dropout 0.1: belongs to objective multitask"),
        (
            {"objective": "multitask", "ngram_dropout": 1.0},
            "ngram_dropout 1: the model has no n-grams; set model.ngram_buckets",
        ),
        ({"ngram_dropout": 0.5}, "ngram_dropout 0.5: belongs to objective multitask"),
        (
            {"objective": "multitask", "ngram_dropout": 1.0, "start": "m", "model": ENCODER_WITH_NGRAMS},
            "ngram_dropout 1: n-grams never learn; lower it, or name `start` and `start_heads` that have them",
        ),
        ({"ngram_dropout": 1.5}, "ngram_dropout: "),
        ({"token_dropout": 1.0}, "token_dropout: "),
        ({"start": "m", "start_heads": {"mood": "m-mood"}}, "start_heads.mood: not among model.heads"),
        (one_set(pair="b", score="s"), "corpus set a: pair and score belong to objective multitask"),
        (one_set(pair="b"), "set a: `pair` and `score` belong together; name both columns or neither"),
        (
            one_set(pair="b", score="s", score_range=[5, 0]),
            r"score_range \[5.0, 0.0\]: the first must be less than the second",
        ),
        ({"loop": {**plain()["loop"], "metric": "f1"}}, r"loop.metric f1: objective causal_lm has loss, perplexity"),
        ({"corpus": {"train": plain()["corpus"]["train"]}}, "nothing to validate on"),
        ({"tokenizer": {"kind": "wordpiece", "scripts": ["kana"]}}, "scripts kana: wordpiece takes han only"),
        ({"model": {**plain()["model"], "pad_id": 7}}, r"model.pad_id: follows from the tokenizer; remove it"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, plain(**changes))


def test_a_work_folder_belongs_to_one_configuration(tmp_path: Path) -> None:
    config = load(tmp_path, plain(output=str(tmp_path / "model")))
    check_output(config)
    check_output(load(tmp_path, plain(output=str(tmp_path / "model"), spark={"driver.memory": "3g"})))
    other = load(tmp_path, plain(output=str(tmp_path / "model"), tokenizer={"size": 400}))
    with pytest.raises(ConfigError, match="holds a training of another configuration"):
        check_output(other)
    (tmp_path / "model").mkdir()
    with pytest.raises(ConfigError, match="a model is never overwritten"):
        check_output(config)


@pytest.mark.parametrize("kind", ["unigram", "bpe", "wordpiece"])
def test_a_trained_tokenizer_has_its_special_tokens_around_a_text(kind: Any) -> None:
    content = train_tokenizer(TEXTS, TokenizerConfig(kind=kind, size=320))
    tokenizer = Tokenizer.from_str(content.decode())
    assert [tokenizer.token_to_id(t) for t in SPECIAL_TOKENS] == [0, 1, 2, 3, 4]
    ids = tokenizer.encode("the old boat").ids
    assert (ids[0], ids[-1]) == (1, 2)
    assert tokenizer.decode(ids).strip() == "the old boat"
    assert TextTokenizer(content).chunks(["the old boat"], 16, 1).ids.tolist() == ids


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_no_character_is_unknown_where_bytes_spell_it(kind: Any) -> None:
    tokenizer = Tokenizer.from_str(train_tokenizer(TEXTS, TokenizerConfig(kind=kind, size=320)).decode())
    ids = tokenizer.encode("天气很好 🦉").ids
    assert 3 not in ids
    assert tokenizer.decode(ids).strip() == "天气很好 🦉"


def test_a_whole_script_becomes_tokens_or_the_size_is_refused() -> None:
    config = TokenizerConfig(size=600, byte_fallback=False, scripts=("kana",))
    tokenizer = Tokenizer.from_str(train_tokenizer(TEXTS, config).decode())
    assert 3 not in tokenizer.encode("ぁゖァヺ").ids
    with pytest.raises(ConfigError, match=r"tokenizer.size: 600 has no room"):
        train_tokenizer(TEXTS, TokenizerConfig(kind="unigram", size=600, scripts=("han",)))
