"""From the best weights of a fine-tuning to saved models: heads judged and calibrated on validation, encoder, model card."""

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.finetuning.card import model_card
from pipeline.finetuning.config import FineTuneConfig
from pipeline.finetuning.export import TunedHead, save_tuned
from pipeline.finetuning.run import Prepared, task_spec
from pipeline.head_training import head_of, make_labelled, validate
from pipeline.label_heads import precision_thresholds
from pipeline.labelled import SET_NAME
from pipeline.softmax_regression import FORBIDDEN, fit_temperature, probabilities
from pipeline.training.corpus import KEPT, TRAIN, VALIDATION
from pipeline.training.plots import plot_losses
from udfs.models.spec import EncoderSpec
from udfs.training.spec import Outcome

if TYPE_CHECKING:
    from udfs.training.finetuning import FineTuneTask

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class States:
    """What heads read of the n validation rows: (n, h) float32; the rows' label positions (n,) and n names of sets."""

    states: NDArray[np.float32]
    labels: NDArray[np.int64]
    sets: NDArray[np.object_]


def save_best(config: FineTuneConfig, data: Prepared, base: EncoderSpec, outcome: Outcome) -> list[TunedHead]:
    """Calibrate the heads of the best weights, write encoder, heads and model card to `output`; return the saved heads."""
    from udfs.training.checkpoint import load_best
    from udfs.training.processes import choose

    task = task_spec(config, data, base).build()
    load_best(data.run_folder, task.module)
    task.module.to(choose(config.processes.device, 0)).eval()
    changed = task.round_to_half()
    states = read_states(task, data.shards(VALIDATION), config.loop.micro_rows)
    heads = [tuned_head(config, data, task, states, name) for name, head in config.heads.items() if head.is_saved]
    plot_losses(data.run_folder / "metrics.jsonl", data.folder / "loss.png", config.name)
    save_tuned(
        Path(config.output), config.name, base, changed.tensors, heads, keeps_space=config.keep_space > 0,
        lora_scale=changed.lora_scale, card=model_card(config, data, base, outcome, heads),
    )  # fmt: skip
    return heads


def read_states(task: "FineTuneTask", folder: str, batch_rows: int) -> States:
    """Run the encoder over shards, in this process."""
    from udfs.training.shards import Shards

    shards = Shards(folder, task.pad_id)
    device = next(task.module.parameters()).device
    states: list[NDArray[np.float32]] = []
    labels: list[NDArray[np.int64]] = []
    sets: list[str] = []
    for rows in shards.in_order(batch_rows):
        batch = shards.batch(rows).to(device)
        assert batch.labels is not None
        states.append(task.states(batch).float().cpu().numpy())
        labels.append(batch.labels.cpu().numpy())
        sets += batch.heads
    return States(np.concatenate(states), np.concatenate(labels), np.array(sets, dtype=np.object_))


def tuned_head(config: FineTuneConfig, data: Prepared, task: "FineTuneTask", states: States, name: str) -> TunedHead:
    """Calibrate a head on its validation sets by one temperature (arXiv:1706.04599), judge it, and set its thresholds."""
    head, labels, what = config.heads[name], data.labels[name], config.task_of(name)
    layer: Any = task.tuned.heads[name]
    weight, bias = (t.detach().float().cpu().numpy() for t in (layer.weight, layer.bias))
    mine = np.isin(states.sets, [one.name for one in head.validation])
    gold = [labels[i] for i in states.labels[mine]]
    rows = make_labelled(states.states[mine], gold, list(states.sets[mine]), labels, knows_all=what != "sentiment")
    tensors = {"layers.0.weight": weight, "layers.0.bias": bias}
    logits = np.where(rows.allowed, head_of(tensors, labels, 1.0).logits(rows.embeddings), FORBIDDEN)
    temperature = fit_temperature(logits, rows.labels)
    facts: dict[str, Any] = {}
    if head.min_precision is not None:
        chances = probabilities(logits, temperature)
        facts["thresholds"] = precision_thresholds(chances, rows.labels, head.min_precision)
    return TunedHead(
        name=f"{config.name}-{name}",
        task=what,
        labels=labels,
        languages=head.languages,
        weight=weight,
        bias=bias,
        temperature=temperature,
        training={"rows": data.total(SET_NAME, head=name, part=TRAIN, fate=KEPT), **recipe(config, name)},
        validation=validate(head_of(tensors, labels, temperature), rows),
        facts=facts,
    )


def recipe(config: FineTuneConfig, name: str) -> dict[str, Any]:
    """Return how a head was trained, for head.json and the model card."""
    head, loop = config.heads[name], config.loop
    low_rank = {"rank": config.lora.rank, "alpha": config.lora.alpha} if config.method == "lora" else {}
    return {
        "method": config.method, **low_rank, "weight": head.weight, "class_weight": head.class_weight,
        "label_smoothing": head.label_smoothing, "keep_space": config.keep_space, "epochs": loop.epochs,
        "batch_rows": loop.batch_rows, "lr": loop.lr, "seed": loop.seed,
    }  # fmt: skip
