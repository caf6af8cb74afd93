"""What the judge of an evaluation makes of a model's results; configuration; search by brute force."""

from typing import Any

import numpy as np
import pytest
import yaml

from pipeline.config import load_job_config
from pipeline.embedding_quality import translation_ranks
from pipeline.errors import ConfigError
from pipeline.evaluation import Predictions, _decided, recovered_probabilities
from pipeline.evaluation_config import EvaluateConfig


def test_probabilities_are_recovered_from_label_score_and_confidence() -> None:
    generator = np.random.default_rng(0)
    true = generator.dirichlet([1.0, 1.0, 1.0], 500)
    label = true.argmax(axis=1)
    found = recovered_probabilities(label, true[:, 2] - true[:, 0], true[np.arange(500), label])
    np.testing.assert_allclose(found, true, atol=1e-9)
    # a label that is not the likeliest class, as thresholds may give it
    other = (label + 1) % 3
    found = recovered_probabilities(other, true[:, 2] - true[:, 0], true[np.arange(500), other])
    np.testing.assert_allclose(found, true, atol=1e-9)


def test_rows_without_a_score_have_no_probabilities() -> None:
    assert np.isnan(recovered_probabilities(np.array([-1]), np.array([np.nan]), np.array([np.nan]))).all()


def test_binary_sets_are_decided_between_negative_and_positive() -> None:
    probabilities = np.array([[0.1, 0.8, 0.1], [0.3, 0.6, 0.1], [0.0, 1.0, 0.0], [np.nan] * 3])
    predictions = Predictions(probabilities, np.array([1, 1, 1, -1]))
    label, confidence = _decided(predictions, np.arange(4), binary=True)
    assert label.tolist() == [1, 0, 1, -1]
    assert confidence[:3].tolist() == pytest.approx([0.5, 0.75, 0.5])


def test_search_in_blocks_is_brute_force() -> None:
    generator = np.random.default_rng(1)
    rows = generator.normal(size=(2, 1_200, 8)).astype(np.float32)
    rows[1] = rows[0] + 0.7 * rows[1]
    first, second = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in rows)
    cosines = first.astype(np.float64) @ second.T.astype(np.float64)
    expected = [1 + sum(np.delete(line, i) > line[i]) for i, line in enumerate(cosines)]
    found = translation_ranks(first, second)
    assert 0.2 < (found == 1).mean() < 0.9
    assert found.tolist() == expected


def test_vectors_that_are_all_the_same_find_nothing() -> None:
    same = np.tile(np.array([[0.6, 0.8]], np.float32), (5, 1))
    assert translation_ranks(same, same).tolist() == [5] * 5


SET = {"name": "s", "path": "a.parquet"}
GOOD: dict[str, Any] = {
    "name": "try", "results": "out/r.json", "sets": [SET], "train": [{**SET, "name": "t"}],
    "models": [{"name": "majority", "kind": "majority"}, {"name": "mine", "kind": "encoder", "family": "frozen"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"only": ["mien"]}, "no model is named mien; there are majority, mine"),
        ({"sets": [{**SET, "trained_on": ["u"]}]}, "s: trained_on names u"),
        ({"train": []}, "a majority or tfidf model learns from training sets"),
        ({"sets": []}, "nothing to evaluate on"),
        ({"models": [GOOD["models"][0]] * 2}, "two have the same name: majority"),
        ({"sets": [{**SET, "part": {"from_pct": 90, "to_pct": 90}}]}, "from_pct 90 must be below to_pct 90"),
        ({"models": [{"name": "a", "kind": "bert"}]}, "models.0"),
    ],
)
def test_a_wrong_configuration_is_named(change: dict[str, Any], message: str, tmp_path: Any) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(GOOD))
    assert [m.name for m in load_job_config(EvaluateConfig, path, ["only=[mine]"]).chosen()] == ["mine"]
    path.write_text(yaml.safe_dump(GOOD | change))
    with pytest.raises(ConfigError, match="1 problem") as error:
        load_job_config(EvaluateConfig, path)
    assert message in str(error.value)
