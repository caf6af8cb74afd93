"""Nightjar as an Airflow DAG (Airflow 3): one night a day, late ones caught up in order, one at a time.

Copy it into the DAG folder. Variables of the environment of the workers:

    NIGHTJAR_SUBMIT   how the job is started, for example "spark-submit --properties-file /etc/nightjar/spark.conf
                      --py-files /opt/nightjar/nightjar.zip /opt/nightjar/jobs/nightly.py"
    NIGHTJAR_CONFIG   the job's configuration
    NIGHTJAR_START    first night, 2026-10-05

The job's exit code decides what Airflow does: 2 (configuration) and 1 (data) fail at once and need a person; 3, 4 and a kill are
tried again, which is safe: a run publishes whole nights only, and what was scored is not scored again.
"""

import os
import shlex
import subprocess
from datetime import datetime, timedelta

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import dag, task
from airflow.timetables.interval import CronDataIntervalTimetable

NEEDS_A_PERSON = {1: "the data failed a check", 2: "usage, configuration or model"}


def run_night(night: str) -> None:
    """Run the job for one night.

    Raises:
        AirflowFailException: a retry would end the same way.
        AirflowException: a retry may help.
    """
    submit = shlex.split(os.environ["NIGHTJAR_SUBMIT"])
    command = [*submit, "--config", os.environ["NIGHTJAR_CONFIG"], "--run-date", night]
    code = subprocess.run(command, check=False).returncode
    if code in NEEDS_A_PERSON:
        raise AirflowFailException(f"night {night}: exit code {code}, {NEEDS_A_PERSON[code]}; the job's log says which")
    if code:
        raise AirflowException(f"night {night}: exit code {code}; tried again")


@dag(
    dag_id="nightjar",
    # names the day that has ended; a plain cron string would name the day that begins (Airflow 3 gives it no interval)
    schedule=CronDataIntervalTimetable("0 3 * * *", timezone="UTC"),
    start_date=datetime.fromisoformat(os.environ.get("NIGHTJAR_START", "2026-10-05")),
    catchup=True,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=10), "execution_timeout": timedelta(hours=6)},
    tags=["nightjar"],
)
def nightjar() -> None:
    """Publish the night that has just ended."""

    @task(task_id="night")
    def night(data_interval_start: datetime | None = None) -> None:
        assert data_interval_start is not None
        run_night(data_interval_start.date().isoformat())

    night()


nightjar()
