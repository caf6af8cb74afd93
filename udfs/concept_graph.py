"""The edges of one concept graph and its communities, out of counted pairs."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from udfs.pattern_statistics import benjamini_hochberg, fisher_p, npmi_of

_MILLION = 1_000_000


@dataclass(frozen=True)
class GraphSpec:
    """Which edges are kept, and how communities are found; see `pipeline.patterns.phrase_config.ConceptsConfig`."""

    max_edges: int = 2_000
    min_docs: int = 3
    min_npmi: float = 0.1
    max_q: float = 0.05
    resolution: float = 1.0
    seed: int = 20_260_101


def to_edges(frame: pd.DataFrame, names: list[str], spec: GraphSpec) -> pd.DataFrame:
    """Return the edges of one graph with their statistics and communities."""
    total = int(frame["n_texts"].iloc[0])
    alone = frame[frame["first"] == frame["second"]].set_index("first")["n_effective"]
    pairs = frame[frame["first"] != frame["second"]]
    words = [set(name.split()) for name in names]
    apart = [not (words[a] & words[b]) for a, b in zip(pairs["first"], pairs["second"], strict=True)]
    pairs = pairs[np.array(apart, dtype=bool)]
    ends = [pairs[side].map(alone).to_numpy(dtype=np.int64) for side in ("first", "second")]
    both = pairs["n_effective"].to_numpy(dtype=np.int64)
    p = fisher_p(both, ends[0], ends[1], total)
    # pairs that never meet were candidates too; their p is 1
    n_tests = sum(not (words[a] & words[b]) for a in range(len(words)) for b in range(a))
    pairs = pairs.assign(
        p_value=p, q_value=benjamini_hochberg(p, max(n_tests, len(p))), npmi=npmi_of(both, ends[0], ends[1], total),
        n_source=ends[0], n_target=ends[1], n_texts=total,
        source=[names[i] for i in pairs["first"]], target=[names[i] for i in pairs["second"]],
    )  # fmt: skip
    scored = pairs["n_scored"].to_numpy(dtype=np.float64)
    mean = pairs["score_sum"].to_numpy(dtype=np.float64) / np.where(scored > 0, scored, np.nan) / _MILLION
    pairs = pairs.assign(mean_sentiment=np.array([None if np.isnan(m) else float(m) for m in mean], dtype=object))
    kept = pairs[
        (pairs["q_value"] <= spec.max_q) & (pairs["npmi"] >= spec.min_npmi) & (pairs["n_effective"] >= spec.min_docs)
    ]
    in_order = (kept["source"] <= kept["target"]).to_numpy(dtype=bool)
    kept = kept.assign(
        source=kept["source"].where(in_order, kept["target"]), target=kept["target"].where(in_order, kept["source"]),
        n_source=kept["n_source"].where(in_order, kept["n_target"]),
        n_target=kept["n_target"].where(in_order, kept["n_source"]),
    )  # fmt: skip
    kept = kept.sort_values(["p_value", "npmi", "source", "target"], ascending=[True, False, True, True])
    kept = kept.head(spec.max_edges)
    # columns of text stay so where there is no row
    found = np.array(communities(kept, spec), dtype=object)
    return kept.assign(community=found).astype({"source": object, "target": object})


def communities(edges: pd.DataFrame, spec: GraphSpec) -> list[str | None]:
    """Return the community of each edge, named by its phrase with the most weight; null where the ends are in two.

    Louvain (Blondel et al., 2008) on npmi with a fixed seed and the phrases in order, so that equal edges give equal communities.
    """
    if edges.empty:
        return []
    import networkx as nx

    names = sorted({*edges["source"], *edges["target"]})
    place = {name: i for i, name in enumerate(names)}
    graph = nx.Graph()
    graph.add_nodes_from(range(len(names)))
    rows = sorted(zip(edges["source"], edges["target"], edges["npmi"], strict=True))
    graph.add_weighted_edges_from((place[a], place[b], float(w)) for a, b, w in rows)
    groups = nx.community.louvain_communities(graph, weight="weight", resolution=spec.resolution, seed=spec.seed)
    weight = dict(graph.degree(weight="weight"))
    of_node: dict[str, str] = {}
    for group in groups:
        best = min(group, key=lambda i: (-round(weight[i], 9), i))
        of_node |= {names[i]: names[best] for i in group}
    pairs = zip(edges["source"], edges["target"], strict=True)
    return [of_node[a] if of_node[a] == of_node[b] else None for a, b in pairs]
