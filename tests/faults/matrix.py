"""The 62 cases of `cases.yaml`, and the page made of them: `python tests/faults/matrix.py` writes `docs/fault_cases.md`."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fault_cases.md"
N_CASES = 62
_HEAD = """\
# Faults and bad input

<!-- Generated from tests/faults/cases.yaml by `make docs`; do not edit. -->

{shown} of {n} planned cases are shown by tests; not shown: {open}. A case is shown by all of its tests together; run one with
`python -m pytest -m 'faults or cluster or not faults' NODE`. Tests under `tests/unit`, `tests/spark` and `tests/jobs` run
with `make test`, those under `tests/faults` with `make test-faults`, those under `tests/cluster` with `make test-cluster`.
"""


@dataclass(frozen=True)
class Case:
    """One case: what happens, what is to come of it, the tests that show it, or why none does.

    `untried` are tests that were written for it and have not been seen to pass; they show nothing.
    """

    number: int
    case: str
    expected: str
    tests: tuple[str, ...] = ()
    note: str = ""
    not_shown: str = ""
    untried: tuple[str, ...] = ()


def cases() -> list[Case]:
    entries: list[dict[str, Any]] = yaml.safe_load((Path(__file__).with_name("cases.yaml")).read_text(encoding="utf-8"))
    lists = ("tests", "untried")
    return [Case(**{**entry, **{name: tuple(entry.get(name, ())) for name in lists}}) for entry in entries]


def page() -> str:
    found = cases()
    shown = sum(not case.not_shown for case in found)
    return "\n".join([_HEAD.format(shown=shown, n=len(found), open=len(found) - shown), *_rows(found)]) + "\n"


def _rows(found: list[Case]) -> Iterator[str]:
    yield "| | case | outcome | shown by |"
    yield "|---|---|---|---|"
    for case in found:
        by = [f"**not shown**: {case.not_shown}"] if case.not_shown else []
        by += [f"`{node}`" for node in case.tests]
        by += [f"(written, not seen to pass yet: `{node}`)" for node in case.untried]
        by += [f"({case.note})"] if case.note else []
        yield f"| {case.number} | {case.case} | {case.expected} | {'<br>'.join(by)} |".replace("\n", " ")


def test_functions(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the test functions of a module by name, without importing it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")}


def is_skipped(function: ast.FunctionDef) -> bool:
    """Return whether a decorator, or a call, may skip the test or expect it to fail."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Attribute) and n.attr in ("skip", "skipif", "xfail")]
    return bool(calls)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
