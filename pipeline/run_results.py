"""`run_results.json`: what a run did, for schedulers and dashboards, also when it failed."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.config import NightlyConfig
from pipeline.errors import NightjarError
from pipeline.night import Night

_PACKAGES = ("pyspark", "torch", "transformers", "tokenizers", "pyarrow", "pandas", "lingua-language-detector")


def write_run_results(night: Night, error: NightjarError | None) -> Path:
    """Write `_runs/<run id>/run_results.json` and, in one step, the latest copy `run_results.json` in the output root."""
    return _write(night.root, night.run_id, _results(night, error))


def write_preflight_failure(
    root: Path, run_id: str, config: NightlyConfig, dates: Sequence[date], started_at: datetime, error: NightjarError
) -> Path:
    """Write the same two files for a run that failed before it began."""
    results = {
        **_outcome(error),
        "run_id": run_id,
        "run_dates": [d.isoformat() for d in dates],
        "started_at": started_at.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "config_hash": config.fingerprint(),
        "config": config.model_dump(mode="json", exclude={"spark"}),
    }
    return _write(root, run_id, results)


def _write(root: Path, run_id: str, results: dict[str, Any]) -> Path:
    text = json.dumps(results, ensure_ascii=False, indent=2, default=str) + "\n"
    path = root / "_runs" / run_id / "run_results.json"
    for target in (path, root / "run_results.json"):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, target)
    return path


def _outcome(error: NightjarError | None) -> dict[str, Any]:
    if error is None:
        return {"status": "success", "exit_code": 0, "error": None}
    status = {1: "rejected", 4: "partial"}.get(error.exit_code, "failed")
    return {"status": status, "exit_code": error.exit_code, "error": str(error)}


def _results(night: Night, error: NightjarError | None) -> dict[str, Any]:
    return {
        "run_id": night.run_id,
        **_outcome(error),
        "run_dates": [d.isoformat() for d in night.dates],
        "started_at": night.started_at.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "model_key": night.spec.model_key(),
        "topic_model_key": night.topics.spec.key if night.topics else None,
        "config_hash": night.config.fingerprint(),
        "config": night.config.model_dump(mode="json", exclude={"spark"}),
        "input": {
            "rows": night.corpus.rows,
            "files": [{"path": f.path, "bytes": f.size_bytes, "rows": f.rows} for f in night.corpus.files],
            "quarantined": [{"path": p, "bytes": n, "problem": why} for p, n, why in night.corpus.quarantined],
        },
        "warnings": list(night.corpus.warnings),
        "counts": [vars(c) for c in night.counts.values()],
        "reject_reasons": night.reject_reasons,
        "checks": [vars(c) for c in night.checks],
        "cascade": night.cascade_report,
        "model_change": _model_change(night),
        "limits": {
            "deadline": night.limits.deadline,
            "max_gpu_hours": night.limits.max_gpu_hours,
            "gpu_hours": round(night.limits.gpu_hours, 4),
            "texts_left": night.rows_left,
        },
        "stages": [vars(s) for s in night.stages.done],
        "tables": [vars(a) for a in night.audits],
        "executors": vars(night.executors) if night.executors else None,
        "versions": {"nightjar": __version__, "python": platform.python_version(), **_versions()},
    }


def _model_change(night: Night) -> dict[str, Any] | None:
    """Return what the bridge found, also where the run stopped on it; None where the model did not change."""
    if night.bridge is None:
        return None
    old = night.bridge.old
    return {
        "old_model_key": old.key,
        "old_run_date": old.run_date.isoformat(),
        "new_model_key": night.bridge.new_key,
        "problem": night.bridge.problem,
        "rows": night.bridge_rows,
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
