"""Saving what was trained: safetensors, config.json, tokenizer.json and a model card, written aside and renamed."""

import math
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.errors import ConfigError
from pipeline.training.config import TrainConfig
from pipeline.training.corpus import KEPT, TRAIN, VALIDATION
from pipeline.training.heads import save_heads
from pipeline.training.plots import plot_losses, read_log
from pipeline.training.run import Prepared, task_spec
from udfs.training.spec import Outcome

_LOG = "metrics.jsonl"


def export(config: TrainConfig, data: Prepared, outcome: Outcome) -> Path:
    """Write the best weights as a model folder, and the loss curve `loss.png` to the work folder; return the model folder.

    Heads that a night can use lie beside it, each in a folder of its own (`pipeline.training.heads`), and not in the model. The
    model's folder is the last to appear.

    Raises:
        ConfigError: the output exists.
    """
    import torch
    from torch import nn

    from udfs.models.language_models import LanguageModel, load, save
    from udfs.training.checkpoint import load_best

    module = task_spec(config, data).build().module
    assert isinstance(module, LanguageModel)
    load_best(data.run_folder, module)
    output = Path(config.output)
    temporary = output.with_name(f".{output.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    all_heads, apart = module.heads, config.head_folders
    module.heads = nn.ModuleDict({name: head for name, head in all_heads.items() if name not in apart})
    left = {name: labels for name, labels in module.config.heads.items() if name not in apart}
    module.config = module.config.model_copy(update={"heads": left})
    save(module, temporary, getattr(torch, config.weights), ("tokens.weight",) if config.int8_tokens else ())
    shutil.copyfile(data.tokenizer, temporary / "tokenizer.json")
    n_parameters = sum(p.numel() for p in module.parameters())
    (temporary / "README.md").write_text(model_card(config, data, outcome, n_parameters), encoding="utf-8")
    if apart:
        saved = load(temporary)  # as rounded
        saved.heads = all_heads
        save_heads(config, data, saved, temporary)
    if output.exists():
        raise ConfigError(f"output: {output} exists; a model is never overwritten, give a new output")
    temporary.rename(output)
    plot_losses(data.run_folder / _LOG, data.folder / "loss.png", config.name)
    return output


def figures(config: TrainConfig, data: Prepared, outcome: Outcome) -> dict[str, float]:
    """Return the metrics of the best validation; for causal models also `bits_per_byte`, which no tokenizer changes.

    bits_per_byte = summed loss / (ln 2 x UTF-8 bytes of the validation texts).
    """
    found = dict(outcome.best)
    if config.objective == "causal_lm":
        n_tokens = _predicted_tokens(data.shards(VALIDATION))
        found["bits_per_byte"] = found["loss"] * n_tokens / (math.log(2) * data.kept(VALIDATION, "n_bytes"))
    return found


def model_card(config: TrainConfig, data: Prepared, outcome: Outcome, n_parameters: int) -> str:
    """Return README.md of the model: what it is, what it was trained on, how good it is, and what it is not for."""
    steps, _ = read_log(data.run_folder / _LOG)
    seconds = sum(step["seconds"] for step in steps)
    model, loop = config.model, config.loop
    sizes = f"{model.n_layers} layers of width {model.hidden_size}, {data.vocabulary_size:,} tokens"
    lines = [
        f"# {config.name}",
        "",
        f"A language model ({model.architecture}, {sizes}, {n_parameters:,} parameters) trained with `jobs/train.py`, "
        f"objective `{config.objective}`. Languages: {', '.join(config.languages)}.",
        "",
        "## Trained on",
        "",
        "| set | read for | rows kept | dropped |",
        "|---|---|---|---|",
        *_set_rows(data.fates),
        "",
        "Texts of these sets are not part of this model's files; their licences are their publishers'.",
        *_excluded(config),
        "",
        "## How",
        "",
        f"AdamW, highest learning rate {loop.lr:g}, {outcome.steps:,} steps of {loop.batch_rows} rows, {loop.precision}, "
        f"seed {loop.seed}; {seconds / 60:.1f} minutes in training steps, {config.processes.count} process(es). "
        f"The weights are those of step {outcome.best_step:,}, the best `{loop.metric}` on the validation part.",
        "",
        "## How good, on the validation part",
        "",
        "| metric | value |",
        "|---|---|",
        *(f"| {name} | {value:.4f} |" for name, value in figures(config, data, outcome).items()),
        "",
        "Perplexities of models with different tokenizers do not compare; bits per byte do.",
        "",
        "## Limits",
        "",
        f"It reads at most {model.max_tokens} tokens at once and knows the kinds of text above. It can repeat what was in them, "
        "offensive or personal text included.",
        "",
    ]
    return "\n".join(lines)


def _set_rows(fates: list[dict[str, Any]]) -> list[str]:
    rows = []
    for name, part in sorted({(f["set_name"], f["part"]) for f in fates}):
        mine = {f["fate"]: f["n"] for f in fates if (f["set_name"], f["part"]) == (name, part)}
        kept = mine.pop(KEPT, 0)
        dropped = ", ".join(f"{n:,} {fate}" for fate, n in sorted(mine.items())) or "none"
        rows.append(f"| {name} | {'training' if part == TRAIN else part} | {kept:,} | {dropped} |")
    return rows


def _excluded(config: TrainConfig) -> list[str]:
    names = ", ".join(one.path for one in config.corpus.exclude)
    return [f"No training text equals, in letters and digits, a text of: {names}."] if names else []


def _predicted_tokens(folder: str) -> int:
    """Return how many tokens a causal model predicts in a part: all but the first of each row."""
    total = 0
    for file in Path(folder).glob("*.parquet"):
        lengths = pq.read_table(file, columns=["ids"]).column("ids")
        total += sum(len(chunk.flatten()) - len(chunk) for chunk in lengths.chunks)
    return total
