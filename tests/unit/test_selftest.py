"""Choosing a runtime."""

import json
from dataclasses import replace

import pytest

from pipeline.config import ModelConfig
from pipeline.models import embedding_spec
from udfs import selftest
from udfs.models.probe_texts import probe_texts
from udfs.models.spec import FLOAT32, Runtime
from udfs.selftest import Trial, candidates, choose, choose_runtime, try_runtimes
from udfs.spec import ScoreSpec

HALF = Runtime("torch", "bfloat16")


@pytest.fixture(scope="module")
def spec() -> ScoreSpec:
    return replace(embedding_spec(ModelConfig()), device="cpu")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One timed run each, over fewer texts: bfloat16 takes long on a CPU without units for it."""
    monkeypatch.setattr(selftest, "_SECONDS", 0.0)
    monkeypatch.setattr(selftest, "probe_texts", lambda: probe_texts()[:12])


def lowest(trial: Trial) -> float:
    """The lowest cosine of a trial that went well."""
    assert trial.problem is None
    assert trial.cosine_min is not None
    return trial.cosine_min


def test_the_fastest_that_keeps_the_promise_is_chosen() -> None:
    trials = [
        Trial(FLOAT32, 1.0, 1.0, 100.0),
        Trial(Runtime("openvino", "float32"), 0.99995, 0.99999, 150.0),
        Trial(Runtime("openvino", "bfloat16"), 0.9997, 0.9999, 300.0),
        Trial(Runtime("openvino", "int8"), 0.97, 0.99, 500.0),
        Trial(Runtime("torch", "float16"), problem="no such kernel"),
    ]
    assert choose(trials, "exact") == Runtime("openvino", "float32")
    assert choose(trials, "fast") == Runtime("openvino", "bfloat16")
    assert choose(trials[3:], "fast") == FLOAT32


def test_half_precision_is_not_tried_on_a_cpu_without_units_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "is_installed", lambda: True)
    plain = candidates("cpu", "fast", frozenset({"avx2"}))
    assert not any(r.precision == "bfloat16" for r in plain)
    assert HALF in candidates("cpu", "fast", frozenset({"avx512_bf16"}))
    assert [r.precision for r in candidates("cpu", "exact", frozenset({"avx2"}))] == ["float32", "float32"]
    monkeypatch.setattr(selftest, "is_installed", lambda: False)
    assert candidates("cpu", "exact", frozenset()) == [FLOAT32]


def test_runtimes_are_compared_with_float32(spec: ScoreSpec) -> None:
    reference, half, none = try_runtimes(spec, [FLOAT32, HALF, Runtime("torch", "int8")])
    assert lowest(reference) == pytest.approx(1.0, abs=1e-5)
    assert reference.tokens_per_s
    assert 0.99 < lowest(half) < 0.99999
    assert half.keeps("fast")
    assert "openvino" in str(none.problem)


def test_an_outcome_stands_until_the_device_changes(spec: ScoreSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "candidates", lambda *_: [FLOAT32, HALF])
    tried: list[int] = []
    fast = replace(spec, mode="fast")

    def trials(spec: ScoreSpec, wanted: list[Runtime]) -> list[Trial]:
        tried.append(len(wanted))
        return [Trial(FLOAT32, 1.0, 1.0, 100.0), Trial(HALF, 0.999, 0.9999, 50.0 + 100 * len(tried))]

    monkeypatch.setattr(selftest, "try_runtimes", trials)
    first = choose_runtime(fast, "auto", "auto", None)
    assert json.loads(first)["chosen"] == {"name": "torch", "precision": "bfloat16"}
    assert choose_runtime(fast, "auto", "auto", first) == first
    assert tried == [2]
    moved = json.dumps(json.loads(first) | {"device": "another GPU"})
    assert json.loads(choose_runtime(fast, "auto", "auto", moved))["device"] != "another GPU"
    assert tried == [2, 2]


def test_what_is_not_to_be_had_is_said(spec: ScoreSpec) -> None:
    assert json.loads(choose_runtime(spec, "torch", "float16", None))["chosen"] is None


def test_openvino_computes_what_torch_does(spec: ScoreSpec) -> None:
    pytest.importorskip("openvino", reason="the optional extra openvino is not installed")
    assert lowest(try_runtimes(spec, [Runtime("openvino", "float32")])[0]) > 0.99999


def test_openvino_int8_stays_near(spec: ScoreSpec) -> None:
    pytest.importorskip("nncf", reason="the optional extra openvino-int8 is not installed")
    assert lowest(try_runtimes(spec, [Runtime("openvino", "int8")])[0]) > 0.95
