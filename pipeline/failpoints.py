"""Named places where a test can kill the process, to prove that readers never see half a night.

In this order: `after_chunk_<n>` (the n-th chunk of a list that is scored), `after_score`,
`after_write` and `after_stage` (of the first table), `after_audit`, `after_manifest`,
`after_flip_<k>` (the k-th table), with Iceberg `before_iceberg_commit` (of the first table) and `after_iceberg_<k>`,
`before_log`, `after_log`. Of the operations on tables: `after_purge` (of the first folder),
`after_forget_publish`, `after_forget_store`, `before_receipt`; of the score store: `after_fold`, `after_compact`,
`after_store_purge` (of the first file).
"""

import os
import signal

VARIABLE = "NIGHTJAR_FAILPOINT"


def failpoint(name: str) -> None:
    """Kill this process at once, as `kill -9` would, if the environment names this place; otherwise do nothing."""
    if os.environ.get(VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
