"""Which earlier group's id a duplicate group carries on."""

import datetime as dt
import hashlib
from typing import NamedTuple

import pandas as pd

RESOLVED = "run_date date, canonical_key string, dup_group_id string, first_seen date"


class _Group(NamedTuple):
    node: int
    run_date: dt.date
    canonical_key: str
    n_docs: int
    known_id: str
    known_since: dt.date
    parents: list[int] | None
    similarities: list[float]


def resolve(rows: pd.DataFrame, id_chars: int) -> pd.DataFrame:
    """Name the groups of one family, night by night; return those without a known id (RESOLVED).

    Args:
        rows: node, run_date, canonical_key, n_docs, known_id and known_since (null for groups to name), parents (nodes of
            earlier nights like it; null for none) and similarities (to them). In any order.
    """
    groups = [_Group(*row) for row in rows[list(_Group._fields)].itertuples(index=False, name=None)]
    named = {g.node: (g.known_id, g.known_since) for g in groups if isinstance(g.known_id, str)}
    nights = {g.node: g.run_date for g in groups}
    fresh = [g for g in groups if g.node not in named]
    found = []
    for night in sorted({g.run_date for g in fresh}):
        tonight = sorted((g for g in fresh if g.run_date == night), key=lambda g: g.canonical_key)
        wishes = sorted(
            (-similarity, -nights[parent].toordinal(), -g.n_docs, g.canonical_key, *named[parent], g.node)
            for g in tonight
            if g.parents is not None
            for parent, similarity in zip(g.parents, g.similarities, strict=True)
            if parent in named
        )
        used: set[str] = set()
        for *_, group_id, since, node in wishes:
            if node not in named and group_id not in used:
                named[node] = (group_id, since)
                used.add(group_id)
        for g in tonight:
            if g.node not in named:
                own = g.canonical_key[:id_chars]
                if own in used:  # another group of the night carries on the id that this text once gave
                    own = hashlib.sha256(f"{night} {g.canonical_key}".encode()).hexdigest()[:id_chars]
                named[g.node] = (own, night)
                used.add(own)
            found.append((night, g.canonical_key, *named[g.node]))
    return pd.DataFrame(found, columns=["run_date", "canonical_key", "dup_group_id", "first_seen"])
