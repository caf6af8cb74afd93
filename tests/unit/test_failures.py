"""What Spark throws becomes one line; document text stays out of it."""

import pytest

from pipeline.errors import DataError, ModelError, NightjarError
from pipeline.failures import explain


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
    ],
)
def test_known_causes_say_what_to_do(text: str, says: str) -> None:
    assert says in str(explain(RuntimeError(text)))


def test_an_interrupt_says_that_nothing_was_published() -> None:
    assert "nothing was published" in str(explain(KeyboardInterrupt()))


def test_long_quoted_literals_are_left_out() -> None:
    secret = "my card is 4111 1111 1111 1111 and I live in a street"
    text = str(explain(ValueError(f"cannot cast '{secret}' to int\nat line 3")))
    assert "4111" not in text
    assert text == "ValueError: cannot cast '...' to int"


def test_our_own_errors_stay() -> None:
    error = NightjarError("x")
    assert explain(error) is error
