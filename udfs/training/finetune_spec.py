"""What a fine-tuning is, before it runs: frozen descriptions that travel to the processes that train."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from udfs.models.spec import EncoderSpec

if TYPE_CHECKING:
    from udfs.training.finetuning import FineTuneTask


@dataclass(frozen=True)
class LoraSpec:
    """Low-rank adaptation: to each linear layer whose name ends in one of `targets` a product of rank `rank` is added.

    Its factor is alpha / rank: Hu et al. (2021), arXiv:2106.09685.
    """

    rank: int
    alpha: int
    targets: tuple[str, ...]


@dataclass(frozen=True)
class HeadTask:
    """A head: `weight` is that of its rows in the loss.

    `class_weights` multiply the loss of rows of each label; () weighs them the same. `label_smoothing` gives so much of a row's
    probability to all labels alike: Szegedy et al. (2016), arXiv:1512.00567.
    """

    name: str
    labels: tuple[str, ...]
    weight: float = 1.0
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class LabelledSource:
    """A labelled set in the shards: the head its rows train, and the positions of the labels it knows; () for all.

    A set without neutral rows says nothing of neutral: the loss and the metrics of its rows are among the labels it knows.
    """

    name: str
    head: str
    known: tuple[int, ...] = ()


@dataclass(frozen=True)
class FineTuneTaskSpec:
    """An encoder to be tuned together with heads.

    The column `head` of the shards holds the name of the row's source, `label` a position among the labels of its head.

    Attributes:
        base: any Hugging Face encoder, not itself a tuned one.
        lora: None trains the encoder's own weights.
        frozen: tensors whose names hold one of these stay as they are.
        keep_space: weight of 1 - cosine of a text's unit embedding to that of the untouched base; 0 lets the space go.
        keep_share: the share of micro-batches in which that is computed (with a weight so much larger): each costs a pass more.
        head_lr_factor: times the learning rate of the encoder is that of the heads.
        head_dropout: on the first token's state, before the heads.
        seed: draws heads and pairs of low rank.
    """

    base: EncoderSpec
    heads: tuple[HeadTask, ...]
    sources: tuple[LabelledSource, ...]
    seed: int
    lora: LoraSpec | None = None
    frozen: tuple[str, ...] = ()
    keep_space: float = 0.0
    keep_share: float = 1.0
    head_lr_factor: float = 10.0
    head_dropout: float = 0.1

    def build(self) -> "FineTuneTask":
        """Return the task; the same weights for the same seed.

        Raises:
            TrainingError: the base is no Hugging Face encoder, or a name of `frozen` or `lora.targets` is none of its own.
        """
        from udfs.training.finetuning import FineTuneTask

        return FineTuneTask(self)
