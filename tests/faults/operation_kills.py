"""Each named step of the operations, killed; driven by test_operation_kills.py.

operation_kills.py ROOT     prints one JSON object: failpoint -> what was seen
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import QUICK
from random_kills import N_KEYS, Root, hashes, keys, right_answers, whole_nights

from pipeline.failpoints import VARIABLE
from pipeline.operations.compaction import compact
from pipeline.operations.superseded import purge_superseded
from pipeline.session import build_session


def killed_at(failpoint: str, action: Callable[[], None]) -> int:
    """Run an action in a forked driver that is to die at a failpoint; return the signal that ended it."""
    child = os.fork()
    if child == 0:
        os.environ[VARIABLE] = failpoint
        worker = threading.Thread(target=action)
        worker.start()
        worker.join()
        os._exit(1)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def forget_key(root: Root) -> None:
    compact(root.spark, root.path, "m", without=keys(root.spark, 1))
    purge_superseded(root.store().folder)


def matrix(root: Root) -> dict[str, Any]:
    """Kill each operation at each of its steps, look, do it again, look."""
    for version in (0, 1):
        root.version = version
        root.publish()
    found: dict[str, Any] = {}
    for failpoint in ("after_flip_1", "after_flip_2", "before_log", "after_log"):
        found[f"rollback {failpoint}"] = {"signal": killed_at(failpoint, root.roll)}
        whole_nights(root)
        root.roll()
        whole_nights(root)
    for failpoint in ("after_manifest", "after_flip_1", "before_log"):
        root.version = 1 - root.version
        signal = killed_at(failpoint, root.publish)
        whole_nights(root)
        root.publish_again()
        whole_nights(root)
        found[f"publish --run-id {failpoint}"] = {"signal": signal, "hashes": hashes(root), "version": root.version}
    signal, before = killed_at("after_purge", root.collect), hashes(root)
    whole_nights(root)
    root.collect()
    whole_nights(root)
    left = len(list(root.path.glob("_data/sentiment_daily/run_date=*/run_id=*")))
    found["gc after_purge"] = {"signal": signal, "same": hashes(root) == before, "folders": left}
    for failpoint in ("after_fold", "after_compact"):
        root.score()
        found[f"fold {failpoint}"] = {"signal": killed_at(failpoint, root.fold), "answers": right_answers(root)}
        root.fold()
        found[f"fold {failpoint}"] |= {"healed": right_answers(root), "parts": len(root.store().parts())}
    signal = killed_at("after_store_purge", lambda: forget_key(root))
    found["forget_key after_store_purge"] = {"signal": signal, "answers": right_answers(root)}
    forget_key(root)
    found["forget_key after_store_purge"]["healed"] = right_answers(root)
    return {"steps": found, "n_keys": N_KEYS}


if __name__ == "__main__":
    place = Path(sys.argv[1])
    session = build_session("operation-kills", QUICK, place / "_catalog")
    print(json.dumps(matrix(Root(session, place))))
    session.stop()
