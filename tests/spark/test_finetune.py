"""Fine-tuning from Parquet to saved models: which rows are trained on, and that what is saved scores."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tiny_bert import sentences, write_base

from pipeline.config import LanguageConfig, ModelConfig
from pipeline.errors import ConfigError
from pipeline.finetuning.calibration import save_best
from pipeline.finetuning.config import FineTuneConfig
from pipeline.finetuning.rows import with_handles
from pipeline.finetuning.run import base_encoder, check_output, fit, prepare, task_spec
from pipeline.models import sentiment_spec
from udfs.models.files import locate


@pytest.fixture
def config(tmp_path: Path) -> FineTuneConfig:
    rows = sentences(150)
    spare = [("only in evaluation", "positive"), ("twice here bad", "negative"), ("twice here bad", "positive")]
    files = {
        "train": [*((text, label) for text, label, _ in rows[:120]), *spare, ("of no class", "angry")],
        "validation": [(text, label) for text, label, _ in rows[90:]],
        "polar": [(text, label) for text, label, _ in rows[:30] if label != "neutral"],
        "things": [(text, thing) for text, _, thing in rows[:90]],
        "things-validation": [(text, thing) for text, _, thing in rows[120:]],
    }
    for name, content in files.items():
        pd.DataFrame(content, columns=["text", "label"]).to_parquet(tmp_path / f"{name}.parquet")
    pd.DataFrame({"body": ["Only in evaluation", "only in\tevaluation ", None]}).to_parquet(tmp_path / "judged.parquet")
    write_base(tmp_path / "base")

    def sets(*names: str, **more: Any) -> list[dict[str, Any]]:
        return [{"name": name, "path": str(tmp_path / f"{name}.parquet"), **more} for name in names]

    heads = {
        "sentiment": {"train": sets("polar", "train"), "validation": sets("validation"), "label_smoothing": 0.05},
        "thing": {
            "train": sets("things", max_rows=60), "validation": sets("things-validation"), "weight": 0.5,
            "class_weight": "balanced", "min_precision": 0.5,
        },
    }  # fmt: skip
    return FineTuneConfig.model_validate(
        {
            "name": "tiny", "output": str(tmp_path / "out"), "heads": heads, "keep_space": 0.5, "max_tokens": 16,
            "base": {"embedding": str(tmp_path / "base"), "embedding_languages": ["en"]},
            "evaluation": [{"path": str(tmp_path / "judged.parquet"), "columns": ["body"]}],
            "loop": {"batch_rows": 16, "micro_rows": 16, "epochs": 6, "lr": 0.01, "metric": "macro_f1", "threads": 1},
        }
    )  # fmt: skip


def test_from_labelled_sets_to_models_that_score(spark: SparkSession, config: FineTuneConfig) -> None:
    base = base_encoder(config)
    check_output(config)
    data = prepare(spark, config, base)

    def fates(name: str) -> dict[str, int]:
        return data.total("fate", set_name=name, part="train")

    train = pd.read_parquet(config.heads["sentiment"].train[1].path)
    polar = set(pd.read_parquet(config.heads["sentiment"].train[0].path)["text"])
    judged = set(pd.read_parquet(config.heads["sentiment"].validation[0].path)["text"])
    usable = train[train["label"] != "angry"]
    left = usable[~usable["text"].isin(judged) & (usable["text"] != "only in evaluation")]
    n_kept = len(set(left["text"]) - polar)
    assert fates("train") == {
        "evaluation": 1,
        "validation": int(usable["text"].isin(judged).sum()),
        "duplicate": len(left) - n_kept,
        "kept": n_kept,
    }
    assert fates("train")["validation"] >= 30
    assert fates("things")["kept"] <= 60
    assert data.labels["thing"] == ("chair", "lamp", "road", "table")
    spec = task_spec(config, data, base)
    known = {source.name: source.known for source in spec.sources}
    assert known == {
        "polar": (0, 2),
        "train": (0, 1, 2),
        "validation": (0, 1, 2),
        "things": (),
        "things-validation": (),
    }
    counts = data.total("label", head="thing", part="train", fate="kept")
    weights = dict(zip(data.labels["thing"], spec.heads[1].class_weights, strict=True))
    assert sum(weights[label] * n for label, n in counts.items()) == pytest.approx(sum(counts.values()))
    assert weights["lamp"] * counts["lamp"] == pytest.approx(weights["road"] * counts["road"])

    outcome = fit(config, data, base)
    assert prepare(spark, config, base) == data  # read from the work folder
    heads = save_best(config, data, base, outcome)
    assert heads[0].validation["validation"].macro_f1 > 0.8
    output = Path(config.output)
    facts = json.loads((output / "tiny-thing" / "head.json").read_text())
    assert facts["task"] == "thing"
    assert len(facts["thresholds"]) == 4
    assert facts["training"]["rows"] == {"things": fates("things")["kept"]}
    card = (output / "encoder" / "README.md").read_text()
    assert f"| sentiment | train | {n_kept:,} |" in card
    models = ModelConfig(
        embedding=str(output / "encoder"), sentiment=str(output / "tiny-sentiment"), embedding_languages=("en",)
    )
    scored = sentiment_spec(models, LanguageConfig())
    assert scored.encoder.n_features == scored.encoder.dim
    assert (locate(scored.encoder.source) / "config.json").is_file()
    with pytest.raises(ConfigError, match="exists; a model is never overwritten"):
        check_output(config)


def test_handles_are_made_up_for_a_share_of_the_texts(spark: SparkSession) -> None:
    keys = spark.range(400).select(F.sha2(F.col("id").cast("string"), 256).alias("key"))
    text = with_handles(F.lit("hi @user and @username"), F.col("key"), 0.5, 1)
    found = [row[0] for row in keys.select(text).collect()]
    replaced = [one for one in found if one != "hi @user and @username"]
    assert 150 < len(replaced) < 250
    assert all(one.startswith("hi @") and one.endswith(" and @username") for one in replaced)
    assert len(set(replaced)) > 100


def test_problems_of_a_configuration_are_said_together(config: FineTuneConfig, tmp_path: Path) -> None:
    data = config.model_dump()
    data["heads"]["sentiment"]["min_precision"] = 0.9
    data["loop"]["metric"] = "f1"
    with pytest.raises(
        ValueError, match=r"min_precision: every text gets a sentiment.*loop\.metric f1: there are macro_f1"
    ):
        FineTuneConfig.model_validate(data)
    check_output(config)
    with pytest.raises(ConfigError, match="holds a training of another configuration"):
        check_output(config.model_copy(update={"keep_space": 1.0}))
