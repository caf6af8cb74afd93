"""Frames that are computed once and used many times, in plans that do not grow."""

from pyspark import StorageLevel
from pyspark.sql import DataFrame


def settled(frame: DataFrame) -> DataFrame:
    """Compute a frame now and return it with a plan that is its rows alone.

    An algorithm in rounds needs this: with `persist` alone each plan holds all those before it, and the driver's work doubles
    from round to round. The rows lie in the checkpoint folder where the session has one (`SparkContext.setCheckpointDir`), else
    on the executors' disks, where the loss of an executor fails the run. Spark removes them once the frame is not used any more.
    """
    if frame.sparkSession.sparkContext.getCheckpointDir():
        return frame.checkpoint(eager=True)
    return frame.localCheckpoint(eager=True, storageLevel=StorageLevel.DISK_ONLY)
