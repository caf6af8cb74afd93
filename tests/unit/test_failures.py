"""What Spark throws becomes one line; document text stays out of it."""

import socket

import pytest
from py4j.java_gateway import GatewayParameters, JavaGateway
from py4j.protocol import Py4JNetworkError

from pipeline.errors import DataError, ModelError, NightjarError
from pipeline.failures import explain, is_worker_lost, stack


def test_a_corrupt_file_is_named() -> None:
    error = explain(
        RuntimeError(
            "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///data/in/a.parquet. \nStack ..."
        )
    )
    assert isinstance(error, DataError)
    assert str(error).startswith("/data/in/a.parquet: cannot be read")


def test_a_model_changed_on_an_executor_is_a_model_error() -> None:
    problem = "/m/model.safetensors: is not the locked file: 3 bytes"
    error = explain(RuntimeError(f"Traceback ...\nudfs.models.files.ModelFileError: {problem}\n\nDriver stacktrace"))
    assert isinstance(error, ModelError)
    assert str(error) == problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("java.io.IOException: No space left on device", "no space left on a device; free space"),
        ("Python worker exited unexpectedly (crashed)", "a Python worker died"),
        (
            "Task 3 failed 4 times: Lost task 3.3 (TID 9): ExecutorLostFailure (executor 7 exited) Command exited with 137",
            "executors were lost again and again",
        ),
        (
            "ResultStage 92 has failed the maximum allowable number of times: 4. Most recent failure reason: "
            "org.apache.spark.shuffle.MetadataFetchFailedException: Missing an output location for shuffle 3",
            "executors were lost again and again",
        ),
        (
            "ShuffleMapStage 7 has failed the maximum allowable number of times: 4. Most recent failure reason: "
            "org.apache.spark.shuffle.FetchFailedException: Failed to connect to host/10.0.0.3:41234",
            "executors were lost again and again",
        ),
        ("org.apache.spark.sql.classic.SparkSession does not exist in the JVM", "the driver's JVM has ended"),
        (
            "Python worker process terminated due to idle timeout (5 s)",
            "said nothing for scoring.hang_timeout_sec",
        ),
        (
            "udfs.isolation.CrashBudgetError: more than 3 texts of a task kill the worker",
            "more than 3 texts of a task kill",
        ),
    ],
)
def test_known_causes_say_what_to_do(text: str, says: str) -> None:
    assert says in str(explain(RuntimeError(text)))


def test_a_jvm_that_does_not_answer_has_ended() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port))
    with pytest.raises(Py4JNetworkError) as refused:
        gateway.jvm.java.lang.System.currentTimeMillis()
    assert "the driver's JVM has ended" in str(explain(refused.value))
    behind = refused.value.__context__
    assert isinstance(behind, ConnectionRefusedError)
    assert "the driver's JVM has ended" in str(explain(behind))


def test_another_refused_connection_is_not_taken_for_the_jvm() -> None:
    found = str(explain(ConnectionRefusedError(111, "Connection refused")))
    assert "JVM" not in found
    assert "Connection refused" in found


def test_a_lost_worker_is_told_from_other_failures() -> None:
    for text in (
        "Python worker exited unexpectedly (crashed)",
        "worker process terminated due to idle timeout",
        "CUDA error: 700",
    ):
        assert is_worker_lost(RuntimeError(text)), text
    for text in (
        "No space left on device",
        "ExecutorLostFailure",
        "CrashBudgetError: more than 3 texts kill the worker",
    ):
        assert not is_worker_lost(RuntimeError(text)), text


def test_an_interrupt_says_that_tables_are_whole() -> None:
    assert "every night of every table is whole" in str(explain(KeyboardInterrupt()))


def test_the_last_cause_in_a_workers_traceback_is_reported() -> None:
    text = (
        "[UDF_ERROR] An exception was thrown from the Python worker:\nTraceback (most recent call last):\n  File x, line 1\n"
        "ValueError: first\nDuring handling of the above exception, another exception occurred:\nKeyError: second\n\n"
        "Driver stacktrace"
    )
    assert str(explain(RuntimeError(text))) == "KeyError: second"


def test_code_that_was_not_shipped_is_said() -> None:
    message = str(explain(RuntimeError("...\nModuleNotFoundError: No module named 'udfs'\n...")))
    assert message == "executors have no Python module udfs; ship this project's archive with --py-files"


def test_a_file_that_went_away_is_not_called_corrupt() -> None:
    text = "[FAILED_READ_FILE.FILE_NOT_EXIST] Encountered error while reading file file:///data/a%20b.parquet. No such file"
    assert str(explain(RuntimeError(text))).startswith("/data/a b.parquet: disappeared during the run")


def test_a_stack_holds_places_and_no_values() -> None:
    try:
        raise ValueError("the text of a document")
    except ValueError as error:
        lines = stack(error)
    assert lines[0] == "ValueError"
    assert "test_failures.py" in lines[1]
    assert not any("document" in line for line in lines)


def test_long_quoted_literals_are_left_out() -> None:
    secret = "my card is 4111 1111 1111 1111 and I live in a street"
    text = str(explain(ValueError(f"cannot cast '{secret}' to int\nat line 3")))
    assert "4111" not in text
    assert text == "ValueError: cannot cast '...' to int"


def test_our_own_errors_stay() -> None:
    error = NightjarError("x")
    assert explain(error) is error
