"""What the functions of SQL know, before anything is loaded: a small frozen description that travels to executors."""

from dataclasses import dataclass

from udfs.models.spec import HeadSpec
from udfs.spec import ScoreSpec


@dataclass(frozen=True)
class CacheSpec:
    """The result cache of a node.

    Attributes:
        folder: on a local disk, shared by all that name it; None for a folder of the executor's own that ends with it.
        max_bytes: the oldest results go when the file is larger.
        wait_sec: how long a process waits for a text that another one is scoring before it scores it itself.
    """

    folder: str | None = None
    max_bytes: int = 4 << 30
    wait_sec: float = 600.0


@dataclass(frozen=True)
class LabelSetSpec:
    """Labels with a name: described in words, or a trained head.

    Attributes:
        descriptions: (label, descriptions) of each; empty where a head decides.
        head: reads the unit embedding of `model`.
        model: the name of the model whose vectors are read.
    """

    name: str
    descriptions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    head: HeadSpec | None = None
    model: str = ""


@dataclass(frozen=True)
class ModelSpec:
    """A model by name: what scores, and the same encoders without their sentiment heads, which cover more languages."""

    name: str
    scoring: ScoreSpec
    embedding: ScoreSpec


@dataclass(frozen=True)
class SqlSpec:
    """Everything the functions need.

    Attributes:
        models: the first is what a call without `model` uses.
        index: folder of the indexed score stores; None without a store.
        max_text_chars: longer texts are `TOO_LONG`.
        temperature: what cosines are divided by before they are probabilities of labels.
        agg_rows: distinct texts of a group that an aggregate reads.
        explain_units: words, or runs of words in long texts, that `ai_explain` takes away one by one.
    """

    models: tuple[ModelSpec, ...]
    label_sets: tuple[LabelSetSpec, ...] = ()
    cache: CacheSpec = CacheSpec()
    index: str | None = None
    max_text_chars: int = 200_000
    temperature: float = 0.055
    agg_rows: int = 2_000
    explain_units: int = 64

    def model(self, name: str | None) -> ModelSpec | None:
        """Return a model by name, the first for None; None where there is no such model."""
        return self.models[0] if name is None else next((m for m in self.models if m.name == name), None)

    def label_set(self, name: str) -> LabelSetSpec | None:
        """Return a label set by name; None where there is none."""
        return next((one for one in self.label_sets if one.name == name), None)
