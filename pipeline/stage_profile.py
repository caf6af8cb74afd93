"""Stage-level scheduling: what a task of the scoring stage asks of the cluster, and no other stage does."""

from pyspark.resource import ResourceProfile, ResourceProfileBuilder, TaskResourceRequests
from pyspark.sql import SparkSession

from pipeline.config import ScoringConfig
from pipeline.errors import ConfigError
from pipeline.session import is_local_mode

_GPU_OF_EXECUTOR = "spark.executor.resource.gpu.amount"


def stage_profile(scoring: ScoringConfig, spark: SparkSession) -> ResourceProfile | None:
    """Return the profile for `mapInArrow`, or None where the configuration asks for nothing.

    Raises:
        ConfigError: in local mode, where such a stage would wait for ever, or where executors have no GPU or too few cores.
    """
    if scoring.gpu_amount_per_task is None and scoring.task_cpus is None:
        return None
    properties = dict(spark.sparkContext.getConf().getAll())
    check_profile(scoring, properties)
    requests = TaskResourceRequests().cpus(scoring.task_cpus or int(properties.get("spark.task.cpus", "1")))
    if scoring.gpu_amount_per_task is not None:
        requests = requests.resource("gpu", scoring.gpu_amount_per_task)
    return ResourceProfileBuilder().require(requests).build


def check_profile(scoring: ScoringConfig, properties: dict[str, str]) -> None:
    """Fail where a session with these properties could never run a task of the scoring stage."""
    key = "scoring.task_cpus" if scoring.gpu_amount_per_task is None else "scoring.gpu_amount_per_task"
    if is_local_mode(properties["spark.master"]):
        raise ConfigError(
            f"{key}: needs a cluster, the master is {properties['spark.master']}; remove it, the device is chosen without it"
        )
    if scoring.gpu_amount_per_task is not None and float(properties.get(_GPU_OF_EXECUTOR, "0")) <= 0:
        raise ConfigError(
            f"{key}: executors have no GPU; set {_GPU_OF_EXECUTOR} and its discovery script, see conf/spark/*-gpu.conf"
        )
    cores = int(properties.get("spark.executor.cores", "0"))
    if scoring.task_cpus is not None and 0 < cores < scoring.task_cpus:
        raise ConfigError(
            f"scoring.task_cpus: {scoring.task_cpus} is more than spark.executor.cores, {cores}; lower it"
        )
