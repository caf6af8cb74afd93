"""The scoring stage asks for its own share of a GPU and its own cores; the stages around it ask for neither."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]


def test_the_scoring_stage_gets_the_gpu_and_runs_where_cuda_is_absent(tmp_path: Path) -> None:
    """An executor that is told of a GPU: Spark's side is real, and where there is no CUDA the worker computes on the CPU."""
    script = tmp_path / "one-gpu.sh"
    script.write_text('#!/bin/sh\necho \'{"name": "gpu", "addresses": ["0"]}\'\n')
    script.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ROOT / "tests/cluster/gpu_stage.py", script, tmp_path / "warehouse"],
        capture_output=True, text=True, timeout=360, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    inside, outside = seen["inside"], seen["outside"]
    assert inside["addresses"] == ["0"]
    assert inside["device"] == ("cuda:0" if inside["cuda"] else "auto")
    assert inside["cpus"] == inside["threads"] == inside["pool"] == 2
    assert inside["computes_on"] == ("cuda" if inside["cuda"] else "cpu"), "auto falls back"
    assert outside["addresses"] == []
    assert outside["cpus"] == outside["threads"] == outside["pool"] == 1
    assert outside["device"] == "auto"
    assert (seen["labels"], seen["null"]) == (300, 0)


def environment() -> dict[str, str]:
    """This process' environment with the checkout on the path of driver and workers."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
