"""The model card of a tuned encoder and its heads."""

from collections.abc import Sequence

from pipeline.finetuning.config import FineTuneConfig
from pipeline.finetuning.export import TunedHead
from pipeline.finetuning.run import Prepared
from pipeline.labelled import SET_NAME
from pipeline.training.corpus import KEPT, TRAIN
from pipeline.training.plots import read_log
from udfs.models.spec import EncoderSpec
from udfs.training.spec import Outcome


def model_card(
    config: FineTuneConfig, data: Prepared, base: EncoderSpec, outcome: Outcome, heads: Sequence[TunedHead]
) -> str:
    """Return README.md: what it is, what it was trained on and how, how good it is, and what it is not for."""
    return "\n".join(
        [
            f"# {config.name}",
            "",
            *_what(config, base, heads),
            "",
            "## Trained on",
            "",
            "| head | set | rows trained on | left out |",
            "|---|---|---|---|",
            *_sets(data),
            "",
            "No text is part of these files; the sets' licences are their publishers'. "
            "No text of a validation or evaluation set was trained on (equal content key).",
            "",
            "## How",
            "",
            *_how(config, data, outcome),
            "",
            "## How good, on the validation sets",
            "",
            "| head | set | n | accuracy | macro-F1 | calibration error |",
            "|---|---|---|---|---|---|",
            *_figures(heads),
            "",
            f"Mean cosine of the embeddings of the validation texts to those of {base.name}: {outcome.best['cosine']:.4f}.",
            "",
            "## Limits",
            "",
            "The weights and the temperatures were chosen on these validation sets: expect a little less on other texts. "
            f"Trained on the first {config.max_tokens} tokens of a text; of longer ones the states of the chunks are averaged.",
            "",
        ]
    )


def _what(config: FineTuneConfig, base: EncoderSpec, heads: Sequence[TunedHead]) -> list[str]:
    how = f"low-rank pairs (rank {config.lora.rank})" if config.method == "lora" else "changed tensors"
    kept = (
        "kept: vectors may be compared with the base's"
        if config.keep_space
        else "not kept: vectors compare only with each other"
    )
    lines = [
        f"{base.name}, fine-tuned by `jobs/finetune.py`: the {how} are laid over the base when it is loaded. "
        f"The base's embedding space was {kept}. Heads, on the first token's state:",
        "",
    ]
    return lines + [f"- `{head.name}`: {', '.join(head.labels)} (temperature {head.temperature:.3f})" for head in heads]


def _sets(data: Prepared) -> list[str]:
    rows = []
    for head in data.labels:
        for name in data.total(SET_NAME, head=head, part=TRAIN):
            fates = data.total("fate", head=head, part=TRAIN, set_name=name)
            kept = fates.pop(KEPT, 0)
            left_out = ", ".join(f"{n:,} {fate}" for fate, n in sorted(fates.items())) or "none"
            rows.append(f"| {head} | {name} | {kept:,} | {left_out} |")
    return rows


def _how(config: FineTuneConfig, data: Prepared, outcome: Outcome) -> list[str]:
    loop = config.loop
    steps, _ = read_log(data.run_folder / "metrics.jsonl")
    minutes = sum(step["seconds"] for step in steps) / 60
    heads = "; ".join(
        f"{name}: weight {head.weight:g}, label smoothing {head.label_smoothing:g}, class weights {head.class_weight}"
        for name, head in config.heads.items()
    )
    return [
        f"AdamW, highest learning rate {loop.lr:g} (heads x {config.head_lr_factor:g}), {outcome.steps:,} steps of "
        f"{loop.batch_rows} rows, {loop.precision}, seed {loop.seed}, {minutes:.1f} minutes in training steps. "
        f"Weight of 1 - cosine to the base's embedding: {config.keep_space:g}. Frozen: {', '.join(config.frozen) or 'nothing'}. "
        f"Handles made up for `@user`: {config.replace_handles:.0%} of the texts. {heads}. "
        f"The weights are those of step {outcome.best_step:,}, the best `{loop.metric}`, rounded to float16.",
    ]


def _figures(heads: Sequence[TunedHead]) -> list[str]:
    return [
        f"| {head.name} | {name} | {m.n:,} | {m.accuracy:.3f} | {m.macro_f1:.3f} | {m.calibration_error:.3f} |"
        for head in heads
        for name, m in head.validation.items()
    ]
