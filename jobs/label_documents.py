"""Label published documents with custom heads, from their stored vectors: no text is read and no encoder runs.

    python jobs/label_documents.py --config conf/jobs/label_documents.yaml

Exit codes: 0 done, 1 the data failed a check, 2 usage or configuration, 3 the run failed.
"""

import sys
from pathlib import Path

from pipeline.command import run_job
from pipeline.doc_labels import LabelDocumentsConfig, label_documents
from pipeline.errors import ConfigError
from pipeline.session import build_session


def run(config: LabelDocumentsConfig) -> None:
    """Label, write."""
    output = Path(config.output)
    if output.exists():
        raise ConfigError(f"output: {output} exists; labels are never overwritten, give a new output")
    spark = build_session("nightjar-label-documents", config.spark)
    try:
        label_documents(spark, config).write.partitionBy("run_date").parquet(str(output))
    finally:
        spark.stop()
    print(f"wrote {output}")


if __name__ == "__main__":
    sys.exit(run_job(LabelDocumentsConfig, run, __doc__ or ""))
