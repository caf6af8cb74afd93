"""Which earlier group's id a duplicate group carries on."""

import datetime as dt
import hashlib

import pandas as pd

RESOLVED = "run_date date, canonical_key string, dup_group_id string, first_seen date"


def resolve(rows: pd.DataFrame, id_chars: int) -> pd.DataFrame:
    """Name the groups of one family, night by night; return those without a known id (RESOLVED).

    Args:
        rows: node, run_date, canonical_key, n_docs, known_id and known_since (null for groups to name), parents (nodes of
            earlier nights like it; null for none) and similarities (to them). In any order.
    """
    named: dict[int, tuple[str, dt.date]] = {
        r.node: (r.known_id, r.known_since) for r in rows.itertuples() if isinstance(r.known_id, str)
    }
    nights = {r.node: r.run_date for r in rows.itertuples()}
    fresh = rows[~rows["node"].isin(named)]
    found = []
    for night in sorted(set(fresh["run_date"])):
        groups = {r.node: r for r in fresh[fresh["run_date"] == night].itertuples()}
        wishes = sorted(
            (-similarity, -nights[parent].toordinal(), -r.n_docs, r.canonical_key, *named[parent], node)
            for node, r in groups.items()
            if r.parents is not None
            for parent, similarity in zip(r.parents, r.similarities, strict=True)
            if parent in named
        )
        used: set[str] = set()
        for *_, group_id, since, node in wishes:
            if node not in named and group_id not in used:
                named[node] = (group_id, since)
                used.add(group_id)
        for node, r in sorted(groups.items(), key=lambda item: item[1].canonical_key):
            if node not in named:
                own = r.canonical_key[:id_chars]
                if own in used:  # another group of the night carries on the id that this text once gave
                    own = hashlib.sha256(f"{night} {r.canonical_key}".encode()).hexdigest()[:id_chars]
                named[node] = (own, night)
                used.add(own)
            found.append((night, r.canonical_key, *named[node]))
    return pd.DataFrame(found, columns=["run_date", "canonical_key", "dup_group_id", "first_seen"])
