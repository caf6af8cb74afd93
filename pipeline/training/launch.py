"""Starting the processes of a training: this one, or several by Spark's TorchDistributor."""

from pyspark.ml.torch.distributor import TorchDistributor

from pipeline.errors import NightjarError
from udfs.training.spec import Outcome, TrainingError, TrainingJob


def launch(job: TrainingJob, n_processes: int, is_local: bool, uses_gpu: bool) -> Outcome:
    """Train; a training that was killed goes on from its last checkpoint.

    Args:
        n_processes: with 1 and `is_local` this process trains. Otherwise a Spark session must be active.
        is_local: processes run on the driver's host, else as tasks of the executors, which must see the job's folders and have
            this project installed (what `--py-files` ships is not seen by the processes that a task starts).
        uses_gpu: executors' processes get the GPUs that Spark gave to their tasks; on the driver's host the job's device decides.

    Raises:
        NightjarError: the training cannot go on; says what to change.
    """
    from udfs.training.processes import train, train_with_others

    try:
        if n_processes == 1 and is_local:
            return train(job)
        # the driver's host is not asked for Spark's GPU resources: in local mode there are none
        distributor = TorchDistributor(n_processes, local_mode=is_local, use_gpu=uses_gpu and not is_local)
        outcome = distributor.run(train_with_others, job)
    except TrainingError as error:
        raise NightjarError(str(error)) from None
    except RuntimeError as error:
        raise NightjarError(_reason(str(error))) from error
    assert isinstance(outcome, Outcome)
    return outcome


def _reason(text: str) -> str:
    """Return the training's own message among the output of its processes, else the first line."""
    for line in text.splitlines():
        if "TrainingError: " in line:
            return line.split("TrainingError: ", 1)[1]
    return f"training failed: {text.splitlines()[0][:300] if text else 'no message'}; its output above says more"
