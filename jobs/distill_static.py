"""Distil a static model, a table of token vectors, from an encoder and texts.

    python jobs/distill_static.py --config conf/jobs/distill_static_en.yaml

The encoder's vectors of the texts are written to the file `vectors` first and read from there by a later run.
Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys
from pathlib import Path

from pipeline.command import run_job
from pipeline.distill_static import distil, save_static
from pipeline.distill_texts import DistillConfig, read_texts, read_vectors, write_vectors
from pipeline.errors import ConfigError
from pipeline.model_lock import encoder_identity
from pipeline.models import embedding_spec
from pipeline.session import build_session


def run(config: DistillConfig) -> None:
    """Embed the texts, train the table, save it."""
    spec = embedding_spec(config.model)
    output = Path(config.output)
    if output.exists():
        raise ConfigError(f"output: {output} exists; a model is never overwritten, give a new output")
    if not Path(config.vectors).exists():
        spark = build_session("nightjar-distill", config.spark)
        try:
            write_vectors(read_texts(spark, config), spec, config.vectors)
        finally:
            spark.stop()
    texts, vectors = read_vectors(config.vectors)
    settings = config.model_dump(include={"epochs", "batch", "learning_rate", "seed"})
    table = distil(spec.encoder, texts, vectors, config.dim, **settings)
    encoder = {"name": spec.encoder.name, "revision": spec.encoder.revision, "sha256": encoder_identity(spec.encoder)}
    save_static(table, spec.encoder.source, output, {"encoder": encoder, "texts": len(texts), **settings})
    print(f"saved {output}: {table.shape[0]:,} tokens, {table.shape[1]} dimensions")


if __name__ == "__main__":
    sys.exit(run_job(DistillConfig, run, __doc__ or ""))
