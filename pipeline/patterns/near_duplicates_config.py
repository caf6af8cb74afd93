"""Settings of near-duplicates, and the banding that follows from them."""

import math

from pydantic import Field, model_validator

from pipeline.settings import Frozen
from udfs.hyperplanes import HyperplaneSpec
from udfs.minhash import MinHashSpec


class NearDuplicatesConfig(Frozen):
    """What counts as a near-duplicate, and what as a campaign.

    Attributes:
        similarity: least weighted Jaccard similarity of the words of a text and of its group's canonical text.
        short_similarity: the same for texts of fewer than `short_tokens` words, of their character n-grams.
        recall: probability that two texts of exactly `similarity` become candidates; more similar ones do so more often.
        max_hashes: limit of hash functions: more make fewer false candidates, and more rows to sort.
        sketch_size: distinct words of a text up to which similarity is exact; of longer ones it is estimated from so many.
        rounds: how often what is not similar to the canonical text of its component is grouped anew.
        history_nights: how far back a group looks for the one whose id it carries on.
        semantic_similarity: least cosine of embeddings of the same meaning; None for none of these groups.
        campaign_*: see `docs/patterns/near_duplicates.md`; a campaign fulfils all of them.
    """

    similarity: float = Field(default=0.45, ge=0.2, le=0.95)
    short_similarity: float = Field(default=0.6, ge=0.2, le=1.0)
    short_tokens: int = Field(default=6, ge=2, le=20)
    recall: float = Field(default=0.95, ge=0.5, le=0.999)
    max_hashes: int = Field(default=128, ge=16, le=1_024)
    sketch_size: int = Field(default=256, ge=64, le=4_096)
    rounds: int = Field(default=3, ge=1, le=10)
    history_nights: int = Field(default=7, ge=0, le=60)
    semantic_similarity: float | None = Field(default=None, ge=0.7, lt=1.0)
    max_planes: int = Field(default=256, ge=32, le=1_024)
    campaign_min_docs: int = Field(default=10, ge=2)
    campaign_min_tokens: int = Field(default=8, ge=1)
    campaign_burst_hours: int = Field(default=6, ge=1, le=24)
    campaign_min_burst: float = Field(default=0.5, ge=0.0, le=1.0)
    campaign_min_source_share: float = Field(default=0.8, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _can_be_banded(self) -> "NearDuplicatesConfig":
        if bands_needed(self.similarity, self.recall, 1) > self.max_hashes:
            raise ValueError(
                f"max_hashes: {self.max_hashes} are too few for recall {self.recall} at similarity {self.similarity}"
            )
        return self

    def minhash(self) -> MinHashSpec:
        """Return what the executors need to make sketches and bands."""
        bands, rows = banding(self.similarity, self.recall, self.max_hashes)
        return MinHashSpec(bands, rows, self.sketch_size, self.short_tokens)

    def hyperplanes(self) -> HyperplaneSpec | None:
        """Return the random hyperplanes for `semantic_similarity`; None where that is None."""
        if self.semantic_similarity is None:
            return None
        same_side = 1 - math.acos(self.semantic_similarity) / math.pi
        return HyperplaneSpec(*banding(same_side, self.recall, self.max_planes))


def bands_needed(agreement: float, recall: float, rows: int) -> int:
    """Return the least b with 1 - (1 - agreement^rows)^b >= recall."""
    return math.ceil(math.log(1 - recall) / math.log1p(-(agreement**rows)) - 1e-9)


def banding(agreement: float, recall: float, max_hashes: int) -> tuple[int, int]:
    """Return bands b and rows r: of all r with b * r <= max_hashes the largest, and the least b that gives the recall.

    Two texts whose hashes agree with probability s share at least one band with probability 1 - (1 - s^r)^b (Leskovec, Rajaraman
    and Ullman, Mining of Massive Datasets, chapter 3). The larger r, the steeper this S-curve, and the fewer candidates below s.
    """
    rows = 1
    while (rows + 1) * bands_needed(agreement, recall, rows + 1) <= max_hashes:
        rows += 1
    return bands_needed(agreement, recall, rows), rows
