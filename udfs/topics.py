"""Assigning topics to stored vectors, without text and encoder."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from udfs.results import RESULTS
from udfs.spec import TopicSpec


def make_assign(spec: TopicSpec) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function for `mapInArrow`: rows whose embedding is not null in, the same with the topics of `spec` out.

    The rows may have any columns besides those of a topic and the embedding; all come back as they are, in their order.
    """

    def assign(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from udfs.models.centroids import load_centroids

        centroids = None
        for batch in batches:
            if batch.num_rows == 0:
                continue
            centroids = centroids or load_centroids(spec.path, spec.sha256)
            vectors = batch.column("embedding")
            flat = vectors.flatten().to_numpy(zero_copy_only=False)
            ids, distances = centroids.nearest(np.reshape(flat, (batch.num_rows, -1)))
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns["topic_model_key"] = pa.array([spec.key] * batch.num_rows, pa.string())
            columns["topic_id"] = pa.array(ids)
            columns["topic_distance"] = pa.array(distances)
            for name in ("topic_model_key", "topic_id", "topic_distance"):
                columns[name] = columns[name].cast(RESULTS.field(name).type)
            yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    return assign
