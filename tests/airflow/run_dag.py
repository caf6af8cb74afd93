"""The Airflow DAG in a real Airflow: `make test-airflow`. Run by the interpreter that has Airflow, not by the project's own.

run_dag.py PYTHON CORPUS WORK    PYTHON has the project; CORPUS is the sample corpus; WORK is an empty folder
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN_AT = datetime(2026, 10, 7, 4, tzinfo=UTC)
"""The night that ended before it is that of 6 October."""


def prepare(python: str, corpus: Path, work: Path) -> None:
    """Point Airflow at a home of its own and the DAG at the sample corpus."""
    config = json.dumps(
        {
            "input": {
                "path": str(corpus),
                "columns": {
                    "id": "message_id",
                    "text": "body",
                    "time": "created_at",
                    "source": "channel",
                    "group": "product",
                },
            },
            "output": {"root": str(work / "warehouse")},
            "model": {"embedding": "static-en", "sentiment": "sentiment-en-static"},
            "patterns": {"enabled": False},
            "spark": {"master": "local[2]"},
        }
    )
    (work / "nightly.yaml").write_text(config)  # JSON is YAML
    os.environ |= {
        "AIRFLOW_HOME": str(work / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "conf/scheduler"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "NIGHTJAR_SUBMIT": f"{python} {ROOT / 'jobs/nightly.py'}",
        "NIGHTJAR_CONFIG": str(work / "nightly.yaml"),
    }


def raised(run_night: Callable[[str], None]) -> type[Exception] | None:
    """Return the type of what a night raises."""
    try:
        run_night("2026-10-06")
    except Exception as error:
        return type(error)
    return None


def main(python: str, corpus: str, work: str) -> int:
    """Import the DAG, run one night, and see a wrong configuration fail without a retry."""
    prepare(python, Path(corpus).absolute(), Path(work).absolute())
    from airflow.exceptions import AirflowException, AirflowFailException
    from airflow.models import DagBag
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag(str(ROOT / "conf/scheduler"))
    assert not bag.import_errors, bag.import_errors
    dag = bag.dags["nightjar"]
    assert (dag.max_active_runs, dag.catchup, [t.task_id for t in dag.tasks]) == (1, True, ["night"])

    run = dag.test(logical_date=RUN_AT)
    assert str(run.state) == "success", run.state
    results = json.loads((Path(work) / "warehouse" / "run_results.json").read_text())
    assert (results["status"], results["run_dates"]) == ("success", ["2026-10-06"]), results["status"]

    import importlib.util

    spec = importlib.util.spec_from_file_location("nightjar_dag", ROOT / "conf/scheduler/airflow_dag.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for code, expected in (
        (1, AirflowFailException),
        (2, AirflowFailException),
        (3, AirflowException),
        (137, AirflowException),
    ):
        os.environ["NIGHTJAR_SUBMIT"] = f"/bin/bash -c 'exit {code}'"
        assert raised(module.run_night) is expected, code
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
