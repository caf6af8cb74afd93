"""Turning what Spark or the system throws into one clear line and an exit code. Document text never gets into it."""

import re

from pipeline.errors import DataError, ModelError, NightjarError

_FILE = re.compile(r"FAILED_READ_FILE[^]]*\].*?file:?/*(/\S+?)\.?(?:\s|$)", re.DOTALL)
_MODEL = re.compile(r"ModelFileError: (.+)")
_MAX_CHARS = 300


def explain(error: BaseException) -> NightjarError:
    """Return the error to report; an error of ours is returned as it is."""
    if isinstance(error, NightjarError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return NightjarError("interrupted; nothing was published, run again")
    text = str(error)
    if found := _FILE.search(text):
        return DataError(f"{found.group(1)}: cannot be read: corrupt data or checksum mismatch; nothing was published")
    if found := _MODEL.search(text):
        return ModelError(found.group(1)[:_MAX_CHARS])
    if "No space left on device" in text:
        return NightjarError("no space left on a device; free space under output.root or spark.local.dir and run again")
    if "Python worker exited unexpectedly" in text:
        return NightjarError(
            "a Python worker died (killed for memory, or a crash in native code); nothing was published. "
            "Give executors more memory or lower model.token_budget; Spark's log has the worker's last lines"
        )
    return NightjarError(f"{type(error).__name__}: {_first_line(text)}")


def _first_line(text: str) -> str:
    """Return the first line that says something, without what could hold a document's text (quoted literals)."""
    line = next((ln.strip() for ln in text.splitlines() if ln.strip()), "no message")
    return re.sub(r"'[^']{40,}'|\"[^\"]{40,}\"", "'...'", line)[:_MAX_CHARS]
