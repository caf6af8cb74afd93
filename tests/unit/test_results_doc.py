"""Stored results: joined, written, and the tables made of them."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.evaluation_results import FORMAT, merged, read_results, write_results
from pipeline.results_doc import PAGE, RESULTS, page_with_results, results_tables, stored_results

SETS = [{"name": "s", "binary": False, "n": 10, "n_rows": 12, "digest": "d"}]


def results(*names: str, value: float = 0.5, sets: list[dict[str, Any]] = SETS, digest: str = "p") -> dict[str, Any]:
    whole = {"set": "s", "lang": "*", "group": "*", "n": 10, "n_unscored": 0}
    figures = {"n_tokens": 5_000, "parameters": 99, "perplexity": 12.345, "bits_per_byte": 1.5}
    pair = {"set": "stsb", "digest": digest, "n": 5}
    return {
        "format": FORMAT,
        "name": "Try",
        "sets": sets,
        "models": [{"name": n, "family": f"family of {n}", "parameters": 1234} for n in names],
        "cells": [{"model": n, **whole, "macro_f1": [value, value - 0.1, value + 0.1]} for n in names],
        "similarity": [
            {"model": n, "lang": lang, **pair, "spearman": [v, None, None]}
            for n in names
            for lang, v in (("en", 0.9), ("de", 0.6), ("fr", 0.8))
        ],
        "retrieval": [],
        "perplexity": [{"model": n, "set": "posts", "lang": "", **figures} for n in names],
    }


def test_the_page_shows_what_is_stored() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_results(page, stored_results()), "run `make docs`"


def test_stored_results_hold_figures_and_no_text() -> None:
    for path in RESULTS.glob("*.json"):
        stored = json.loads(path.read_text(encoding="utf-8"))
        assert stored["models"]
        assert not [key for key in _keys(stored) if key.startswith("text") and key != "texts"]


def _keys(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {k for v in node.values() for k in _keys(v)}
    return {k for v in node for k in _keys(v)} if isinstance(node, list) else set()


def test_a_table_has_a_row_per_model_and_a_column_per_set() -> None:
    lines = results_tables(results("a", "b")).splitlines()
    assert lines[2] == "| model | parameters | training, CPU min | texts per CPU second | s (10), macro-F1 |"
    assert lines[4] == "| family of a (`a`) | 1,234 |  |  | 0.500 (0.400 to 0.600) |"
    assert "| `b` | stsb | Spearman | 0.900 |  | 0.700 of 2 |" in lines
    assert lines[-1] == "| family of b (`b`) | 99 | posts | 5,000 | 12.3 | 1.500 |"


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="each once"):
        page_with_results("no markers", [])


def test_a_model_evaluated_again_takes_the_place_of_its_old_results() -> None:
    found = merged(results("a", "b", value=0.4), results("b", value=0.6), ["a", "b", "c"])
    assert [m["name"] for m in found["models"]] == ["a", "b"]
    assert [c["macro_f1"][0] for c in found["cells"]] == [0.4, 0.6]
    assert [r["model"] for r in found["similarity"]] == ["a"] * 3 + ["b"] * 3


def test_results_of_other_rows_are_dropped_and_said(caplog: pytest.LogCaptureFixture) -> None:
    other = [{**SETS[0], "digest": "e"}]
    with caplog.at_level(logging.WARNING):
        found = merged(results("a"), results("b", sets=other), ["a", "b"])
    assert [m["name"] for m in found["models"]] == ["b"]
    assert "a dropped" in caplog.text
    found = merged(results("a"), results("b", digest="q"), ["a", "b"])
    assert [m["name"] for m in found["models"]] == ["a", "b"]
    assert {r["model"] for r in found["similarity"]} == {"b"}


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "r.json"
    write_results(results("a", "b"), path)
    assert read_results(path) == results("a", "b")
    assert sum('"spearman"' in line for line in path.read_text().splitlines()) == 6
    path.write_text('{"format": 0}')
    with pytest.raises(ConfigError, match="holds no results of format"):
        read_results(path)
