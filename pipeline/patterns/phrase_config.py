"""Settings of keyphrases, association rules and the concept graph. All bounds are per night."""

from typing import Literal

from pydantic import Field

from pipeline.settings import Fraction, Frozen

ItemKind = Literal["phrase", "topic", "group", "source", "lang", "sentiment"]


class KeyphrasesConfig(Frozen):
    """Phrases: what is read, counted and published.

    `min_docs` counts distinct texts. `max_counted` and `max_phrases` are per language; `max_bursts` more may enter because
    their share rose most, so that a new phrase is not lost among the old ones.
    """

    max_chars: int = Field(default=5_000, ge=100, le=1_000_000)
    max_phrases_per_text: int = Field(default=400, ge=10, le=10_000)
    min_docs: int = Field(default=2, ge=1, le=1_000_000)
    max_counted: int = Field(default=50_000, ge=10, le=1_000_000)
    max_phrases: int = Field(default=500, ge=1, le=20_000)
    max_bursts: int = Field(default=200, ge=0, le=20_000)
    min_published: int = Field(default=3, ge=1, le=1_000_000)
    min_g2: float = Field(default=10.83, ge=0.0, le=1_000.0)
    min_npmi: float = Field(default=0.1, ge=-1.0, le=1.0)
    min_topic_share: float = Field(default=0.5, gt=0.0, le=1.0)
    history_nights: int = Field(default=28, ge=1, le=366)


class RulesConfig(Frozen):
    """Association rules: mined on one half of a night's texts, tested on the other.

    `min_support` is a share of the mining half and `min_docs` a count of it; the larger counts. Both rise where the itemsets that
    FP-Growth may find would exceed `max_itemsets`. `max_basket_items` bounds what it sees of one text, not what is counted.
    A night of at most `local_texts` texts is mined in the driver, which starts no Spark job per language; the rules are the same.
    """

    consequents: tuple[ItemKind, ...] = ("sentiment", "group", "source", "phrase")
    max_items: int = Field(default=400, ge=2, le=5_000)
    max_basket_items: int = Field(default=16, ge=2, le=24)
    max_itemsets: int = Field(default=20_000_000, ge=1_000, le=1_000_000_000)
    min_support: float = Field(default=0.002, gt=0.0, le=1.0)
    min_docs: int = Field(default=4, ge=1, le=1_000_000)
    min_texts: int = Field(default=40, ge=4)
    max_antecedent: int = Field(default=3, ge=1, le=4)
    min_lift: float = Field(default=1.1, ge=1.0, le=1_000.0)
    min_improvement: Fraction = 0.02
    max_tested: int = Field(default=1_000, ge=1, le=20_000)
    max_q: Fraction = 0.05
    evidence_docs: int = Field(default=3, ge=1, le=10)
    local_texts: int = Field(default=20_000, ge=0, le=200_000)


class ConceptsConfig(Frozen):
    """The concept graph and facts. `max_nodes` and `max_edges` are per night and language."""

    max_nodes: int = Field(default=400, ge=2, le=5_000)
    max_edges: int = Field(default=2_000, ge=1, le=100_000)
    min_docs: int = Field(default=3, ge=1, le=1_000_000)
    min_npmi: float = Field(default=0.1, ge=-1.0, le=1.0)
    max_q: Fraction = 0.05
    max_subjects: int = Field(default=2_000, ge=1, le=20_000)
    min_fact_docs: int = Field(default=2, ge=1, le=1_000_000)
    resolution: float = Field(default=1.0, gt=0.0, le=10.0)
    seed: int = 20_260_101
