"""The result cache of a node: what is kept, who claims, and what happens when it fails."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from udfs.sql.cache import FILE, ResultCache, result_key
from udfs.sql.spec import CacheSpec

ROW = ("en", "positive", 0.5, 0.7, "m", 1.0, None, np.ones(4, "<f4").tobytes())


def keys(n: int) -> list[bytes]:
    return [result_key("model", str(i)) for i in range(n)]


def caches(folder: Path, **fields: int) -> tuple[ResultCache, ResultCache]:
    spec = CacheSpec(str(folder), **fields)  # type: ignore[arg-type]
    return ResultCache(spec), ResultCache(spec)


def test_parts_of_a_key_do_not_run_together() -> None:
    assert result_key("ab", "c") != result_key("a", "bc")


def test_what_one_process_keeps_another_reads(tmp_path: Path) -> None:
    one, other = caches(tmp_path)
    some = keys(1_200)
    one.put([(k, *ROW) for k in some[:1_100]])
    assert other.get(some) == dict.fromkeys(some[:1100], ROW)
    assert other.get(some[:1], False) == {some[0]: (*ROW[:-1], None)}
    one.put([], [(some[1_150], '"x"')])
    assert other.get_derived(some) == {some[1_150]: '"x"'}


def test_a_claim_holds_until_it_is_given_up_or_its_owner_is_gone(tmp_path: Path) -> None:
    one, other = caches(tmp_path)
    some = keys(5)
    one.put([(some[0], *ROW)])
    assert one.claim(some[:3]) == some[1:3], "what is known is not claimed"
    assert other.claim(some) == some[3:]
    one.release(some)
    assert other.claim(some) == some[1:], "its own claims it may take again"
    other.close()
    assert one.claim(some) == some[1:]


def test_claims_of_a_killed_process_can_be_taken(tmp_path: Path) -> None:
    code = (
        "import sys, time; from udfs.sql.cache import *; from udfs.sql.spec import CacheSpec; "
        "c = ResultCache(CacheSpec(sys.argv[1])); print(len(c.claim([b'k' * 16])), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        cache, _ = caches(tmp_path)
        assert cache.claim([b"k" * 16]) == []
        process.kill()
        process.wait()
    deadline = time.monotonic() + 10
    while not (mine := cache.claim([b"k" * 16])) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mine == [b"k" * 16]
    third, _ = caches(tmp_path)
    assert len(list((tmp_path / "owners").iterdir())) == 4, "the living; the file of the dead is gone"
    third.close()


_OPEN = """
import sys
from udfs.sql.cache import ResultCache
from udfs.sql.spec import CacheSpec
sys.stdin.readline()
print([ResultCache(CacheSpec(f"{sys.argv[1]}/{i}"))._db is not None for i in range(40)].count(False))
"""


def test_processes_that_open_a_new_file_at_once_all_have_it(tmp_path: Path) -> None:
    line = [sys.executable, "-c", _OPEN, str(tmp_path)]
    started = [subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=100)[0].strip() for process in started] == ["0"] * 4


def test_the_file_stays_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    cap = 400_000
    one, other = caches(tmp_path, max_bytes=cap)
    row = (*ROW[:-1], bytes(1_500))
    some = keys(2_000)
    for start in range(0, 2_000, 100):
        one.put([(k, *row) for k in some[start : start + 100]])
    one.close()
    assert (tmp_path / FILE).stat().st_size < 2 * cap, "a batch may lie above the cap until it is written"
    found = other.get(some)
    assert some[-1] in found
    assert some[0] not in found


def test_counts_add_up_over_processes(tmp_path: Path) -> None:
    one, other = caches(tmp_path)
    one.count("m", "ai_embed", 3)
    other.count("m", "ai_embed", 4)
    assert one.counted() == {("m", "ai_embed"): 7}


@pytest.mark.parametrize("fault", ["damaged file", "no folder"])
def test_a_cache_that_fails_knows_nothing_and_refuses_nothing(tmp_path: Path, fault: str) -> None:
    if fault == "damaged file":
        (tmp_path / FILE).write_bytes(b"not a database" * 100)
        folder = tmp_path
    else:
        (tmp_path / "file").touch()
        folder = tmp_path / "file"
    one, _ = caches(folder)
    some = keys(3)
    one.put([(k, *ROW) for k in some])
    assert one.get(some) == {}
    assert one.claim(some) == some, "what cannot be claimed is scored"
    one.release(some)
    one.count("m", "f", 1)
