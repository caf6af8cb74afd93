"""Labels of custom heads for vectors that are already there: no text, no encoder."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from udfs.models.spec import HeadSpec, covers
from udfs.quiet import without_texts

LABELLED = pa.schema(
    [
        ("run_date", pa.date32()),
        ("doc_id", pa.string()),
        ("event_date", pa.date32()),
        ("model_key", pa.string()),
        ("task", pa.string()),
        ("label", pa.string()),
        ("probability", pa.float64()),
        ("head", pa.string()),
        ("head_revision", pa.string()),
    ]
)
"""One row per document and head that covers its language. `label` is null where the head says none of these; `probability` is
that of the most probable label in any case."""
_KEPT = ("run_date", "doc_id", "event_date", "model_key")


def make_labels(
    heads: Sequence[tuple[str, HeadSpec]],
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: run_date, doc_id, event_date, model_key, lang and embedding in, `LABELLED` out.

    Args:
        heads: each with the name of its task.
    """

    def label(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from udfs.models.head import load_head

        loaded = None
        for batch in batches:
            loaded = loaded or [(task, spec, load_head(spec)) for task, spec in heads]
            for task, spec, head in loaded:
                mine = [covers(spec.languages, lang) for lang in batch.column("lang").to_pylist()]
                if not any(mine):
                    continue
                rows = batch.filter(pa.array(mine))
                vectors = rows.column("embedding").flatten().to_numpy(zero_copy_only=False)
                best, chances = head.decide(np.reshape(vectors, (rows.num_rows, -1)))
                n = rows.num_rows
                found = {
                    **{name: rows.column(name) for name in _KEPT},
                    "task": pa.array([task] * n, pa.string()),
                    "label": pa.array([head.labels[i] if i >= 0 else None for i in best.tolist()], pa.string()),
                    "probability": pa.array(np.round(chances, 6)),
                    "head": pa.array([spec.name] * n, pa.string()),
                    "head_revision": pa.array([spec.revision] * n, pa.string()),
                }
                yield pa.RecordBatch.from_arrays([found[name] for name in LABELLED.names], schema=LABELLED)

    return without_texts(label)
