"""The list of fault cases is whole, names tests that are there, and its page is current."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fault_matrix", ROOT / "tests" / "faults" / "matrix.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


MATRIX = _load()
CASES = MATRIX.cases()


def test_all_cases_are_listed_once_and_in_order() -> None:
    assert [case.number for case in CASES] == list(range(1, MATRIX.N_CASES + 1))
    for case in CASES:
        assert case.case
        assert case.expected
        assert case.tests or case.not_shown, f"case {case.number}: tests, or why there are none"


@pytest.mark.parametrize("case", CASES, ids=lambda c: str(c.number))
def test_every_test_of_a_case_is_there_and_never_skipped(case: Any) -> None:
    for node in (*case.tests, *case.untried):
        path, _, name = node.partition("::")
        functions = MATRIX.test_functions(ROOT / path)
        assert name in functions, node
        assert not MATRIX.is_skipped(functions[name]), f"{node} may be skipped"


def test_the_page_is_current() -> None:
    assert MATRIX.PAGE.read_text(encoding="utf-8") == MATRIX.page(), "run `make docs`"
