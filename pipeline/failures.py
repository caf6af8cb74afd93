"""Turning what Spark or the system throws into one clear line and an exit code. Document text never gets into it."""

import re
import traceback
from pathlib import Path
from urllib.parse import unquote

from py4j.protocol import Py4JNetworkError

from pipeline.errors import ConfigError, DataError, ModelError, NightjarError

_FILE = re.compile(r"FAILED_READ_FILE(\.\w+)?[^]]*\].*?file:?/*(/\S+?)\.?(?:\s|$)", re.DOTALL)
_MODEL = re.compile(r"ModelFileError: (.+)")
_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_PYTHON_ERROR = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception)): (.+)$", re.MULTILINE)
_BUDGET = re.compile(r"CrashBudgetError: (.+)")
_MAX_CHARS = 300
_WORKER_LOST = ("Python worker exited unexpectedly", "worker process terminated due to idle timeout", "CUDA error")
_JVM_LOST = ("does not exist in the JVM", "Answer from Java side is empty", "Java heap space")
_STAGE_AGAIN = "failed the maximum allowable number of times"
_BRIDGE = ("py4j", "pyspark")
_NOTHING = "nothing was published"


def explain(error: BaseException) -> NightjarError:
    """Return the error to report; an error of ours is returned as it is."""
    if isinstance(error, NightjarError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return NightjarError("interrupted; every night of every table is whole, old or new; run again")
    text = _text(error)
    if found := _FILE.search(text):
        path = unquote(found.group(2))
        if found.group(1) == ".FILE_NOT_EXIST":
            return DataError(f"{path}: disappeared during the run; {_NOTHING}, run again")
        return DataError(f"{path}: cannot be read: corrupt data or checksum mismatch; {_NOTHING}")
    if found := _MODEL.search(text):
        return ModelError(found.group(1)[:_MAX_CHARS])
    if found := _MODULE.search(text):
        advice = (
            "ship this project's archive with --py-files"
            if found.group(1).split(".")[0] in ("udfs", "pipeline")
            else "install the dependencies where spark.pyspark.python points"
        )
        return NightjarError(f"executors have no Python module {found.group(1)}; {advice}")
    if "PYTHON_VERSION_MISMATCH" in text:
        return ConfigError(
            "driver and executors run different versions of Python; set spark.pyspark.python to the driver's version"
        )
    if "No space left on device" in text:
        return NightjarError("no space left on a device; free space under output.root or spark.local.dir and run again")
    if found := _BUDGET.search(text):
        return NightjarError(
            f"{found.group(1)[:_MAX_CHARS]}; {_NOTHING}. The texts are hardly to blame: look at the executors' memory and logs"
        )
    # a task is lost four times, or four times what a stage is to read
    if "ExecutorLostFailure" in text or (_STAGE_AGAIN in text and "FetchFailedException" in text):
        return NightjarError(
            f"executors were lost again and again; {_NOTHING}. Look at their logs: killed for "
            "memory (raise spark.executor.memory or memoryOverhead), or taken away by the cluster"
        )
    if "idle timeout" in text:
        return NightjarError(f"a Python worker said nothing for scoring.hang_timeout_sec and was killed; {_NOTHING}")
    if "Python worker exited unexpectedly" in text:
        return NightjarError(
            f"a Python worker died (killed for memory, or a crash in native code); {_NOTHING}. "
            "Give executors more memory or lower model.token_budget; Spark's log has the worker's last lines"
        )
    if _is_refused_by_jvm(error) or any(sign in text for sign in _JVM_LOST):
        return NightjarError(
            "the driver's JVM has ended, probably out of memory; every night of every table is whole; raise spark.driver.memory"
        )
    return NightjarError(_last_cause(error, text))


def _is_refused_by_jvm(error: BaseException) -> bool:
    """Return whether a refused connection was one to the driver's JVM, and not to a store or a metastore."""
    if isinstance(error, Py4JNetworkError):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, ConnectionRefusedError) and any(set(_BRIDGE) & set(Path(f.filename).parts) for f in frames)


def is_worker_lost(error: BaseException) -> bool:
    """Return whether a Python worker died, was killed for saying nothing, or lost its CUDA device: perhaps over a single text."""
    text = _text(error)
    return any(sign in text for sign in _WORKER_LOST)


def stack(error: BaseException) -> list[str]:
    """Return where an error and its causes came from, as `file:line function`: no values, so no document text."""
    frames: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        frames.append(type(cause).__name__)
        frames += [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(cause.__traceback__)]
        cause = cause.__cause__ or cause.__context__
    return frames


def _text(error: BaseException) -> str:
    """Return an error's message, and that of the Java exception behind it."""
    java = getattr(error, "java_exception", None)
    return str(error) if java is None else f"{error}\n{java.toString()}"


def _last_cause(error: BaseException, text: str) -> str:
    """Return the last `SomeError: message` of a worker's traceback, else the first line that says something."""
    named = _PYTHON_ERROR.findall(text)
    if named:
        return _without_literals(f"{named[-1][0]}: {named[-1][1]}")
    line = next((ln.strip() for ln in text.splitlines() if ln.strip()), "no message")
    return _without_literals(f"{type(error).__name__}: {line}")


def _without_literals(line: str) -> str:
    """Leave out what could hold a document's text: long quoted literals."""
    return re.sub(r"'[^']{40,}'|\"[^\"]{40,}\"", "'...'", line)[:_MAX_CHARS]
